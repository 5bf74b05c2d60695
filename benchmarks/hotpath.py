"""How fast a clerk's name fix is live: upload of the final -> readable in the API and event received.

    astra-learn dev                                   # in one terminal
    python benchmarks/hotpath.py --clerks 16 --seconds 60 --blocks 200

Every clerk owns a session with a real DOCX draft. Again and again it puts one more misheard name right,
uploads the final, reads the dictionary's changes until the fix is there, and waits for the event on the
``DICTIONARY_UPDATED`` channel. Nothing is mocked and no upload is a repetition. ``visible`` is the moment
at which both the API and the subscriber have the fix. By default nobody thinks: the next upload begins when
the last one is visible (``--pause`` says otherwise). The files are made before the clock starts, and the
clients are plain sockets, because on a small machine the load tool takes its share of the same cores.

The municipalities of the run are made through the store of ``ASTRA_HOME`` (that of ``astra-learn dev``),
with names that begin with ``bench-``. Bounded by ``--seconds`` and ``--uploads``. Exit code 0 when there
was no error and p99 is below ``--limit``.
"""

from __future__ import annotations

import argparse
import http.client
import io
import itertools
import json
import random
import re
import sys
import threading
import time
import uuid
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit
from xml.sax.saxutils import escape

import docx
import redis
from rapidfuzz import process
from rapidfuzz.distance import OSA

from astra_learn_assets.comparator.docx.chunk_ids import mint_chunk_id, write_chunk_id, write_document_id
from astra_learn_assets.errors import AstraError
from astra_learn_assets.platform import Platform
from astra_learn_assets.settings import get_settings
from astra_learn_assets.store import api_keys, tenants
from astra_learn_assets.store.outbox import CHANNEL_DICTIONARY

WAIT_SECONDS = 10.0
_UPLOADS_PER_SECOND = 40  # more than two cores have ever done: so many files are made beforehand
_SILENT_SECONDS = 3.0
_BODY = "word/document.xml"
_DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_PHRASES = (
    "expone el estado de las obras de la plaza y pide que se publique el calendario",
    "pregunta por el presupuesto del alumbrado y por los plazos de la licitación",
    "defiende la moción sobre el transporte escolar y agradece el trabajo del personal",
    "recuerda el acuerdo de la comisión y solicita el informe de la intervención",
    "responde que el pliego está en redacción y que se dará cuenta en la próxima sesión",
    "propone aplazar el punto hasta que se reciba el informe del servicio técnico",
    "explica las alegaciones presentadas y la respuesta que se propone a cada una",
    "pide que conste en acta su agradecimiento a las asociaciones del municipio",
)
_CONSONANTS, _VOWELS = "bdglmnrt", "aeio"
_APART = 4  # two names differ in more letters than these
_SWAPS = (("b", "v"), ("l", "r"), ("m", "n"), ("d", "t"), ("r", "l"), ("t", "d"))


@dataclass(frozen=True)
class Draft:
    """A draft of ``names`` blocks, each with one misheard name, as files."""

    session_id: str
    data: bytes
    manifest: bytes
    names: list[tuple[str, str]]

    def finals(self) -> Iterator[tuple[bytes, str]]:
        """One final after another, each with one more name put right, and that name."""
        rest, xml = _taken_apart(self.data)
        for wrong, right in self.names:
            xml = re.sub(rf"\b{re.escape(wrong)}\b", escape(right), xml)
            out = io.BytesIO(rest)
            with zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED, compresslevel=1) as target:
                target.writestr(_BODY, xml)
            yield out.getvalue(), right


@dataclass
class Figures:
    """What the clerks measured; seconds."""

    answered: list[float] = field(default_factory=list)
    readable: list[float] = field(default_factory=list)
    received: list[float] = field(default_factory=list)
    visible: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


