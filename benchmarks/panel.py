"""How long do the status API and the panel take when a municipality has a very long history?

    python -m benchmarks.panel            # 200 requests an address
    python -m benchmarks.panel --quick    # 20; exits 1 when an address takes 150 ms or more at p95

One municipality has all of it: 10,000 trainings, 1,000,000 examples, 100,000 documents and their privacy
scans, 10,000 names with 20,000 changes; a hundred others have 100,000 examples more. A real Postgres, the API
as a process of its own with one worker, one request after the other over HTTP. Every address that is read is
asked, first pages and deep ones. The evidence of privacy (``privacy/report``) reads every standing file and
is no status: it is measured and not bound. Of a CSV the time to its first byte is bound; it is a stream.

Beside the time that passed stands the time that the API and Postgres were on a processor for it: on a machine
that others use as well, the first tells of them and the second of us. The last line names the load.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np
import sqlalchemy as sa

from astra_learn_assets.ids import TenantId
from astra_learn_assets.learning import masking
from astra_learn_assets.platform import Platform
from astra_learn_assets.services.embedded import embedded, export_env
from astra_learn_assets.services.stack import free_port
from astra_learn_assets.settings import Settings
from astra_learn_assets.store import api_keys
from benchmarks.scale_load import World

TOWN = "town-0007"
BOUND_MS = 150.0
TRAININGS, EXAMPLES, DOCUMENTS, NAMES = 10_000, 1_000_000, 100_000, 10_000
_FILL = {
    "examples": """
        INSERT INTO examples (tenant_id, example_id, document_id, route, created_at)
        SELECT :town, md5('b' || n) || md5('c' || n), 'b-' || n / 10, 1 + n % 2,
            now() - n * interval '90 seconds'
        FROM generate_series(1, :examples) AS n
    """,
    "drafts": """
        INSERT INTO artifacts (tenant_id, artifact_id, session_id, version, kind, uri, sha256, created_at)
        SELECT :town, 'd-' || n, 's', 1, 'generated', 'x', md5('d' || n),
            now() - (:documents - n) * interval '15 minutes'
        FROM generate_series(1, :documents) AS n
    """,
    "finals": """
        INSERT INTO artifacts
            (tenant_id, artifact_id, session_id, version, kind, uri, sha256, prepared, created_at)
        SELECT :town, 'b-' || n, 's', 1, 'final', 'x', md5('b' || n), true,
            now() - (:documents - n) * interval '15 minutes'
        FROM generate_series(1, :documents) AS n
    """,
    "documents": """
        INSERT INTO documents (tenant_id, document_id, artifact_id, state, reason, diff_sha256, pairs_sha256,
            pii_policy, approved, metrics, created_at)
        SELECT :town, 'b-' || n, 'b-' || n,
            CASE WHEN n % 50 = 0 THEN 'quarantined' ELSE 'anonymized' END,
            CASE WHEN n % 50 = 0 THEN 'El documento tiene demasiados cambios.' END,
            md5(n::text) || md5(n::text), md5(n::text) || md5(n::text),
            :policy, CASE WHEN n % 50 = 0 THEN NULL ELSE true END,
            jsonb_build_object('wer', 0.02 + (n % 90) / 1000.0, 'examples', n % 20, 'blocks', 300),
            now() - (:documents - n) * interval '15 minutes'
        FROM generate_series(1, :documents) AS n
    """,
    "tallies": """
        INSERT INTO document_tallies
        SELECT tenant_id, date_trunc('month', timezone('UTC', created_at)), state, count(*),
            COALESCE(sum(corrections), 0), count(corrected), COALESCE(sum(corrected), 0),
            COALESCE(sum(corrected * corrected), 0)
        FROM documents GROUP BY 1, 2, 3
    """,
    "trainings": """
        INSERT INTO training_runs (run_id, tenant_id, attempt, through_seq, state, dataset_hash, reason,
            metrics, created_at, finished_at)
        SELECT :town || '-b-' || n, :town, 1, n,
            (ARRAY['promoted', 'rejected', 'rejected', 'failed'])[1 + n % 4],
            md5('d' || n) || md5('h' || n), 'word errors rose',
            jsonb_build_object('examples', 500, 'golden_hash', md5('g'),
                'wer', (SELECT jsonb_object_agg('figure_' || k, 0.5) FROM generate_series(1, 110) k)
                    || jsonb_build_object('candidate_wer', 0.02 + (n % 400) / 10000.0, 'candidate_cer', 0.01,
                        'champion_wer', 0.05, 'draft_wer', 0.12, 'vs_draft_low', -9.5, 'vs_draft_high', -6.0,
                        'words', 5840, 'outcome', 'reject', 'reason_es', 'Suben los errores.')),
            now() - (:trainings - n) * interval '2 hours', now() - (:trainings - n) * interval '2 hours'
        FROM generate_series(1, :trainings) AS n
    """,
    "newest training": """
        UPDATE training_runs SET through_seq = (SELECT max(seq) - 300 FROM examples WHERE tenant_id = :town)
        WHERE run_id = :town || '-b-' || (:trainings - 3)
    """,
    "scans": """
        INSERT INTO gate_verdicts (tenant_id, gate, digest, passed, reason, details, created_at)
        SELECT :town, 'pii_gate', md5(n::text) || md5(n::text), n % 90 > 0, 'clean',
            jsonb_build_object('lines', 40, 'masked.PERSONA', n % 60, 'masked.TELEFONO', n % 5),
            now() - n * interval '15 minutes'
        FROM generate_series(1, :documents) AS n
    """,
    "names": """
        INSERT INTO entities_dictionary (tenant_id, version, entries)
        SELECT :town, 2 * :names, jsonb_object_agg('nombre ' || n, jsonb_build_object('wrong', 'Nombre ' || n,
            'right', 'Nómbre ' || n, 'kind', 'person', 'source_document', 'b-' || n,
            'author', 'marta (key-1)', 'created_at', now())) FROM generate_series(1, :names) AS n
    """,
    "changes": """
        INSERT INTO dictionary_history (tenant_id, version, key, action, entry, created_at)
        SELECT :town, n, 'nombre ' || n, 'added', jsonb_build_object('wrong', 'Nombre ' || n, 'right',
            'Nómbre ' || n, 'kind', 'person', 'author', 'marta (key-1)'), now() - n * interval '1 hour'
        FROM generate_series(1, 2 * :names) AS n
    """,
    "audit lines": """
        INSERT INTO audit_log (tenant_id, actor, action, target, outcome)
        SELECT :town, 'marta (key-1)', 'final.submit', 'b-' || n, 'done'
        FROM generate_series(1, :documents) AS n
    """,
    "counts": """
        INSERT INTO example_counts (tenant_id, usable, golden, route, examples)
        SELECT tenant_id, usable, golden, route, count(*) FROM examples GROUP BY 1, 2, 3, 4
        ON CONFLICT (tenant_id, usable, golden, route) DO UPDATE SET examples = excluded.examples
    """,
    "log": """
        INSERT INTO training_lines (run_id, step, tenant_id, entry)
        SELECT :town || '-b-' || :trainings, n, :town,
            jsonb_build_object('step', n, 'steps', 2000, 'loss', 0.5)
        FROM generate_series(1, 2000) AS n
    """,
}


@dataclass(frozen=True)
class Measured:
    """One address in milliseconds: passed, on a processor; and whether it is bound."""

    name: str
    p50: float
    p95: float
    worst: float
    cpu: float
    cpu95: float
    kilobytes: float
    bound: bool

    @property
    def broken(self) -> bool:
        return self.bound and self.p95 >= BOUND_MS


@dataclass(frozen=True)
class Processor:
    """How long the API and every process of Postgres have been on a processor (Linux)."""

    api: int
    postmaster: int

    def seconds(self) -> float:
        running = sum(map(_on_processor, [self.api, *_children(self.postmaster)]))
        # helpers of a query that have ended since are counted with who began them, in hundredths
        ended = Path(f"/proc/{self.postmaster}/stat").read_text().rpartition(")")[2].split()
        return running + (int(ended[13]) + int(ended[14])) / os.sysconf("SC_CLK_TCK")


def _children(pid: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _on_processor(pid: int) -> float:
    """Seconds of a process, its threads that have ended included: Linux' clock of that process."""
    try:
        return time.clock_gettime((~pid << 3) | 2)
    except OSError:  # it has just ended
        return 0.0


