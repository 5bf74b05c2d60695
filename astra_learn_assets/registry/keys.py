"""The Ed25519 keys that sign adapters.

Production gives ``ASTRA_SIGNING_KEY_FILE`` to the platform and only ``ASTRA_VERIFY_KEY_FILE`` to those who
serve. With neither set, on one machine, a key is made in ``home/keys/`` at first use: readable by its owner
alone, and made once even when two processes start together. With an object store or a database that other
machines share it is refused: each pod would make a key of its own and refuse the adapters of the others.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from astra_learn_assets.errors import BadConfiguration
from astra_learn_assets.settings import Settings

_THIS_MACHINE = frozenset({"", "localhost", "127.0.0.1", "::1"})
_PEM = serialization.Encoding.PEM


def signing_key(settings: Settings) -> Ed25519PrivateKey:
    """The private key: the configured file, or the one in ``home`` (made when missing).

    Raises:
        BadConfiguration: when a file cannot be read, written, or holds no Ed25519 private key; or none is
            configured where several machines work together.
    """
    if settings.signing_key_file is not None:
        return _private(settings.signing_key_file)
    if _shared(settings):
        raise BadConfiguration(
            "with an S3 object store or a database on another machine set ASTRA_SIGNING_KEY_FILE (or, where "
            "adapters are only served, ASTRA_VERIFY_KEY_FILE): a key made on this machine would be unknown "
            "to the others and lost with it"
        )
    path = settings.home_path / "keys" / "signing.pem"
    if not path.exists():
        _make(path)
    return _private(path)


def verify_key(settings: Settings) -> Ed25519PublicKey:
    """The public key: the configured file, or derived from :func:`signing_key`.

    Raises:
        BadConfiguration: when a file cannot be read or holds no Ed25519 public key.
    """
    if settings.verify_key_file is None:
        return signing_key(settings).public_key()
    return read_verify_key(settings.verify_key_file)


def read_verify_key(path: Path) -> Ed25519PublicKey:
    """The public key in ``path``.

    Raises:
        BadConfiguration: it cannot be read or holds no Ed25519 public key.
    """
    try:
        key = serialization.load_pem_public_key(_read(path))
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PublicKey):
        raise BadConfiguration(
            f"{path} holds no Ed25519 public key in PEM; set ASTRA_VERIFY_KEY_FILE or name another file"
        )
    return key


def _shared(settings: Settings) -> bool:
    """Whether other machines work on the same store or database."""
    if (settings.object_store_url or "").startswith("s3://"):
        return True
    if settings.database_url is None:
        return False
    from astra_learn_assets.store.db import normalise_url  # who only serves needs no database driver

    hosts = normalise_url(settings.database_url)
    # libpq also takes ?host=; a path is a socket on this machine
    named = hosts.query.get("host", ()) or hosts.host or ""
    return any(
        not host.startswith("/") and host.split(":")[0] not in _THIS_MACHINE
        for host in ([named] if isinstance(named, str) else named)
    )


def _private(path: Path) -> Ed25519PrivateKey:
    try:
        key = serialization.load_pem_private_key(_read(path), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise BadConfiguration(
            f"{path} holds no unencrypted Ed25519 private key in PEM; make one with "
            "'openssl genpkey -algorithm ed25519' and set ASTRA_SIGNING_KEY_FILE"
        )
    return key


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadConfiguration(f"key file {path}: {error.strerror or error}") from None


def _make(path: Path) -> None:
    pem = Ed25519PrivateKey.generate().private_bytes(
        _PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, name = tempfile.mkstemp(dir=path.parent)  # created 0600
        temporary = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(pem)
                file.flush()
                os.fsync(file.fileno())
            # a link fails where a rename would replace: of two that start together, one key wins
            os.link(temporary, path)
        except FileExistsError:
            pass
        finally:
            temporary.unlink()
    except OSError as error:
        raise BadConfiguration(f"cannot make a signing key in {path.parent}: {error.strerror}") from None
