"""One comparison as data, so that it can be done here or in a process of its own.

``python -m astra_learn_assets.hotpath.comparison_process BYTES`` is such a process: it reads jobs from
standard input and writes answers to standard output, each a pickle behind its length, with at most BYTES of
memory. Both ends are this module and the pipe is private, so pickle is safe here.
"""

from __future__ import annotations

import gc
import json
import pickle
import resource
import struct
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType, TracebackType
from typing import IO, Any

from astra_learn_assets.comparator import diff_file, engine
from astra_learn_assets.comparator.docx.reader import read_document
from astra_learn_assets.comparator.names.given_names import NOBODY_KNOWN, KnownPeople
from astra_learn_assets.contracts import Delta
from astra_learn_assets.errors import AstraError, BadManifest, UploadRefused, where
from astra_learn_assets.hotpath import prepared
from astra_learn_assets.hotpath.written_names import names_in
from astra_learn_assets.settings import UPLOAD_MAX_BYTES

_LENGTH = struct.Struct(">Q")
_TOO_COMPLEX = (
    "El documento es demasiado complejo para compararlo. Divídalo o quite tablas y formatos "
    "innecesarios y súbalo de nuevo."
)


@dataclass(frozen=True)
class Comparison:
    """Everything a comparison needs. ``draft``: prepared (``prepared.dump``), or as it was sent."""

    draft: bytes | prepared.RawDraft
    final: bytes
    generated_id: str
    final_id: str
    dictionary: Mapping[str, str] | None
    confidence_minimum: float
    people: KnownPeople = NOBODY_KNOWN
    upload_max_bytes: int = UPLOAD_MAX_BYTES


@dataclass(frozen=True)
class Compared:
    """What came out: ``delta`` without its blocks (they are many), ``diff`` the whole as :mod:`diff_file`,
    ``names``: the names that stand in the final (:mod:`written_names`)."""

    delta: Delta
    diff: bytes
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Refused:
    """A refusal on its way back; exceptions with arguments of their own do not survive pickling."""

    kind: str
    reason: str
    message: str

    def error(self) -> AstraError:
        """The exception it stands for."""
        if self.kind == "manifest":
            return BadManifest(self.message)
        return UploadRefused(self.reason, self.message)


TOO_COMPLEX = Refused("upload", "too_complex", _TOO_COMPLEX)


def compare_here(job: Comparison) -> Compared:
    """Compare in this process.

    Raises:
        UploadRefused, BadManifest.
    """
    if isinstance(job.draft, prepared.RawDraft):
        draft = prepared.prepare(job.draft, max_bytes=job.upload_max_bytes)
    else:
        draft = prepared.load(job.draft)
    known = {chunk.chunk_id for chunk in draft.manifest.chunks}
    final = read_document(job.final, known_ids=known, max_bytes=job.upload_max_bytes)
    delta = engine.compare_documents(
        draft.document,
        final,
        generated_id=job.generated_id,
        final_id=job.final_id,
        manifest=draft.manifest,
        dictionary=job.dictionary,
        people=job.people,
        confidence_minimum=job.confidence_minimum,
    )
    names = names_in(block.text for block in final.blocks) if delta.quarantined is None else ()
    return Compared(delta.model_copy(update={"blocks": ()}), diff_file.encode(delta), names)


def answer(job: Comparison) -> Compared | Refused:
    """:func:`compare_here` with every refusal as a value."""
    try:
        return compare_here(job)
    except UploadRefused as error:
        return Refused("upload", error.reason, str(error))
    except BadManifest as error:
        return Refused("manifest", "", str(error))
    except (MemoryError, RecursionError):
        return TOO_COMPLEX


def send(stream: IO[bytes], value: Any) -> None:
    """Write one value."""
    data = pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL)
    stream.write(_LENGTH.pack(len(data)))
    stream.write(data)
    stream.flush()


def receive(stream: IO[bytes]) -> Any:
    """Read one value.

    Raises:
        EOFError: the other end is gone, also in the middle of a value.
    """
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        raise EOFError
    (length,) = _LENGTH.unpack(head)
    data = stream.read(length)
    if len(data) < length:
        raise EOFError
    return pickle.loads(data)


def _tell_of_a_crash(_kind: type[BaseException], error: BaseException, _trace: TracebackType | None) -> None:
    """One log line by type and place: an exception's message may quote the document."""
    line = {"event": "comparison worker failed", "error": type(error).__name__, "where": where(error)}
    sys.stderr.write(json.dumps(line) + "\n")


class WithoutPandas(MetaPathFinder):
    """Says that pandas is not installed. pyarrow loads it with its first array to ask whether that is one of
    its own; here only lists go in, so it would cost each worker a second and 60 MB for nothing."""

    def find_spec(
        self, fullname: str, _path: Sequence[str] | None, _target: ModuleType | None = None, /
    ) -> ModuleSpec | None:
        """Nothing but a refusal of that one name."""
        if fullname == "pandas":
            raise ModuleNotFoundError(name=fullname)
        return None


def serve(memory_bytes: int) -> None:
    """Answer jobs until standard input ends."""
    sys.excepthook = _tell_of_a_crash
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    jobs, answers = sys.stdin.buffer, sys.stdout.buffer
    sys.stdout = sys.stderr  # whatever a library prints must not get between two answers
    sys.meta_path.insert(0, WithoutPandas())
    frozen = False
    while True:
        try:
            job = receive(jobs)
        except EOFError:
            return
        send(answers, answer(job))
        if not frozen:  # modules and word lists are loaded now: looking through them again and again is a
            gc.collect()  # tenth of a comparison
            gc.freeze()
            frozen = True


if __name__ == "__main__":
    # as a module of its own name, so that what is pickled is found again on the other side
    from astra_learn_assets.hotpath import comparison_process

    comparison_process.serve(int(sys.argv[1]))
