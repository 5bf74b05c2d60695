"""Sign an adapter folder, and refuse one that is not exactly what was signed.

    sign_folder(folder, manifest, signing_key(settings))
    manifest = verify_folder(folder, verify_key(settings), "villaverde")

The signature (Ed25519, 64 bytes as hexadecimal digits and a newline) is over the bytes of
``manifest.json``, which lists the SHA-256 of every other file. Verification reads the signature before it
parses anything, then tenant, id, and file by file; no byte of the weights is interpreted here.
"""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from astra_learn_assets.contracts import AdapterManifest
from astra_learn_assets.errors import AdapterRefused
from astra_learn_assets.ids import TenantId
from astra_learn_assets.registry.keys import signing_key, verify_key
from astra_learn_assets.registry.manifest import (
    MANIFEST,
    SIGNATURE,
    dump_manifest,
    file_names,
    hash_file,
    load_manifest,
)

__all__ = ["sign_folder", "signing_key", "verify_folder", "verify_key", "verify_manifest"]

_MAX_MANIFEST_BYTES = 1_000_000
_SIGNATURE_TEXT = re.compile(rb"[0-9a-f]{128}\n?")


def sign_folder(folder: Path, manifest: AdapterManifest, key: Ed25519PrivateKey) -> None:
    """Write ``manifest.json`` and ``manifest.sig`` into ``folder``, each atomically, the signature last."""
    data = dump_manifest(manifest)
    _write(folder / MANIFEST, data)
    _write(folder / SIGNATURE, key.sign(data).hex().encode() + b"\n")


def verify_manifest(
    data: bytes, signature: bytes, key: Ed25519PublicKey, tenant_id: TenantId, *, allow_pickle: bool = False
) -> AdapterManifest:
    """The manifest in ``data`` if ``signature`` is ours and the adapter is ``tenant_id``'s.

    Raises:
        AdapterRefused: otherwise.
    """
    if not _SIGNATURE_TEXT.fullmatch(signature):
        raise AdapterRefused(f"{SIGNATURE} is malformed")
    try:
        key.verify(bytes.fromhex(signature.decode("ascii").strip()), data)
    except InvalidSignature:
        raise AdapterRefused("the signature does not fit: changed, or signed by another key") from None
    manifest = load_manifest(data, allow_pickle=allow_pickle)
    if manifest.tenant_id != tenant_id:
        raise AdapterRefused(f"{manifest.adapter_id} is not an adapter of {tenant_id!r:.70}")
    return manifest


def verify_folder(
    folder: Path, key: Ed25519PublicKey, tenant_id: TenantId, *, allow_pickle: bool = False
) -> AdapterManifest:
    """The manifest of ``folder`` if the folder is exactly what was signed for ``tenant_id``.

    Raises:
        AdapterRefused: for a foreign tenant, a bad or missing signature, a missing, extra, changed or
            linked file, a name that leaves the folder, or a pickle that was not allowed.
    """
    names = set(file_names(folder, allow_pickle=allow_pickle))
    for needed in (MANIFEST, SIGNATURE):
        if needed not in names:
            raise AdapterRefused(f"{folder.name}: {needed} is missing; only signed adapters are used")
    manifest = verify_manifest(
        _read(folder / MANIFEST), _read(folder / SIGNATURE), key, tenant_id, allow_pickle=allow_pickle
    )
    found = names - {MANIFEST, SIGNATURE}
    if missing := sorted(manifest.files.keys() - found):
        raise AdapterRefused(f"{manifest.adapter_id}: {missing[0]} is missing")
    if extra := sorted(found - manifest.files.keys()):
        raise AdapterRefused(f"{manifest.adapter_id}: {extra[0]} is not in the manifest")
    for name, expected in sorted(manifest.files.items()):
        if hash_file(folder / name) != expected:
            raise AdapterRefused(f"{manifest.adapter_id}: {name} is not what was signed")
    return manifest


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > _MAX_MANIFEST_BYTES:
            raise AdapterRefused(f"{path.name} is too large")
        return path.read_bytes()
    except OSError as error:
        raise AdapterRefused(f"{path.name}: {error.strerror or 'cannot be read'}") from None


def _write(path: Path, data: bytes) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent.parent, prefix=".signing-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise
