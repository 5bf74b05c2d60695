"""Envelope encryption: every tenant has a data key, and a master key wraps the data keys.

A sealed object is ``b"ASTRA" | version (1 byte) | nonce (12) | AES-256-GCM ciphertext and tag``. The
additional data binds it to its tenant and its key in the store: copied to another name or another
municipality, it does not open. Nonces are random; with 96 bits one data key is good for 2**32 objects
(NIST SP 800-38D, 8.3). Hashes that name content are always of the plaintext.
"""

from __future__ import annotations

import base64
import binascii
import os
import secrets
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from astra_learn_assets.errors import BadConfiguration, DecryptionFailed, Unavailable
from astra_learn_assets.ids import TenantId

if TYPE_CHECKING:
    from astra_learn_assets.settings import Settings

MAGIC = b"ASTRA"
VERSION = 1
KEY_BYTES = 32
_NONCE_BYTES = 12
_TAG_BYTES = 16
_HEADER = MAGIC + bytes([VERSION])
_LOCAL_WRAP, _KMS_WRAP = b"ASTRAK\x00", b"ASTRAK\x01"


def new_key() -> bytes:
    """A fresh 256-bit data key."""
    return secrets.token_bytes(KEY_BYTES)


def seal(data_key: bytes, data: bytes, *, tenant: TenantId, object_key: str) -> bytes:
    """``data`` encrypted for exactly this tenant and place."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return _HEADER + nonce + AESGCM(data_key).encrypt(nonce, data, _bound_to(tenant, object_key))


def unseal(data_key: bytes, sealed: bytes, *, tenant: TenantId, object_key: str) -> bytes:
    """The plaintext of a sealed object.

    Raises:
        DecryptionFailed: not sealed, cut short, changed, moved, or sealed with another key.
    """
    if len(sealed) < len(_HEADER) + _NONCE_BYTES + _TAG_BYTES or not sealed.startswith(MAGIC):
        raise DecryptionFailed(f"object {object_key!r} is not sealed, or was cut short")
    if sealed[len(MAGIC)] != VERSION:
        raise DecryptionFailed(
            f"object {object_key!r} is sealed in version {sealed[len(MAGIC)]}; this release knows {VERSION}"
        )
    body = sealed[len(_HEADER) :]
    try:
        return AESGCM(data_key).decrypt(
            body[:_NONCE_BYTES], body[_NONCE_BYTES:], _bound_to(tenant, object_key)
        )
    except InvalidTag as error:
        raise DecryptionFailed(
            f"object {object_key!r} does not open: it was changed or moved, or belongs to another key"
        ) from error


class MasterKey(Protocol):
    """What wraps data keys."""

    def wrap(self, data_key: bytes) -> bytes:
        """The data key as it may be stored."""
        ...

    def unwrap(self, wrapped: bytes) -> bytes:
        """The data key again; :class:`DecryptionFailed` when this master did not wrap it."""
        ...


class LocalMaster:
    """A master key held by this process: from a setting, or a file on a laptop."""

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise BadConfiguration(f"the master key has {len(key)} bytes, expected {KEY_BYTES}")
        self._cipher = AESGCM(key)

    def wrap(self, data_key: bytes) -> bytes:
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return _LOCAL_WRAP + nonce + self._cipher.encrypt(nonce, data_key, _LOCAL_WRAP)

    def unwrap(self, wrapped: bytes) -> bytes:
        if not wrapped.startswith(_LOCAL_WRAP):
            raise DecryptionFailed(
                "the tenant's key was not wrapped by a local master key: check ASTRA_MASTER_KEY_KMS"
            )
        body = wrapped[len(_LOCAL_WRAP) :]
        try:
            return self._cipher.decrypt(body[:_NONCE_BYTES], body[_NONCE_BYTES:], _LOCAL_WRAP)
        except (InvalidTag, ValueError) as error:
            raise DecryptionFailed(
                "the tenant's key was wrapped by another master key: check ASTRA_MASTER_KEY"
            ) from error


class KmsMaster:
    """A master key that never leaves AWS KMS; every use of it is in CloudTrail."""

    _CONTEXT = {"purpose": "astra-learn-tenant-key"}  # noqa: RUF012 (a constant, never changed)

    def __init__(self, key_id: str) -> None:
        self._key_id = key_id

    def wrap(self, data_key: bytes) -> bytes:
        answer = self._call("encrypt", Plaintext=data_key)
        return _KMS_WRAP + bytes(answer["CiphertextBlob"])

    def unwrap(self, wrapped: bytes) -> bytes:
        if not wrapped.startswith(_KMS_WRAP):
            raise DecryptionFailed("the tenant's key was not wrapped by KMS: unset ASTRA_MASTER_KEY_KMS")
        answer = self._call("decrypt", CiphertextBlob=wrapped[len(_KMS_WRAP) :])
        return bytes(answer["Plaintext"])

    def _call(self, operation: str, **arguments: Any) -> dict[str, Any]:
        import boto3  # type: ignore[import-untyped]  # only where KMS is used
        from botocore.exceptions import (  # type: ignore[import-untyped]
            BotoCoreError,
            ClientError,
        )

        try:
            method = getattr(boto3.client("kms"), operation)
            answer: dict[str, Any] = method(KeyId=self._key_id, EncryptionContext=self._CONTEXT, **arguments)
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
            if code in {"InvalidCiphertextException", "IncorrectKeyException"}:
                raise DecryptionFailed(f"KMS does not open the tenant's key ({code})") from error
            raise Unavailable(f"KMS refused {operation} with key {self._key_id!r}: {code}") from error
        except BotoCoreError as error:
            raise Unavailable(f"KMS does not answer: {error}") from error
        return answer


def load_master(settings: Settings) -> MasterKey:
    """The master key that ``settings`` name: KMS, a base64 value, or a file in home made at first use.

    Raises:
        BadConfiguration: not base64 of 32 bytes; or S3 is used and no master key is set, so that a key
            made here would be lost with this machine, and with it every tenant's data.
    """
    if settings.master_key_kms is not None:
        return KmsMaster(settings.master_key_kms)
    if settings.master_key is not None:
        return LocalMaster(_decode(settings.master_key.get_secret_value(), "ASTRA_MASTER_KEY"))
    if (settings.object_store_url or "").startswith("s3://"):
        raise BadConfiguration(
            "an S3 object store needs ASTRA_MASTER_KEY_KMS or ASTRA_MASTER_KEY: a key made on this "
            "machine would be lost with it"
        )
    path = settings.home_path / "keys" / "master.key"
    if not path.exists():
        create_once(path, base64.b64encode(new_key()))
    return LocalMaster(_decode(path.read_text(encoding="ascii"), str(path)))


def read_master(path: Path) -> MasterKey:
    """The master key in a file: base64 of 32 bytes.

    Raises:
        BadConfiguration: it cannot be read, or holds something else.
    """
    try:
        return LocalMaster(_decode(path.read_text(encoding="ascii"), str(path)))
    except (OSError, UnicodeDecodeError) as error:
        raise BadConfiguration(f"{path} cannot be read: {error}") from error


def create_once(path: Path, content: bytes) -> bool:
    """Write a secret file (0600) unless it exists; two processes at once end up with the same one."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, partial = tempfile.mkstemp(dir=path.parent)  # mkstemp makes 0600
    try:
        with open(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(handle)
        os.link(partial, path)
    except FileExistsError:
        return False
    finally:
        Path(partial).unlink(missing_ok=True)
    return True


def _decode(text: str, source: str) -> bytes:
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadConfiguration(f"{source} is not base64") from error
    if len(key) != KEY_BYTES:
        raise BadConfiguration(
            f"{source} holds {len(key)} bytes, expected {KEY_BYTES}: make one with 'openssl rand -base64 32'"
        )
    return key


def _bound_to(tenant: TenantId, object_key: str) -> bytes:
    # NUL cannot occur in either part, so no two pairs give the same bytes
    return b"\0".join((_HEADER, tenant.encode(), object_key.encode()))
