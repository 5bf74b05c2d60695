"""Files named on the command line: read whole or written whole, with one clear sentence when not.

Arguments that name a file to read say ``readable=False``: else click answers in our place, with exit code 2
and without JSON, for a file that the user may not read (root never sees it).
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from astra_learn_assets.errors import BadInput

MAXIMUM_BYTES = 500_000_000


def read(path: Path, *, maximum: int = MAXIMUM_BYTES) -> bytes:
    """The bytes of ``path``.

    Raises:
        BadInput: no such file, a folder, unreadable, or longer than ``maximum``.
    """
    require(path)
    try:
        size = path.stat().st_size
        if size > maximum:
            raise BadInput(f"{path} has {size:,} bytes: at most {maximum:,} are read")
        return path.read_bytes()
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror or error}") from None


def require(path: Path) -> None:
    """Check that ``path`` is a file that can be opened.

    Raises:
        BadInput: no such file, a folder, or unreadable.
    """
    try:
        if path.is_dir():
            raise BadInput(f"{path} is a folder: name a file")
        with path.open("rb"):
            return
    except FileNotFoundError:
        raise BadInput(f"{path}: no such file") from None
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror or error}") from None
    except ValueError:
        raise BadInput(f"{str(path)!r} is not a file name") from None


def write(path: Path, data: bytes) -> None:
    """Write ``data`` to ``path`` through a temporary name, so that it is never there by half.

    Raises:
        BadInput: the folder is missing or not writable, or ``path`` is a folder.
    """
    if path.is_dir():
        raise BadInput(f"{path} is a folder: name a file")
    temporary: str | None = None
    try:
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(temporary, 0o666 & ~mask)
        os.replace(temporary, path)
    except OSError as error:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)
        raise BadInput(f"{path} cannot be written: {error.strerror or error}") from None