def fill(platform: Platform, share: float) -> None:
    """The long history, by SQL; then statistics, as a database that has grown has them."""
    world = World(platform, 100)
    world.grow_to(100_000)
    sizes = {"examples": EXAMPLES, "documents": DOCUMENTS, "trainings": TRAININGS, "names": NAMES}
    values: dict[str, object] = {name: int(share * number) for name, number in sizes.items()}
    values["town"] = TOWN
    values["policy"] = masking.policy_of(platform, TenantId(TOWN)).fingerprint
    for what, statement in _FILL.items():
        began = time.perf_counter()
        with platform.database.session() as session:
            session.execute(sa.text("SET LOCAL session_replication_role = replica"))
            wanted = {name: value for name, value in values.items() if f":{name}" in statement}
            session.execute(sa.text(statement), wanted)
        print(f"  {what}: {time.perf_counter() - began:.1f} s", file=sys.stderr, flush=True)
    with platform.database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("VACUUM ANALYZE"))


@contextmanager
def served(settings: Settings, log: Path) -> Iterator[tuple[str, int]]:
    """The API with one worker, as it is run: its address and its process."""
    port = free_port(0)
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("ASTRA_")},
        **export_env(settings.model_copy(update={"api_compare_processes": 0, "api_rate_per_second": 10_000})),
    }
    command = [sys.executable, "-m", "uvicorn", "--factory", "astra_learn_assets.api.app:create_app"]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, "--port", str(port), "--no-access-log"],
            env=environment, stdout=output, stderr=subprocess.STDOUT,
        )  # fmt: skip
    address = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 120
        while True:
            try:
                httpx.get(f"{address}/healthz")
                break
            except httpx.HTTPError:
                if time.monotonic() > deadline or process.poll() is not None:
                    raise
                time.sleep(0.2)
        yield address, process.pid
    finally:
        process.terminate()
        process.wait(timeout=60)


