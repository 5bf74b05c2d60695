"""The files of :mod:`benchmarks.attacks` as a clerk sends them over HTTP and as the graph meets them."""

from __future__ import annotations

import contextlib
import hashlib
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from fastapi.testclient import TestClient

from astra_learn_assets.api.app import create_app
from astra_learn_assets.contracts import Manifest
from astra_learn_assets.hotpath.workers import CompareWorkers
from astra_learn_assets.ids import TenantId
from astra_learn_assets.learning.compare import compare_waiting_finals
from astra_learn_assets.platform import Platform
from astra_learn_assets.services.embedded import embedded
from astra_learn_assets.settings import Settings
from astra_learn_assets.store import api_keys, artifacts, documents, paths, tenants
from astra_learn_assets_tests.comparator.packages import p, package

TENANT = TenantId("villaverde")
PATIENCE = 900.0  # seconds of the clock on a machine with other work; what is told is processor time
_DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_SMALL = package(p("Se abre la sesión."))

Files = tuple[bytes, bytes]
OfProcess = Callable[[int], float]


def forget_peak(pid: int) -> None:
    """From now on a process's peak (VmHWM) is that of the file to come, not of all before it."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


@dataclass
class House:
    """A platform with one municipality, its API in this process, and one worker for each way in."""

    platform: Platform
    client: TestClient
    key: dict[str, str]
    workers: CompareWorkers
    graph: CompareWorkers
    seconds_of: OfProcess
    peak_of: OfProcess

    def __post_init__(self) -> None:
        self._numbers = count(1)
        self.by_api((_SMALL, _SMALL))  # what is loaded once is not the first file's
        self.by_graph((_SMALL, _SMALL))

    def by_api(self, files: Files) -> tuple[str, float, int]:
        """Draft and final over HTTP: what came of it, seconds of API and worker, the worker's peak in MB."""
        session = f"s-{next(self._numbers)}"
        place = f"/v1/tenants/{TENANT}/sessions/{session}/versions/1"
        manifest = Manifest(document_id="d", session_id=session, version=1, chunks=())
        return self._cost(self.workers, lambda: self._send(place, files, manifest))

    def _send(self, place: str, files: Files, manifest: Manifest) -> str:
        sent = {
            "docx": ("draft.docx", files[0], _DOCX),
            "manifest": ("draft.json", manifest.model_dump_json().encode(), "application/json"),
        }
        answer = self.client.put(f"{place}/draft", files=sent, headers=self.key)
        if answer.is_success:
            headers = {**self.key, "Content-Type": _DOCX}
            answer = self.client.post(f"{place}/final", content=files[1], headers=headers)
        return "compared" if answer.is_success else str(answer.json().get("reason") or answer.json()["code"])

    def by_graph(self, files: Files) -> tuple[str, float, int]:
        """The stage of ``document_diffs`` over a final that nobody has compared, in a worker of its own.

        The draft is stored unread: as one of before drafts were read when they came.
        """
        session = f"g-{next(self._numbers)}"
        manifest = (
            Manifest(document_id="d", session_id=session, version=1, chunks=()).model_dump_json().encode()
        )
        draft = paths.draft_docx(TENANT, session, 1)
        final = paths.final_docx(TENANT, session, 1, hashlib.sha256(files[1]).hexdigest())
        vault = self.platform.vault
        vault.write(TENANT, draft, files[0])
        vault.write(TENANT, paths.manifest_of(draft), manifest)
        vault.write(TENANT, final, files[1])
        with self.platform.database.session() as database:
            artifacts.register_session(
                database, TENANT, session_id=session, version=1, cloned_from=None, roster=[]
            )
            for kind, key, data in (("generated", draft, files[0]), ("final", final, files[1])):
                artifacts.add_artifact(
                    database,
                    TENANT,
                    session_id=session,
                    version=1,
                    kind=kind,
                    uri=key,
                    sha256=hashlib.sha256(data).hexdigest(),
                    uploaded_by="bench",
                    manifest_sha256=hashlib.sha256(manifest).hexdigest() if kind == "generated" else None,
                )

        def stage() -> str:
            compare_waiting_finals(self.platform, TENANT, compare=self.graph)
            with self.platform.database.session() as database:
                (row,) = (r for r in documents.listing(database, TENANT) if session in r.document_id)
                return "compared" if row.diff_sha256 else "refused"

        return self._cost(self.graph, stage)

    def _cost(self, workers: CompareWorkers, work: Callable[[], str]) -> tuple[str, float, int]:
        before = {pid: self.seconds_of(pid) for pid in workers.pids()}
        for pid in before:
            forget_peak(pid)
        own = time.process_time()
        result = work()
        seconds = time.process_time() - own
        lost = set(before) - set(workers.pids())  # it took too long and was ended
        seconds += len(lost) * workers.seconds
        seconds += sum(self.seconds_of(pid) - before.get(pid, 0.0) for pid in workers.pids())
        return result, seconds, int(max(map(self.peak_of, workers.pids()), default=0))


@contextlib.contextmanager
def house(seconds_of: OfProcess, peak_of: OfProcess) -> Iterator[House]:
    """Embedded services in a temporary folder; ``seconds_of`` and ``peak_of`` ask a process by its id."""
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="astra-attacks-"))
        bare = Settings(home=Path(folder, "home"), _env_file=None)  # type: ignore[call-arg]
        settings = stack.enter_context(embedded(bare, durable=False))
        platform = stack.enter_context(Platform.open(settings))
        with platform.database.session() as session:
            tenants.create(
                session,
                TENANT,
                display_name="Villaverde",
                country="es",
                wrapped_key=platform.vault.new_tenant_key(),
            )
            _, key = api_keys.issue(session, tenant_id=TENANT, role="admin", label="bench")
        opened = stack.enter_context(Platform.open(settings, for_api=True))
        app = create_app(platform=opened)
        workers = stack.enter_context(contextlib.closing(CompareWorkers(1, seconds=PATIENCE)))
        app.state.astra.compare = workers
        client = stack.enter_context(TestClient(app, raise_server_exceptions=False))
        graph = stack.enter_context(contextlib.closing(CompareWorkers(1, seconds=PATIENCE)))
        headers = {"Authorization": f"Bearer {key}"}
        yield House(platform, client, headers, workers, graph, seconds_of, peak_of)
