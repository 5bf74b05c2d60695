"""One verified adapter of the local cache, and the lease that keeps it there while a session runs."""

from __future__ import annotations

import fcntl
import hashlib
from dataclasses import dataclass
from pathlib import Path

from astra_learn_assets.contracts import AdapterManifest
from astra_learn_assets.datasets.steady import STEADY, Steady, read_steady
from astra_learn_assets.errors import AdapterRefused

_INSTRUCTION, _INPUT = "{instruction}", "{input}"  # as in trainer/data.py; a test holds the two together


@dataclass(frozen=True)
class ServedAdapter:
    """A verified adapter on the local disk; ``path`` is a PEFT folder that nobody writes to."""

    adapter_id: str
    path: Path
    manifest: AdapterManifest

    def prompt(self, instruction: str, text: str) -> str:
        """What the model is asked, up to where its answer begins: rendered as it was trained.

        Raises:
            AdapterRefused: the manifest does not say how.
        """
        pattern = self.manifest.metrics.get("prompt")
        if not isinstance(pattern, str) or _INPUT not in pattern:
            raise AdapterRefused(f"{self.adapter_id}: its manifest has no prompt; train it again")
        before, _, after = pattern.partition(_INPUT)
        # not format(): a text may hold braces, or the other's mark
        return before.replace(_INSTRUCTION, instruction) + text + after.replace(_INSTRUCTION, instruction)

    @property
    def stop_token_ids(self) -> tuple[int, ...]:
        """The tokens at which an answer ends, of the base model's tokenizer.

        Raises:
            AdapterRefused: the manifest does not name them.
        """
        named = str(self.manifest.metrics.get("stop_token_ids", "")).split()
        if not named or not all(one.isdecimal() for one in named):
            raise AdapterRefused(f"{self.adapter_id}: its manifest names no stop tokens; train it again")
        return tuple(map(int, named))

    def read(self) -> dict[str, bytes]:
        """Every file's bytes, checked as they are in memory: what is loaded from them is what was signed.

        Raises:
            AdapterRefused: when a file is not what was signed any more.
        """
        return {name: self._checked(name) for name in sorted(self.manifest.files)}

    def steady(self) -> tuple[Steady, ...]:
        """The council's steady substitutions, for :func:`serving.answers.as_served`; there may be none.

        Raises:
            AdapterRefused: as :meth:`read`, or they are malformed.
        """
        return read_steady(self._checked(STEADY)) if STEADY in self.manifest.files else ()

    def copy_to(self, folder: Path) -> Path:
        """Write the checked bytes into ``folder``, which must be new: private to who asked for it.

        Raises:
            AdapterRefused: as :meth:`read`.
            FileExistsError: there is something at ``folder``.
        """
        content = self.read()
        folder.mkdir(mode=0o700, parents=True)
        for name, data in content.items():
            (folder / name).write_bytes(data)
        return folder

    def _checked(self, name: str) -> bytes:
        try:
            data = (self.path / name).read_bytes()
        except OSError as error:
            raise AdapterRefused(f"{self.adapter_id}: {name}: {error.strerror or error}") from None
        if hashlib.sha256(data).hexdigest() != self.manifest.files[name]:
            raise AdapterRefused(f"{self.adapter_id}: {name} is not what was signed")
        return data


class Lease:
    """A shared lock on one adapter of the cache; while any process holds one, nobody evicts it."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._file = path.open("a")
        fcntl.flock(self._file, fcntl.LOCK_SH)

    def end(self) -> None:
        """Let go; the end of the process does so as well."""
        self._file.close()

    @staticmethod
    def is_free(path: Path) -> bool:
        """Whether nobody holds a lease at ``path``."""
        try:
            with path.open("a") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except FileNotFoundError:
            return True
        return True