def addresses(client: httpx.Client, trainings: int) -> dict[str, tuple[str, bool]]:
    """What is asked: name to (path, bound). Deep pages are those behind the first ones."""
    api, panel, run = f"/v1/tenants/{TOWN}", f"/panel/{TOWN}", f"{TOWN}-b-{trainings}"
    newest = client.get(f"{api}/learning/trainings?limit=1000").json()["next_cursor"]
    deep = client.get(f"{api}/learning/trainings?sort=oldest&limit=1000").json()["next_cursor"]
    best = client.get(f"{api}/learning/trainings?sort=best&limit=1000").json()["next_cursor"]
    kept = client.get(f"{api}/quarantine?limit=500").json()["next_cursor"]
    changes = client.get(f"{api}/dictionary/history?limit=1000").json()["next_cursor"]
    return {
        "status": (f"{api}/learning/status", True),
        "decision": (f"{api}/learning/decision", True),
        "uploads": (f"{api}/learning/uploads", True),
        "trainings": (f"{api}/learning/trainings", True),
        "trainings, page 11": (f"{api}/learning/trainings?cursor={newest}", True),
        "trainings, oldest, page 11": (f"{api}/learning/trainings?sort=oldest&cursor={deep}", True),
        "trainings, promoted": (f"{api}/learning/trainings?state=promoted", True),
        "trainings, best": (f"{api}/learning/trainings?sort=best", True),
        "trainings, best, page 11": (f"{api}/learning/trainings?sort=best&cursor={best}", True),
        "one training": (f"{api}/learning/trainings/{run}", True),
        "its log, 2,000 lines": (f"{api}/learning/trainings/{run}/logs", True),
        "metrics, a year": (f"{api}/learning/metrics", True),
        "metrics, ten years": (f"{api}/learning/metrics?days=3650", True),
        "privacy": (f"{api}/privacy", True),
        "quarantine": (f"{api}/quarantine", True),
        **({"quarantine, page 6": (f"{api}/quarantine?cursor={kept}", True)} if kept else {}),
        "dictionary, 10,000 names": (f"{api}/dictionary", True),
        "dictionary history": (f"{api}/dictionary/history", True),
        "dictionary history, page 11": (f"{api}/dictionary/history?cursor={changes}", True),
        "tenancy": (f"{api}/tenancy", True),
        "panel": (panel, True),
        "panel, trainings": (f"{panel}/trainings", True),
        "panel, one training": (f"{panel}/trainings/{run}", True),
        "panel, examples": (f"{panel}/examples", True),
        "panel, dictionary": (f"{panel}/dictionary", True),
        "panel, quarantine": (f"{panel}/quarantine", True),
        "panel, blocklist": (f"{panel}/blocklist", True),
        "panel, privacy": (f"{panel}/privacy", True),
        "CSV of trainings, first byte": (f"{api}/exports/trainings.csv", True),
        "CSV of quarantine, first byte": (f"{api}/exports/quarantine.csv", True),
        "CSV of dictionary, first byte": (f"{api}/exports/dictionary.csv", True),
        "CSV of history, first byte": (f"{api}/exports/dictionary-history.csv", True),
        "CSV of trainings, whole": (f"{api}/exports/trainings.csv", False),
        "privacy evidence": (f"{api}/privacy/report", False),
    }