class Listener(threading.Thread):
    """A subscriber that tracks versions per tenant, as CORE does."""

    def __init__(self, url: str) -> None:
        super().__init__(daemon=True)
        self._client = redis.Redis.from_url(url, decode_responses=True)
        self._pubsub = self._client.pubsub(ignore_subscribe_messages=True)
        self._pubsub.subscribe(CHANNEL_DICTIONARY)
        self._versions: dict[str, int] = {}
        self._news = threading.Condition()
        self.out_of_order = 0
        self._ending = threading.Event()

    def run(self) -> None:
        while not self._ending.is_set():
            try:
                message = self._pubsub.get_message(timeout=0.2)
            except redis.RedisError:  # somebody tries what happens: it subscribes again when Redis is back
                time.sleep(0.05)
                continue
            if message is None:
                continue
            event = json.loads(message["data"])
            with self._news:
                last = self._versions.get(event["tenant_id"], 0)
                if event["version"] < last:
                    self.out_of_order += 1
                self._versions[event["tenant_id"]] = max(last, event["version"])
                self._news.notify_all()

    def wait_for(self, tenant_id: str, version: int, timeout: float) -> bool:
        """Wait until an event of ``version`` or later of ``tenant_id`` has come."""
        with self._news:
            return self._news.wait_for(lambda: self._versions.get(tenant_id, 0) >= version, timeout)

    def stop(self) -> None:
        """End the thread."""
        self._ending.set()
        self.join()
        self._pubsub.close()
        self._client.close()


def invent_names(rng: random.Random) -> Iterator[tuple[str, str]]:
    """Invented surnames, misheard and right; no two nearly alike, whoever takes them.

    What sounds nearly like a name of another clerk's finals would rightly wait for a second voice.
    """
    known: list[str] = []
    while True:
        right = "".join(rng.choice(_CONSONANTS) + rng.choice(_VOWELS) for _ in range(6)).capitalize()
        swap = next(((old, new) for old, new in _SWAPS if old in right[1:]), None)
        if swap is None:
            continue
        wrong = right[0] + right[1:].replace(*swap, 1)
        if process.extractOne(right, known, scorer=OSA.distance, score_cutoff=_APART) is None:
            known += (wrong, right)
            yield wrong, right


def make_draft(session_id: str, names: list[tuple[str, str]], rng: random.Random) -> Draft:
    """A DOCX of a paragraph with chunk id for each name, and its manifest."""
    document_id = f"doc-{session_id}"
    document = docx.Document()
    write_document_id(document, document_id)
    chunks = []
    for index, (wrong, _) in enumerate(names):
        text = f"En el turno {index + 1}, don {wrong} {rng.choice(_PHRASES)}; {rng.choice(_PHRASES)}."
        chunk_id = mint_chunk_id(document_id, index)
        write_chunk_id(document.add_paragraph(text)._p, chunk_id, bookmark_id=index + 1)
        chunks.append(
            {
                "chunk_id": chunk_id,
                "audio_uri": f"s3://audio/{session_id}.opus",
                "start_ms": index * 10_000,
                "end_ms": index * 10_000 + 9_000,
                "asr_text": text,
                "status": "OK",
            }
        )
    out = io.BytesIO()
    document.save(out)
    manifest = {"document_id": document_id, "session_id": session_id, "version": 1, "chunks": chunks}
    return Draft(session_id, out.getvalue(), json.dumps(manifest).encode(), names)


def _taken_apart(data: bytes) -> tuple[bytes, str]:
    """The DOCX without its body, and the body; so only the body is packed anew for each final."""
    rest = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source:
        with zipfile.ZipFile(rest, "w", zipfile.ZIP_DEFLATED) as target:
            for name in source.namelist():
                if name != _BODY:
                    target.writestr(name, source.read(name))
        return rest.getvalue(), source.read(_BODY).decode()


class Client:
    """One connection that stays open, as a browser's does; cheaper than a full HTTP library."""

    def __init__(self, url: str, key: str) -> None:
        parts = urlsplit(url)
        self._connection = http.client.HTTPConnection(parts.netloc, timeout=WAIT_SECONDS)
        self._headers = {"Authorization": f"Bearer {key}"}
        self._used = 0.0

    def send(self, method: str, path: str, body: bytes | None = None, kind: str = _DOCX) -> tuple[int, Any]:
        """Status and JSON of the answer."""
        if time.monotonic() - self._used > _SILENT_SECONDS:
            self._connection.close()  # the server does so after five; it opens again by itself
        headers = self._headers if body is None else {**self._headers, "Content-Type": kind}
        self._connection.request(method, path, body, headers)
        answer = self._connection.getresponse()
        content = json.loads(answer.read())
        self._used = time.monotonic()
        return answer.status, content

    def close(self) -> None:
        """Hang up."""
        self._connection.close()


