"""How fast a clerk's name fix is live: upload of the final -> readable in the API and event received.

    astra-learn dev                                   # in one terminal
    python benchmarks/hotpath.py --clerks 16 --seconds 60 --blocks 200

Every clerk owns a session with a real DOCX draft. Again and again it puts one more misheard name right,
uploads the final, reads the dictionary's changes until the fix is there, and waits for the event on the
``DICTIONARY_UPDATED`` channel. Nothing is mocked and no upload is a repetition. ``visible`` is the moment
at which both the API and the subscriber have the fix.

The municipalities of the run are made through the store of ``ASTRA_HOME`` (that of ``astra-learn dev``),
with names that begin with ``bench-``. Bounded by ``--seconds`` and ``--uploads``. Exit code 0 when there
was no error and p99 is below ``--limit``.
"""

from __future__ import annotations

import argparse
import io
import json
import random
import re
import sys
import threading
import time
import uuid
import zipfile
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

import docx
import httpx
import redis

from astra_learn_assets.comparator.chunk_ids import mint_chunk_id, write_chunk_id, write_document_id
from astra_learn_assets.errors import AstraError
from astra_learn_assets.platform import Platform
from astra_learn_assets.settings import get_settings
from astra_learn_assets.store import api_keys, tenants
from astra_learn_assets.store.outbox import CHANNEL_DICTIONARY

WAIT_SECONDS = 10.0
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
_SWAPS = (("b", "v"), ("l", "r"), ("m", "n"), ("d", "t"), ("r", "l"), ("t", "d"))


@dataclass(frozen=True)
class Draft:
    """A draft of ``names`` blocks, each with one misheard name, as files and as XML to edit."""

    session_id: str
    data: bytes
    manifest: bytes
    names: list[tuple[str, str]]


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
            message = self._pubsub.get_message(timeout=0.2)
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


def invent_names(count: int, rng: random.Random) -> list[tuple[str, str]]:
    """``count`` invented surnames, misheard and right; no two alike."""
    names: dict[str, str] = {}
    while len(names) < count:
        right = "".join(rng.choice(_CONSONANTS) + rng.choice(_VOWELS) for _ in range(4)).capitalize()
        swap = next(((old, new) for old, new in _SWAPS if old in right[1:]), None)
        if swap is None:
            continue
        wrong = right[0] + right[1:].replace(*swap, 1)
        if wrong not in names and right not in names and wrong not in names.values():
            names[wrong] = right
    return list(names.items())


def make_draft(session_id: str, blocks: int, rng: random.Random) -> Draft:
    """A DOCX of ``blocks`` paragraphs with chunk ids, and its manifest."""
    document_id = f"doc-{session_id}"
    names = invent_names(blocks, rng)
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