def measure(
    client: httpx.Client, name: str, path: str, processor: Processor, *, bound: bool, requests: int
) -> Measured:
    """Ask ``path`` so many times; what is not bound is asked once."""
    taken, worked, size = [], [], 0
    warm = 3 if bound else 0
    for number in range(requests + warm if bound else 1):
        before, began = processor.seconds(), time.perf_counter()
        with client.stream("GET", path) as answer:
            assert answer.status_code == 200, (path, answer.status_code)
            if name.endswith("first byte"):
                next(answer.iter_bytes())
            else:
                size = sum(len(piece) for piece in answer.iter_bytes())
            ended = time.perf_counter()
        if number >= warm:  # the first ones fill caches, as of any process that has just started
            taken.append(1_000 * (ended - began))
            worked.append(1_000 * (processor.seconds() - before))
    p50, p95 = np.percentile(taken, [50, 95])
    cpu95 = float(np.percentile(worked, 95))
    found = Measured(
        name, float(p50), float(p95), max(taken), float(np.mean(worked)), cpu95, size / 1_000, bound
    )
    print(f"  {name}: p95 {p95:.0f} ms, processor {found.cpu:.0f} ms", file=sys.stderr, flush=True)
    return found


def _postmaster(home: Path) -> int:
    """The process of the embedded Postgres."""
    file = next(home.rglob("postmaster.pid"))
    return int(file.read_text().splitlines()[0])


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="20 requests an address")
    parser.add_argument("--share", type=float, default=1.0, help="of the history, to try the program")
    parser.add_argument("--only", help="addresses whose name has this in it")
    arguments = parser.parse_args()
    requests, before = 20 if arguments.quick else 200, os.getloadavg()
    with (
        tempfile.TemporaryDirectory(prefix="astra-panel-") as work,
        embedded(Settings(home=Path(work, "home")), durable=False) as settings,
    ):
        with Platform.open(settings) as platform:
            fill(platform, arguments.share)
            with platform.database.session() as session:
                _, key = api_keys.issue(session, tenant_id=TOWN, role="admin", label="bench")
        headers = {"Authorization": f"Bearer {key}"}
        with (
            served(settings, Path(work, "api.log")) as (address, pid),
            httpx.Client(base_url=address, headers=headers, timeout=900) as client,
        ):
            processor = Processor(pid, _postmaster(Path(work, "home")))
            found = [
                measure(client, name, path, processor, bound=bound, requests=requests)
                for name, (path, bound) in addresses(client, int(arguments.share * TRAININGS)).items()
                if arguments.only is None or arguments.only in name
            ]
    head = ("p50 ms", "p95 ms", "max ms", "cpu ms", "cpu p95", "kB")
    print(f"{'address':32} " + " ".join(f"{name:>8}" for name in head))
    for one in found:
        mark = "  BROKEN" if one.broken else "" if one.bound else "  (not bound)"
        row = (one.p50, one.p95, one.worst, one.cpu, one.cpu95, one.kilobytes)
        print(f"{one.name:32} " + " ".join(f"{value:8.1f}" for value in row) + mark)
    broken = [one.name for one in found if one.broken]
    ours = [one.name for one in found if one.bound and one.cpu95 >= BOUND_MS]
    bound = sum(one.bound for one in found)
    print(
        f"bound: p95 below {BOUND_MS:.0f} ms; of {bound} broken {len(broken)} by the clock, {len(ours)} on a "
        f"processor; load {before[0]:.1f} before, {os.getloadavg()[0]:.1f} after, on {os.cpu_count()} cores"
    )
    return 1 if broken else 0


if __name__ == "__main__":
    raise SystemExit(main())