@dataclass
class Clerk:
    """One clerk, its connection, and the drafts it will correct, all registered before the clock starts."""

    number: int
    tenant_id: str
    client: Client
    arguments: argparse.Namespace
    figures: Figures
    names: Iterator[tuple[str, str]]
    rng: random.Random = field(init=False)
    uploads: list[tuple[str, bytes, str]] = field(default_factory=list)
    drafts: int = 0

    def __post_init__(self) -> None:
        self.rng = random.Random(f"{self.arguments.seed}/{self.number}")

    def prepare(self, count: int) -> None:
        """Register drafts and make ``count`` more finals of them.

        Raises:
            SystemExit: a draft is not taken.
        """
        while count > 0:
            session_id = f"bench-{self.number}-{self.drafts}"
            names = list(itertools.islice(self.names, self.arguments.blocks))
            draft = make_draft(session_id, names, self.rng)
            self.drafts += 1
            status, answer = self.client.send(
                "PUT", self.place(session_id, "draft"), *_form(docx=draft.data, manifest=draft.manifest)
            )
            if status != 200:
                sys.exit(f"error: draft {status} {answer}")
            made = [(session_id, data, right) for data, right in itertools.islice(draft.finals(), count)]
            self.uploads += made
            count -= len(made)

    def place(self, session_id: str, what: str) -> str:
        """The path of a session's draft or final."""
        return f"/v1/tenants/{self.tenant_id}/sessions/{session_id}/versions/1/{what}"

    def work(self, listener: Listener, until: float) -> None:
        """Upload, wait until the name is live, think; again until the time is up or the files are."""
        time.sleep(self.rng.uniform(0, self.arguments.pause))
        for session_id, final, right in self.uploads:
            if time.monotonic() >= until:
                return
            self._upload(listener, self.place(session_id, "final"), final, right)
            time.sleep(self.rng.uniform(0, 2 * self.arguments.pause))

    def _upload(self, listener: Listener, place: str, final: bytes, right: str) -> None:
        figures, started = self.figures, time.perf_counter()
        try:
            status, answer = self.client.send("POST", place, final)
            answered = time.perf_counter() - started
            if status != 200:
                figures.errors.append(f"{status} {answer.get('code')}")
                return
            version = answer["dictionary_version"]
            readable = self._wait_readable(version, right, started)
            arrived = listener.wait_for(self.tenant_id, version, WAIT_SECONDS)
            received = time.perf_counter() - started
        except (http.client.HTTPException, OSError) as error:
            figures.errors.append(type(error).__name__)
            self.client.close()
            return
        if readable is None or not arrived:
            figures.errors.append("not readable" if readable is None else "no event")
            return
        figures.answered.append(answered)
        figures.readable.append(readable)
        figures.received.append(received)
        figures.visible.append(max(readable, received))

    def _wait_readable(self, version: int, right: str, started: float) -> float | None:
        path = f"/v1/tenants/{self.tenant_id}/dictionary/changes?since={max(0, version - 1)}"
        while time.perf_counter() - started < WAIT_SECONDS:
            status, answer = self.client.send("GET", path)
            if status != 200:
                return None
            if any(change["entry"] and change["entry"].get("right") == right for change in answer["changes"]):
                return time.perf_counter() - started
            time.sleep(0.01)
        return None


def _form(**files: bytes) -> tuple[bytes, str]:
    """A multipart form of ``files`` and its content type."""
    boundary = uuid.uuid4().hex
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="{name}"\r\n\r\n'.encode()
        + data
        + b"\r\n"
        for name, data in files.items()
    ]
    return b"".join(parts) + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"


