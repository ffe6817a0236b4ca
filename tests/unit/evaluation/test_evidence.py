"""Tests that altered packs and keys are detected, and that equal content produces equal bytes."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import pytest

import understudy
from understudy.errors import InvalidInput
from understudy.evaluation.evidence.content import SOURCE_SUFFIXES, source_digest
from understudy.evaluation.evidence.keys import (
    derived_key,
    key_id,
    load_or_make_key,
    public_text,
    read_public_key,
)
from understudy.evaluation.evidence.pack import CONTENTS, check_signature, read_pack, write_pack

KEY = derived_key(b"a secret of the installation, long enough", b"project")
FILES = {name: f"content of {name}".encode() for name in CONTENTS}


def altered(pack: bytes, **changes: bytes) -> io.BytesIO:
    """Return the pack with changed contents of some files. Keywords are file names with `__` for the dot."""
    result = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(pack)) as source, zipfile.ZipFile(result, "w") as target:
        for name in source.namelist():
            target.writestr(name, changes.get(name.replace(".", "__"), source.read(name)))
    result.seek(0)
    return result


def test_pack_is_signed_and_read_back_unchanged() -> None:
    packed = write_pack(FILES, KEY, {"report_id": "rpt_1"})
    pack = read_pack(io.BytesIO(packed))
    check_signature(pack, KEY.public_key())
    assert pack.files == FILES
    assert pack.facts["report_id"] == "rpt_1"
    assert packed == write_pack(FILES, KEY, {"report_id": "rpt_1"})


@pytest.mark.parametrize("name", CONTENTS)
def test_altered_file_is_detected(name: str) -> None:
    pack = altered(write_pack(FILES, KEY, {}), **{name.replace(".", "__"): b"other"})
    with pytest.raises(InvalidInput, match="altered") as caught:
        read_pack(pack)
    assert caught.value.code == "invalid_pack"


def test_altered_manifest_is_detected() -> None:
    packed = write_pack(FILES, KEY, {"report_id": "rpt_1"})
    manifest = read_pack(io.BytesIO(packed)).manifest.replace(b"rpt_1", b"rpt_2")
    with pytest.raises(InvalidInput, match="signature does not match"):
        check_signature(read_pack(altered(packed, manifest__json=manifest)))


def test_pack_signed_with_another_key_is_rejected() -> None:
    other = derived_key(b"a secret of the installation, long enough", b"another project")
    pack = read_pack(io.BytesIO(write_pack(FILES, other, {})))
    check_signature(pack)
    with pytest.raises(InvalidInput, match=f"not with {key_id(KEY.public_key())}"):
        check_signature(pack, KEY.public_key())


@pytest.mark.parametrize(
    "changes",
    [
        {"manifest__json": b"[]"},
        {"manifest__json": b"{"},
        {"signature__json": b"{}"},
        {"signature__json": json.dumps({"public_key": "AAAA", "signature": ""}).encode()},
    ],
)
def test_malformed_pack_is_rejected(changes: dict[str, bytes]) -> None:
    with pytest.raises(InvalidInput):
        read_pack(altered(write_pack(FILES, KEY, {}), **changes))


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x05\x06" + bytes(18)])
def test_file_that_is_not_a_pack_is_rejected(content: bytes) -> None:
    with pytest.raises(InvalidInput, match="not an evidence pack"):
        read_pack(io.BytesIO(content))


def test_truncated_pack_is_rejected() -> None:
    packed = write_pack(FILES, KEY, {})
    for length in range(0, len(packed) - 1, 97):
        with pytest.raises(InvalidInput):
            read_pack(io.BytesIO(packed[:length]))


def test_generated_key_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    made, read = load_or_make_key(path), load_or_make_key(path)
    assert public_text(made.public_key()) == public_text(read.public_key())
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("text", ["", "AAAA", "-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----"])
def test_invalid_key_is_rejected(tmp_path: Path, text: str) -> None:
    path = tmp_path / "key.pem"
    path.write_text(text)
    for read in (lambda: read_public_key(text), lambda: load_or_make_key(path)):
        with pytest.raises(InvalidInput) as caught:
            read()
        assert caught.value.code == "invalid_key"


def test_public_key_is_read_from_base64_and_pem() -> None:
    text = public_text(KEY.public_key())
    assert public_text(read_public_key(f" {text}\n")) == text


def test_source_digest_is_stable() -> None:
    assert source_digest() == source_digest()
    assert len(source_digest()) == 64


def test_source_digest_covers_every_file_of_the_package() -> None:
    root = Path(understudy.__file__).parent
    parts = [path for path in root.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    assert {path.suffix for path in parts} - {".typed"} <= set(SOURCE_SUFFIXES)
