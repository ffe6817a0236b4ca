"""Contract tests for every blob store."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from understudy.errors import Conflict, InvalidInput, NotFound
from understudy.storage import STORES, Store, StoreOptions, open_store

KEY = "p/prj_1/j/job_1/7/table.parquet"
BAD_KEYS = [
    "",
    "/etc/passwd",
    "../up",
    "a/../../b",
    "a//b",
    "a/",
    "a/./b",
    ".hidden",
    "a\\b",
    "a\0b",
    "A",
    "a" * 513,
]

# Each scheme has one URL. `{folder}` is replaced with an empty folder, and `{bucket}` with an empty bucket.
URLS = {
    "file": "file://{folder}/root",
    "memory": "memory://",
    "s3": "s3://{bucket}/pre/fix",
}


@pytest.fixture(params=sorted(STORES))
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """Open a store of each scheme."""
    url = URLS[request.param]
    if "{bucket}" not in url:
        return open_store(url.format(folder=tmp_path))
    endpoint = request.getfixturevalue("s3_server")
    bucket = request.getfixturevalue("bucket")
    return open_store(url.format(bucket=bucket), StoreOptions(endpoint, is_path_style=True))


@pytest.fixture
def put(store: Store, tmp_path: Path) -> Callable[[str, bytes], Path]:
    """Return a function that stores bytes under a key and returns their source file."""

    def put(key: str, data: bytes) -> Path:
        path = tmp_path / "incoming"
        path.write_bytes(data)
        store.put_file(key, path)
        return path

    return put


Put = Callable[[str, bytes], Path]


def test_every_scheme_has_a_contract_test(tmp_path: Path) -> None:
    assert set(STORES) == set(URLS)


def test_stored_bytes_are_read_back(store: Store, put: Put) -> None:
    put(KEY, b"data")

    with store.open(KEY) as file:
        assert file.read() == b"data"
    assert store.size(KEY) == 4


def test_put_moves_the_file_into_the_store(put: Put) -> None:
    assert not put(KEY, b"data").exists()


def test_empty_file_can_be_stored(store: Store, put: Put) -> None:
    put(KEY, b"")

    assert store.size(KEY) == 0


def test_opened_blob_is_seekable(store: Store, put: Put) -> None:
    put(KEY, b"0123456789")

    with store.open(KEY) as file:
        file.seek(4)
        assert file.read(2) == b"45"


def test_blob_is_never_overwritten(store: Store, put: Put, tmp_path: Path) -> None:
    put(KEY, b"first")

    with pytest.raises(Conflict):
        put(KEY, b"second")
    with store.open(KEY) as file:
        assert file.read() == b"first"
    assert (tmp_path / "incoming").read_bytes() == b"second"


def test_only_one_of_two_concurrent_writers_succeeds(store: Store, tmp_path: Path) -> None:
    def put(number: int) -> bool:
        path = tmp_path / f"file-{number}"
        path.write_bytes(bytes([number]))
        try:
            store.put_file(KEY, path)
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        won = list(pool.map(put, range(8)))

    assert sum(won) == 1
    with store.open(KEY) as file:
        assert file.read() == bytes([won.index(True)])


def test_missing_blob_is_not_found(store: Store, tmp_path: Path) -> None:
    for read in (store.open, store.size, lambda key: store.open_range(key, 0, 1)):
        with pytest.raises(NotFound):
            read(KEY)
    with pytest.raises(NotFound), store.local_copy(KEY, tmp_path):
        pass


def test_delete_can_be_repeated(store: Store, put: Put) -> None:
    put(KEY, b"data")

    store.delete(KEY)
    store.delete(KEY)

    with pytest.raises(NotFound):
        store.open(KEY)
    assert list(store.keys("")) == []


def test_deleting_a_blob_keeps_other_blobs(store: Store, put: Put) -> None:
    put("p/a/one", b"1")
    put("p/a/two", b"2")

    store.delete("p/a/one")

    assert list(store.keys("p/")) == ["p/a/two"]


def test_key_can_be_used_again_after_a_delete(store: Store, put: Put) -> None:
    put(KEY, b"1")
    store.delete(KEY)
    put(KEY, b"22")

    assert store.size(KEY) == 2


def test_keys_are_found_by_prefix(store: Store, put: Put) -> None:
    for key in ("p/a/one", "p/b/two", "q/three"):
        put(key, b"")

    assert list(store.keys("p/")) == ["p/a/one", "p/b/two"]
    assert list(store.keys("p/b")) == ["p/b/two"]
    assert list(store.keys("")) == ["p/a/one", "p/b/two", "q/three"]
    assert list(store.keys("absent/")) == []


def test_keys_are_listed_in_ascending_order_after_any_key(store: Store, put: Put) -> None:
    # A slash sorts between '.' and '0', so a folder can come before or after a file with the same prefix.
    keys = sorted(["a-b", "a.c/d", "a/b", "a/b-c", "a0", "b/a/c", "b/a.d", "b/b"])
    for key in reversed(keys):
        put(key, b"")

    assert list(store.keys("")) == keys
    for after in ["", *keys, "a/", "a.", "b/a/d", "z"]:
        assert list(store.keys("", after=after)) == [key for key in keys if key > after]
        assert list(store.keys("b/", after=after)) == [
            key for key in keys if key > after and key.startswith("b/")
        ]


@pytest.mark.parametrize("key", BAD_KEYS)
def test_key_cannot_leave_the_root(store: Store, put: Put, key: str) -> None:
    for use in (store.open, store.delete, store.size, lambda key: put(key, b"")):
        with pytest.raises(InvalidInput):
            use(key)


def test_local_copy_contains_the_bytes_and_leaves_no_file(store: Store, put: Put, tmp_path: Path) -> None:
    put(KEY, b"data")
    (tmp_path / "scratch").mkdir()

    with store.local_copy(KEY, tmp_path / "scratch") as path:
        assert path.read_bytes() == b"data"
    assert list((tmp_path / "scratch").iterdir()) == []
    assert store.size(KEY) == 4


def test_two_local_copies_of_a_blob_are_independent(store: Store, put: Put, tmp_path: Path) -> None:
    put(KEY, b"data")

    with store.local_copy(KEY, tmp_path) as first:
        with store.local_copy(KEY, tmp_path) as second:
            assert second.read_bytes() == b"data"
        assert first.read_bytes() == b"data"


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [(2, 5, b"234"), (0, 10, b"0123456789"), (8, 99, b"89"), (10, 12, b""), (99, 100, b""), (4, 4, b"")],
)
def test_range_of_a_blob_is_read(store: Store, put: Put, start: int, end: int, expected: bytes) -> None:
    put(KEY, b"0123456789")

    with store.open_range(KEY, start, end) as file:
        assert file.read() == expected


def test_large_blob_is_read_back_in_pieces(store: Store, put: Put, tmp_path: Path) -> None:
    # The object store sends this size in two parts, and reads it in several ranges.
    data = bytes(range(256)) * (17 << 12)
    put(KEY, data)

    with store.open(KEY) as file:
        assert b"".join(iter(lambda: file.read(1 << 20), b"")) == data
        file.seek(-3, 2)
        assert file.read() == data[-3:]
    with store.local_copy(KEY, tmp_path) as path:
        assert path.read_bytes() == data
    with pytest.raises(Conflict):
        put(KEY, data)


def test_deleting_partial_blobs_keeps_complete_ones(store: Store, put: Put) -> None:
    put(KEY, b"data")

    store.delete_partial("p/", timedelta(0))

    assert store.size(KEY) == 4


def test_working_store_is_writable(store: Store) -> None:
    store.check_writable()
    assert list(store.keys("")) == []