def percentile(values: list[float], share: float) -> float:
    """The smallest value that ``share`` of ``values`` do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, round(share * len(ordered) + 0.5) - 1))]


def report(figures: Figures, seconds: float, arguments: argparse.Namespace, listener: Listener) -> int:
    """Print the figures; the exit code."""
    print(
        f"{arguments.clerks} clerks, {min(arguments.tenants, arguments.clerks)} municipalities, "
        f"drafts of {arguments.blocks} blocks, think time {arguments.pause:g} s"
    )
    print(f"{'milliseconds':<14}{'p50':>9}{'p95':>9}{'p99':>9}{'max':>9}")
    for name in ("answered", "readable", "received", "visible"):
        values = getattr(figures, name)
        if values:
            shown = [percentile(values, share) * 1000 for share in (0.5, 0.95, 0.99, 1.0)]
            print(f"{name:<14}" + "".join(f"{value:9.0f}" for value in shown))
    count = len(figures.visible)
    print(f"{count} uploads in {seconds:.1f} s: {count / seconds:.1f}/s")
    print(
        f"errors: {len(figures.errors)} {sorted(set(figures.errors))}; "
        f"events out of order: {listener.out_of_order}"
    )
    good = count > 0 and not figures.errors and not listener.out_of_order
    if good and percentile(figures.visible, 0.99) >= arguments.limit:
        print(f"p99 is not below {arguments.limit} s")
        good = False
    return 0 if good else 1


def parse(argv: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    settings = get_settings()
    parser.add_argument("--url", default=f"http://{settings.api_host}:{settings.api_port}")
    parser.add_argument("--clerks", type=int, default=16)
    parser.add_argument(
        "--tenants", type=int, default=4, help="clerks are spread over so many municipalities"
    )
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--uploads", type=int, default=10_000, help="at most so many per clerk")
    parser.add_argument("--blocks", type=int, default=200, help="paragraphs of a draft, 50 to 500")
    parser.add_argument(
        "--pause", type=float, default=0.0, help="mean seconds a clerk thinks between two uploads"
    )
    parser.add_argument("--limit", type=float, default=2.0, help="seconds p99 must stay below")
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args(argv)
    if not (1 <= arguments.clerks <= 256 and arguments.tenants >= 1 and 2 <= arguments.blocks <= 2000):
        parser.error("clerks 1 to 256, tenants from 1, blocks 2 to 2000")
    if arguments.seconds > 3600:
        parser.error("at most 3600 seconds")
    return arguments


def main() -> int:
    """Set up municipalities and keys, let the clerks work, report."""
    arguments = parse()
    run = uuid.uuid4().hex[:8]
    names = [f"bench-{run}-{index}" for index in range(min(arguments.tenants, arguments.clerks))]
    keys: dict[int, str] = {}
    with Platform.open(get_settings()) as platform:
        for index, name in enumerate(names):
            with platform.database.session() as session:
                tenants.create(
                    session,
                    name,
                    display_name="Benchmark",
                    country="es",
                    wrapped_key=platform.vault.new_tenant_key(),
                )
                for number in range(index, arguments.clerks, len(names)):
                    label = f"clerk {number}"
                    keys[number] = api_keys.issue(session, tenant_id=name, role="admin", label=label)[1]
        redis_url = platform.settings.redis_url
        assert redis_url is not None
        listener = Listener(redis_url)
    listener.start()
    figures = Figures()
    invented = invent_names(random.Random(arguments.seed))
    clerks = [
        Clerk(
            number,
            names[number % len(names)],
            Client(arguments.url, keys[number]),
            arguments,
            figures,
            invented,
        )
        for number in range(arguments.clerks)
    ]
    each = min(arguments.uploads, 1 + int(arguments.seconds * _UPLOADS_PER_SECOND / arguments.clerks))
    for clerk in clerks:
        clerk.prepare(each)
    cores, started = time.process_time(), time.monotonic()
    threads = [
        threading.Thread(target=clerk.work, args=(listener, started + arguments.seconds)) for clerk in clerks
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds, cores = time.monotonic() - started, time.process_time() - cores
    listener.stop()
    print(f"the load tool itself took {cores:.1f} s of processor time")
    return report(figures, seconds, arguments, listener)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except AstraError as problem:
        sys.exit(f"error: {problem}")