def put_right(data: bytes, wrong: str, right: str) -> bytes:
    """The DOCX with the whole word ``wrong`` replaced; packed quickly: a clerk's machine is not ours."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as source,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as target,
    ):
        for item in source.infolist():
            content = source.read(item)
            if item.filename == "word/document.xml":
                text = content.decode()
                content = re.sub(rf"\b{re.escape(wrong)}\b", escape(right), text).encode()
            target.writestr(item.filename, content)
    return out.getvalue()


@dataclass
class Clerk:
    """One clerk, its key, and the draft it corrects first, registered before the clock starts."""

    number: int
    tenant_id: str
    key: str
    arguments: argparse.Namespace
    figures: Figures
    rng: random.Random = field(init=False)
    draft: Draft = field(init=False)
    rounds: int = 0

    def __post_init__(self) -> None:
        self.rng = random.Random(f"{self.arguments.seed}/{self.number}")

    def client(self) -> httpx.Client:
        """A connection of its own."""
        headers = {"Authorization": f"Bearer {self.key}"}
        return httpx.Client(base_url=self.arguments.url, headers=headers, timeout=WAIT_SECONDS)

    def prepare(self, client: httpx.Client) -> bool:
        """Make and register the next draft; False, and an error noted, when it is not taken."""
        self.draft = make_draft(f"bench-{self.number}-{self.rounds}", self.arguments.blocks, self.rng)
        self.rounds += 1
        answer = client.put(
            f"/v1/tenants/{self.tenant_id}/sessions/{self.draft.session_id}/versions/1/draft",
            files={
                "docx": ("draft.docx", self.draft.data, _DOCX),
                "manifest": ("draft.json", self.draft.manifest),
            },
        )
        if answer.status_code != 200:
            self.figures.errors.append(f"draft {answer.status_code}")
        return answer.status_code == 200

    def work(self, listener: Listener, until: float) -> None:
        """Put one more name right, upload, wait until it is live, breathe; again until the time is up."""
        arguments, done = self.arguments, 0
        path = f"/v1/tenants/{self.tenant_id}"
        with self.client() as client:
            time.sleep(self.rng.uniform(0, arguments.pause))  # clerks do not begin in the same instant
            while True:
                final = self.draft.data
                for wrong, right in self.draft.names:
                    if time.monotonic() >= until or done >= arguments.uploads:
                        return
                    final = put_right(final, wrong, right)
                    _one_upload(
                        client, path, self.draft, final, right, self.tenant_id, listener, self.figures
                    )
                    done += 1
                    time.sleep(self.rng.uniform(0, 2 * arguments.pause))
                if not self.prepare(client):
                    return


def _one_upload(
    client: httpx.Client,
    path: str,
    draft: Draft,
    final: bytes,
    right: str,
    tenant_id: str,
    listener: Listener,
    figures: Figures,
) -> None:
    started = time.perf_counter()
    try:
        answer = client.post(
            f"{path}/sessions/{draft.session_id}/versions/1/final",
            content=final,
            headers={"Content-Type": _DOCX},
        )
        answered = time.perf_counter() - started
        if answer.status_code != 200:
            figures.errors.append(f"{answer.status_code} {answer.json().get('code')}")
            return
        version = answer.json()["dictionary_version"]
        readable = _wait_readable(client, path, version, right, started)
        arrived = listener.wait_for(tenant_id, version, WAIT_SECONDS)
        received = time.perf_counter() - started
    except httpx.HTTPError as error:
        figures.errors.append(type(error).__name__)
        return
    if readable is None or not arrived:
        figures.errors.append("not readable" if readable is None else "no event")
        return
    figures.answered.append(answered)
    figures.readable.append(readable)
    figures.received.append(received)
    figures.visible.append(max(readable, received))


def _wait_readable(client: httpx.Client, path: str, version: int, right: str, started: float) -> float | None:
    while time.perf_counter() - started < WAIT_SECONDS:
        answer = client.get(f"{path}/dictionary/changes", params={"since": max(0, version - 1)})
        if answer.status_code != 200:
            return None
        if any(change["entry"] and change["entry"]["right"] == right for change in answer.json()["changes"]):
            return time.perf_counter() - started
        time.sleep(0.01)
    return None


def percentile(values: list[float], share: float) -> float:
    """The smallest value that ``share`` of ``values`` do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, round(share * len(ordered) + 0.5) - 1))]


def report(figures: Figures, seconds: float, arguments: argparse.Namespace, listener: Listener) -> int:
    """Print the figures; the exit code."""
    print(
        f"{arguments.clerks} clerks, {arguments.tenants} municipalities, drafts of {arguments.blocks} blocks"
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
        "--pause", type=float, default=1.0, help="mean seconds between two uploads of a clerk; 0 saturates"
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
    clerks = [
        Clerk(number, names[number % len(names)], keys[number], arguments, figures)
        for number in range(arguments.clerks)
    ]
    for clerk in clerks:
        with clerk.client() as client:
            if not clerk.prepare(client):
                sys.exit(f"error: {figures.errors}")
    started = time.monotonic()
    threads = [
        threading.Thread(target=clerk.work, args=(listener, started + arguments.seconds)) for clerk in clerks
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.monotonic() - started
    listener.stop()
    return report(figures, seconds, arguments, listener)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except AstraError as problem:
        sys.exit(f"error: {problem}")
