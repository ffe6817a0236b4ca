"""The pack: one zip file with a report, what it was computed from, and a signature over both.

``manifest.json`` names the SHA-256 of every other file; ``signature.json`` signs the manifest's bytes. The
same content and key give the same bytes.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from cryptography.exceptions import InvalidSignature

from understudy.errors import InvalidInput, NotFound
from understudy.evaluation.evidence.keys import key_id, public_text, read_public_key

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

FORMAT = "understudy-evidence/1"
REPORT_JSON, REPORT_HTML, EVIDENCE = "report.json", "report.html", "evidence.json"
MANIFEST, SIGNATURE = "manifest.json", "signature.json"
CONTENTS = (REPORT_JSON, REPORT_HTML, EVIDENCE)
# Far more than a report of a thousand columns; a hostile zip may claim anything.
FILE_BYTES_MAX = 64 * 2**20

Json = dict[str, Any]

_DAMAGES = (
    *(zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError),
    *(KeyError, TypeError, ValueError),
)


@dataclass(frozen=True)
class Pack:
    """A pack whose files have the digests of its manifest; whether the signature is right, ask `check`.

    Parameters
    ----------
    files : mapping of name to bytes
    manifest : bytes
        As it was signed.
    public_key : Ed25519PublicKey
        That the pack says it was signed with.
    signature : bytes
    """

    files: Mapping[str, bytes]
    manifest: bytes
    public_key: Ed25519PublicKey
    signature: bytes

    @property
    def facts(self) -> Json:
        """What the manifest says beside the digests."""
        facts: Json = json.loads(self.manifest)
        return {name: value for name, value in facts.items() if name != "files"}


def write_pack(files: Mapping[str, bytes], key: Ed25519PrivateKey, facts: Mapping[str, str]) -> bytes:
    """Return the zip file.

    Parameters
    ----------
    files : mapping of name to bytes
        All of `CONTENTS`.
    facts : mapping
        Ids and the like that the manifest shall name, too.
    """
    digests = {name: hashlib.sha256(files[name]).hexdigest() for name in CONTENTS}
    manifest = _json({"format": FORMAT, **facts, "files": digests})
    public = key.public_key()
    signature = _json(
        {
            "algorithm": "Ed25519",
            "key_id": key_id(public),
            "public_key": public_text(public),
            "signature": base64.b64encode(key.sign(manifest)).decode(),
        }
    )
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {**files, MANIFEST: manifest, SIGNATURE: signature}.items():
            # A fixed time: nothing but the content shall make packs differ.
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def read_pack(source: Path | BinaryIO) -> Pack:
    """Read a pack, and hold its files against the manifest.

    Raises
    ------
    NotFound
        If there is no such file.
    InvalidInput
        With the code `invalid_pack`, if it is no pack, or a file of it was altered.
    """
    if isinstance(source, Path) and not source.is_file():
        raise NotFound(f"There is no file {source}.")
    try:
        files = _read_files(source)
        manifest, signature = files.pop(MANIFEST), json.loads(files.pop(SIGNATURE))
        digests = json.loads(manifest)["files"]
        public_key = read_public_key(signature["public_key"])
        signed = base64.b64decode(signature["signature"], validate=True)
    # What a damaged or hostile file can make of the lines above; a zip bomb's members are cut.
    except _DAMAGES as error:
        raise InvalidInput(
            "The file is no evidence pack, or it is damaged. Fetch it again from where it was made.",
            code="invalid_pack",
        ) from error
    for name in CONTENTS:
        if hashlib.sha256(files[name]).hexdigest() != digests.get(name):
            raise InvalidInput(
                f"{name} in the pack was altered: it does not have the digest that the manifest names.",
                code="invalid_pack",
            )
    return Pack(files, manifest, public_key, signed)


def check_signature(pack: Pack, expected: Ed25519PublicKey | None = None) -> None:
    """Raise `InvalidInput` if a pack was not signed with the key that it names, or that is expected."""
    if expected is not None and public_text(expected) != public_text(pack.public_key):
        raise InvalidInput(
            f"The pack was signed with the key {key_id(pack.public_key)}, not with {key_id(expected)}.",
            code="invalid_signature",
        )
    try:
        pack.public_key.verify(pack.signature, pack.manifest)
    except InvalidSignature as error:
        raise InvalidInput(
            "The signature does not fit the pack: it was altered after it had been signed.",
            code="invalid_signature",
        ) from error


def _read_files(source: Path | BinaryIO) -> dict[str, bytes]:
    with zipfile.ZipFile(source) as archive:
        return {name: _read_bounded(archive, name) for name in (*CONTENTS, MANIFEST, SIGNATURE)}


def _read_bounded(archive: zipfile.ZipFile, name: str) -> bytes:
    with archive.open(name) as file:
        content = file.read(FILE_BYTES_MAX + 1)
    if len(content) > FILE_BYTES_MAX:
        raise ValueError(name)
    return content


def _json(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False).encode() + b"\n"
