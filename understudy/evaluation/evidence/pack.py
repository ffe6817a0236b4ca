"""The evidence pack: one zip file with a report, its evidence, and a signature over both.

``manifest.json`` contains the SHA-256 digests of the other files, and ``signature.json`` contains a signature
of the manifest's bytes. The same content and key always produce the same bytes.
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
# Maximum size of a file in the pack, in bytes. The report of a table with a thousand columns is much smaller.
# The limit protects against malicious zip files.
FILE_BYTES_MAX = 64 * 2**20

Json = dict[str, Any]

_DAMAGES = (
    *(zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError),
    *(KeyError, TypeError, ValueError),
)


@dataclass(frozen=True)
class Pack:
    """A pack with files that match the digests in its manifest. `check_signature` verifies the signature.

    Parameters
    ----------
    files : mapping of name to bytes
        The contents of the files.
    manifest : bytes
        The signed bytes of the manifest.
    public_key : Ed25519PublicKey
        The public key of the signer, according to the pack.
    signature : bytes
        The signature of the manifest.
    """

    files: Mapping[str, bytes]
    manifest: bytes
    public_key: Ed25519PublicKey
    signature: bytes

    @property
    def facts(self) -> Json:
        """The fields of the manifest other than the digests."""
        facts: Json = json.loads(self.manifest)
        return {name: value for name, value in facts.items() if name != "files"}


def write_pack(files: Mapping[str, bytes], key: Ed25519PrivateKey, facts: Mapping[str, str]) -> bytes:
    """Return the bytes of the zip file.

    Parameters
    ----------
    files : mapping of name to bytes
        The contents of all files in `CONTENTS`.
    facts : mapping
        Additional fields of the manifest, such as IDs.
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
            # The time is fixed so that packs with the same content are identical.
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def read_pack(source: Path | BinaryIO) -> Pack:
    """Read a pack and check its files against the digests in the manifest.

    Raises
    ------
    NotFound
        If the file does not exist.
    InvalidInput
        With the code `invalid_pack`, if the file is not a pack or one of its files was altered.
    """
    if isinstance(source, Path) and not source.is_file():
        raise NotFound(f"The file {source} does not exist. Correct the path.")
    try:
        files = _read_files(source)
        manifest, signature = files.pop(MANIFEST), json.loads(files.pop(SIGNATURE))
        digests = json.loads(manifest)["files"]
        public_key = read_public_key(signature["public_key"])
        signed = base64.b64decode(signature["signature"], validate=True)
    # Damaged or malicious files can raise any of these errors. The size of each member is limited.
    except _DAMAGES as error:
        raise InvalidInput(
            "The file is not an evidence pack, or it is damaged. Get the file again from its source.",
            code="invalid_pack",
        ) from error
    for name in CONTENTS:
        if hashlib.sha256(files[name]).hexdigest() != digests.get(name):
            raise InvalidInput(
                f"{name} in the pack was altered: its digest differs from the digest in the manifest. "
                "Get the pack again from its source.",
                code="invalid_pack",
            )
    return Pack(files, manifest, public_key, signed)


def check_signature(pack: Pack, expected: Ed25519PublicKey | None = None) -> None:
    """Raise `InvalidInput` if a pack was not signed with the key that it names, or with the expected key."""
    if expected is not None and public_text(expected) != public_text(pack.public_key):
        raise InvalidInput(
            f"The pack was signed with the key {key_id(pack.public_key)}, not with {key_id(expected)}. "
            "Do not trust the pack until the sender has confirmed the key.",
            code="invalid_signature",
        )
    try:
        pack.public_key.verify(pack.signature, pack.manifest)
    except InvalidSignature as error:
        raise InvalidInput(
            "The signature does not match the pack: the pack was altered after it was signed. Get the pack "
            "again from its source.",
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
