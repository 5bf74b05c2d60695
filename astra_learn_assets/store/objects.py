"""The object store: a local folder or S3 behind one small interface (``obstore``).

Call::

    store = ObjectStore.open("s3://bucket/prefix", kms_key="alias/astra")
    store.put("sessions/villaverde/s1/v1/draft.docx", data)  # False: already there, left alone

Keys are built by :mod:`astra_learn_assets.store.paths`; they are checked here once more, so that no
key reaches outside the store. A write is seen whole or not at all. In a folder it is on the disk
before ``put`` returns: after a power cut there is no empty file under a name that promises content.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import unquote, urlsplit

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import LocalStore, S3Store

from astra_learn_assets.errors import (
    BadConfiguration,
    BadInput,
    Conflict,
    InvalidId,
    NotFound,
    Unavailable,
)
from astra_learn_assets.store import s3

if TYPE_CHECKING:
    from obstore.store import S3Config

Answer = TypeVar("Answer")

_SEGMENT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,199}")
_STAGING = ".partial"  # below the root of a local store; no key begins with a dot
_ATTEMPTS = 50  # against deletes that sweep empty folders
_SIGNED_LAST = ("manifest.json", "manifest.sig")


class ObjectStore:
    """Bytes by key. Make one with :meth:`open`."""

    def __init__(
        self,
        backend: LocalStore | S3Store,
        root: Path | None,
        *,
        url: str = "",
        renew: Callable[[], LocalStore | S3Store] | None = None,
    ) -> None:
        self._backend = backend
        self._root = root  # of a local store
        self._url = url  # s3://bucket/prefix, for messages
        self._renew = renew  # a backend with the credentials of now
        self._bucket_seen = root is not None

    @classmethod
    def open(cls, url: str, kms_key: str | None = None) -> ObjectStore:
        """The store at ``file:///folder`` (made if missing) or ``s3://bucket/prefix``.

        On S3 with ``kms_key`` every write asks for SSE-KMS with that key. Credentials, region and
        endpoint come from the usual ``AWS_*`` variables or the pod's identity.

        Every call to S3 raises BadConfiguration when there is no such bucket. Server errors and time-outs are
        tried again for 30 seconds; credentials that have expired are asked for anew, once.

        Raises:
            BadConfiguration: the URL is neither, or the folder cannot be made.
        """
        parts = urlsplit(url)
        if parts.scheme == "file" and parts.netloc in {"", "localhost"} and parts.path.startswith("/"):
            root = Path(unquote(parts.path))
            try:
                (root / _STAGING).mkdir(mode=0o700, parents=True, exist_ok=True)
            except OSError as error:
                raise BadConfiguration(f"the object store folder {root} cannot be made: {error}") from error
            return cls(LocalStore(root, automatic_cleanup=True), root)
        if parts.scheme == "s3" and parts.netloc:
            place = f"s3://{parts.netloc}{parts.path.rstrip('/')}"

            def connect() -> S3Store:
                return _connect(parts.netloc, parts.path.strip("/"), kms_key)

            return cls(connect(), None, url=place, renew=connect)
        raise BadConfiguration(
            f"object store URL {parts.scheme}://…: expected file:///absolute/folder or s3://bucket/prefix"
        )

    def get(self, key: str) -> bytes:
        """The object's bytes.

        Raises:
            NotFound: there is none.
            InvalidId: ``key`` cannot be one.
            Unavailable: the store does not answer.
        """
        return self._ask(key, lambda backend: bytes(obstore.get(backend, key).bytes()))

    def put(self, key: str, data: bytes, *, overwrite: bool = False, durable: bool = True) -> bool:
        """Write ``data``; False when the key exists already and was left alone.

        ``durable=False``: on a disk of ours, do not wait until it has the bytes. After a power cut the object
        may be missing or cut short, so only for what can be told to be damaged and made again.

        Raises:
            InvalidId: ``key`` cannot be one.
            Unavailable: the store does not answer, or the disk is full.
        """
        if self._root is not None:
            with _translated(check_key(key)):
                return _write(self._root, key, data, overwrite, durable)
        try:
            self._ask(
                key,
                lambda backend: obstore.put(
                    backend,
                    key,
                    data,
                    mode="overwrite" if overwrite else "create",
                    use_multipart=None if overwrite else False,  # a multipart write has no condition
                ),
            )
        except AlreadyExistsError:
            return False
        return True

    def exists(self, key: str) -> bool:
        """Whether there is an object."""
        try:
            self._ask(key, lambda backend: obstore.head(backend, key))
        except NotFound:
            return False
        return True

    def list(self, prefix: str) -> list[str]:
        """The keys below the folder ``prefix``, sorted. ``a/b`` holds ``a/b/c``, not ``a/bc``."""
        folder = check_key(prefix.removesuffix("/"))

        def entries(backend: LocalStore | S3Store) -> list[str]:
            batches = obstore.list(backend, folder)
            return sorted(str(entry["path"]) for batch in batches for entry in batch)

        return self._ask(folder, entries)

    def delete(self, key: str) -> None:
        """Remove an object; none there is fine."""
        try:
            self._ask(key, lambda backend: obstore.delete(backend, key))
        except NotFound:
            return

    def delete_prefix(self, prefix: str) -> int:
        """Remove everything below the folder ``prefix``; returns how many objects there were."""
        keys = self.list(prefix)
        for key in keys:
            self.delete(key)
        return len(keys)

    def _ask(self, key: str, act: Callable[[LocalStore | S3Store], Answer]) -> Answer:
        """``act`` on the backend, its errors as ours; once more where new credentials may help."""
        try:
            with _translated(check_key(key), self._url):
                answer = act(self._backend)
        except _StaleCredentials:
            assert self._renew is not None  # only S3 says so
            self._backend = self._renew()
            with _translated(key, self._url):
                answer = act(self._backend)
        except NotFound:
            # a missing bucket answers a HEAD request like a missing object: without a word about which it is
            self._look_for_bucket()
            raise
        self._bucket_seen = True
        return answer

    def _look_for_bucket(self) -> None:
        """Once, ask for the bucket itself.

        Raises:
            BadConfiguration: there is none.
        """
        if not self._bucket_seen:
            with _translated("", self._url):
                next(iter(obstore.list(self._backend, chunk_size=1)), None)
            self._bucket_seen = True

    def put_folder(
        self, prefix: str, folder: Path, *, before_signing: Callable[[], object] | None = None
    ) -> bool:
        """Upload the files of ``folder`` below ``prefix``; False when a complete one is there already.

        ``manifest.json`` and then ``manifest.sig`` go last: the signature is what makes the folder
        complete. No file is ever replaced: of two uploads that differ, whoever comes second to a name
        stops, so a signature never vouches for files of two attempts. ``before_signing`` is called when
        all but the signature is there, and may stop the upload by raising. What a crashed upload left
        without a signature is for the caller to remove, who knows that nobody else is at it.

        Raises:
            BadInput: ``folder`` is no folder, is empty, or holds a link.
            Conflict: an unsigned file with other content is there.
        """
        files = _files(folder)
        names = sorted(
            files, key=lambda name: (_SIGNED_LAST.index(name) if name in _SIGNED_LAST else -1, name)
        )
        keys = {name: check_key(f"{prefix.removesuffix('/')}/{name}") for name in names}
        signature = _SIGNED_LAST[-1]
        if signature in files and self.exists(keys[signature]):
            return False
        for name in names:
            if name == signature and before_signing is not None:
                before_signing()
            data = files[name].read_bytes()
            if not self.put(keys[name], data) and self.get(keys[name]) != data:
                raise Conflict(f"{keys[name]} is stored with other content by another upload; try again")
        return True

    def get_folder(self, prefix: str, folder: Path) -> Path:
        """Download everything below ``prefix`` into ``folder``; whole or not at all.

        A ``folder`` that exists is left alone. Two downloads at once are safe: one of them wins.

        Raises:
            NotFound: nothing is stored there.
        """
        if folder.is_dir():
            return folder
        root = check_key(prefix.removesuffix("/"))
        keys = self.list(root)
        if not keys:
            raise NotFound(f"nothing is stored below {root!r}")
        folder.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
        try:
            for key in keys:
                target = partial / check_key(key.removeprefix(f"{root}/"))
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(self.get(key))
            try:
                partial.rename(folder)
            except OSError:
                if not folder.is_dir():  # else somebody else was faster
                    raise
        finally:
            shutil.rmtree(partial, ignore_errors=True)
        return folder


def check_key(key: str) -> str:
    """Return ``key`` if it is a relative path of plain names.

    Raises:
        InvalidId: it is absolute, empty, has ``..`` or odd characters, or is longer than 900.
    """
    if len(key) <= 900 and all(
        _SEGMENT.fullmatch(part) and not part.endswith(".") for part in key.split("/")
    ):
        return key
    raise InvalidId(
        f"invalid object key {key!r:.120}: use names of letters, digits, '.', '_' and '-' joined by '/'"
    )


def _write(root: Path, key: str, data: bytes, overwrite: bool, durable: bool) -> bool:
    target = root / key
    if not overwrite and target.exists():
        return False
    handle, staged = tempfile.mkstemp(dir=root / _STAGING)
    try:
        with open(handle, "wb") as file:
            file.write(data)
            if durable:
                file.flush()
                os.fsync(handle)
        for attempt in range(_ATTEMPTS):
            try:
                target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            except (FileExistsError, FileNotFoundError):  # swept while mkdir looked at it
                if attempt == _ATTEMPTS - 1:
                    raise
                continue
            try:
                if overwrite:
                    os.replace(staged, target)
                else:
                    os.link(staged, target)  # fails when the name is taken, unlike rename
                break
            except FileExistsError:
                return False
            except FileNotFoundError:  # a delete beside us swept the folder while it was empty
                if attempt == _ATTEMPTS - 1:
                    raise
        if durable:
            _sync_folder(target.parent)
        return True
    finally:
        Path(staged).unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _files(folder: Path) -> dict[str, Path]:
    """Relative name -> path of the files of ``folder``; no link is followed."""
    if not folder.is_dir():
        raise BadInput(f"{folder} is not a folder")
    found: dict[str, Path] = {}
    for path in sorted(folder.rglob("*")):
        if path.is_symlink():
            raise BadInput(f"{path} is a link: only plain files are stored")
        if path.is_file():
            found[path.relative_to(folder).as_posix()] = path
    if not found:
        raise BadInput(f"{folder} is empty")
    return found


def _connect(bucket: str, prefix: str, kms_key: str | None) -> S3Store:
    config: S3Config = {}
    if kms_key is not None:
        config = {
            "server_side_encryption": "aws:kms",
            "sse_kms_key_id": kms_key,
            "sse_bucket_key_enabled": True,
        }
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    if endpoint is not None:
        config["endpoint"] = endpoint
    return S3Store(
        bucket,
        prefix=prefix or None,
        config=config,
        client_options={
            "allow_http": endpoint is not None and endpoint.startswith("http://"),
            "timeout": timedelta(minutes=10),  # of one whole request: adapters are large
            "connect_timeout": timedelta(seconds=5),
        },
        retry_config={"max_retries": 4, "retry_timeout": timedelta(seconds=30)},
    )


class _StaleCredentials(Unavailable):
    """The credentials have expired: others may be there by now."""


@contextmanager
def _translated(key: str, url: str = "") -> Iterator[None]:
    """Errors of ``obstore`` and of the disk as ours; ``url``: the store, where it is S3."""
    try:
        yield
    except FileNotFoundError as error:
        _refuse_missing_bucket(s3.cause_of(error), url, error)
        raise NotFound(f"no object {key!r}") from error
    except AlreadyExistsError:
        raise
    except BaseError as error:
        if not url:
            raise Unavailable(f"the object store failed on {key!r}: {type(error).__name__}") from error
        cause = s3.cause_of(error)
        _refuse_missing_bucket(cause, url, error)
        kind = _StaleCredentials if cause.stale_credentials else Unavailable
        raise kind(f"the object store failed on {url}/{key}: {cause}") from error
    except OSError as error:
        raise Unavailable(f"the object store failed on {key!r}: {error.strerror}") from error


def _refuse_missing_bucket(cause: s3.Cause, url: str, error: Exception) -> None:
    if cause.no_bucket:
        raise BadConfiguration(
            f"there is no bucket for {url}: make it, or check ASTRA_OBJECT_STORE_URL and AWS_REGION"
        ) from error
