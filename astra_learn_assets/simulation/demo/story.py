"""The story of the demo, in the order it happens. Every step goes through the real parts."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console
from rich.live import Live

from astra_learn_assets.datasets import jsonl
from astra_learn_assets.errors import AdapterRefused, AstraError, BadConfiguration, Unavailable
from astra_learn_assets.ids import TenantId
from astra_learn_assets.learning.training import progress
from astra_learn_assets.platform import Platform
from astra_learn_assets.registry.keys import verify_key
from astra_learn_assets.services import membership
from astra_learn_assets.services.dev import announce, wait_for_end
from astra_learn_assets.services.stack import Stack, free_port, running_stack
from astra_learn_assets.serving.adapter_store import AdapterStore
from astra_learn_assets.settings import Settings, remember
from astra_learn_assets.simulation import substitutions
from astra_learn_assets.simulation.council.simulator import Council, make_council
from astra_learn_assets.simulation.demo import sabotage, view
from astra_learn_assets.simulation.demo.desk import ClerkDesk, EventLog
from astra_learn_assets.simulation.demo.figures import CouncilFigures, Sabotage, Serving, promises
from astra_learn_assets.store import (
    api_keys,
    artifacts,
    documents,
    examples,
    paths,
    signs,
    tenants,
    trainings,
)
from astra_learn_assets.store.tables import TrainingRun

COUNCILS = ("villaverde", "rio-claro")
STILL_SECONDS = 900  # without a step, a document or a verdict: a training that moves is waited for
_ENDED = ("promoted", "rejected", "failed")
# What may be empty names a place or a key outside, and the demo touches nothing outside: a setting that a
# later release adds is left out as well, unless it is named here.
_KEPT = frozenset({"base_revision", "trainer_python", "replay_file", "ner_model", "commit_hash"})
OUTSIDE = tuple(
    name for name, field in Settings.model_fields.items() if field.default is None and name not in _KEPT
)


@dataclass(frozen=True)
class Options:
    """What the command line may change."""

    sessions: int = 40
    seed: int = 7
    exit_when_done: bool = False


def run_demo(settings: Settings, options: Options, console: Console | None = None) -> bool:
    """Run the closed loop on two sample councils; True when every promise held.

    Raises:
        Unavailable: when a part of the platform does not start, or ends.
        BadConfiguration: when another demo runs in the same home.
    """
    console = console or Console()
    started = time.monotonic()
    console.print("Starting Postgres, Redis, API, Dagster…")
    with (
        nothing_from_outside(),
        running_stack(_demo_settings(settings, options)) as stack,
        Platform.open(stack.settings) as platform,
    ):
        announce(stack, console)
        councils = [make_council(TenantId(name), seed=options.seed) for name in COUNCILS]
        desks, events = _open_desks(stack, platform, councils, options)
        try:
            _watch_the_loop(stack, platform, desks, console)
        finally:
            events.close()
        figures = [_figures(platform, desk) for desk in desks]
        with console.status("Training an adapter that is worse on purpose…"):
            worse = _sabotage(stack, platform, figures)
        serving = _serving(platform, figures)
        kept = promises(figures, worse, serving)
        console.print(view.closing_table(figures, kept, seconds=time.monotonic() - started))
        held = all(promise.kept for promise in kept)
        console.print(
            "Every promise held." if held else "Not every promise held; see the table and the logs."
        )
        if not options.exit_when_done:
            announce(stack, console)
            wait_for_end(stack, console)
    return held


@contextmanager
def nothing_from_outside() -> Iterator[None]:
    """Take production's places and keys out of what the demo's processes inherit, ``.env`` included."""
    before = {name: os.environ.get(name) for name in (f"ASTRA_{field.upper()}" for field in OUTSIDE)}
    os.environ.update(dict.fromkeys(before, "none"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _demo_settings(settings: Settings, options: Options) -> Settings:
    """The embedded defaults in a fresh home of their own, with thresholds that fit two small councils."""
    home = settings.home_path / "demo"
    if home.exists():
        if membership.servers(home):
            raise BadConfiguration(f"a demo is running already in {home}; end it first")
        before = home.with_name(f"{home.name}.before")  # its logs may be what somebody is looking for
        shutil.rmtree(before, ignore_errors=True)
        home.rename(before)
    learnable = max(20, options.sessions * 6)
    small = {
        "sensor_interval_seconds": 10,
        "golden_maximum_examples": min(settings.golden_maximum_examples, 240),
        "train_threshold": min(settings.train_threshold, learnable),
        "train_minimum": min(settings.train_minimum, learnable),
        "corpus_minimum": min(settings.corpus_minimum, learnable // 2),  # some pairs nobody confirms
        "epochs": 3.0,  # half the passes of the recipe: two trainings in ten minutes on two cores
    }
    remember(home, small)
    return settings.model_copy(
        update={
            **dict.fromkeys(OUTSIDE),
            "home": home,
            "api_port": free_port(settings.api_port, settings.api_host),
            "dagster_port": free_port(settings.dagster_port, settings.api_host),
            **small,
        }
    )


def _open_desks(
    stack: Stack, platform: Platform, councils: list[Council], options: Options
) -> tuple[list[ClerkDesk], EventLog]:
    """Make tenants and keys as ``astra-learn tenant add`` and ``key issue`` do; start the clerks."""
    redis_url = stack.settings.redis_url
    if redis_url is None:
        raise Unavailable("the embedded Redis has no URL")
    events = EventLog(redis_url)
    desks = []
    with platform.database.session() as session:
        _, builder_key = api_keys.issue(session, tenant_id=None, role="platform", label="demo builder")
        for council in councils:
            tenants.create(
                session,
                council.tenant_id,
                display_name=council.display_name,
                country=council.country,
                wrapped_key=platform.vault.new_tenant_key(),
            )
            clerk_keys = tuple(
                api_keys.issue(session, tenant_id=council.tenant_id, role="editor", label=label)[1]
                for label in ("demo clerk", "demo colleague")
            )
            desks.append(ClerkDesk(council, options.sessions, stack.api_url, builder_key, clerk_keys, events))
    for desk in desks:
        threading.Thread(target=desk.run, name=f"clerk-{desk.council.tenant_id}", daemon=True).start()
    return desks, events


def _watch_the_loop(stack: Stack, platform: Platform, desks: list[ClerkDesk], console: Console) -> None:
    """Show progress until every council has a finished training; the daemon does the work.

    Raises:
        Unavailable: when a part ends again and again, a clerk cannot go on, or nothing has changed for a
        long time.
    """
    changed, last = time.monotonic(), ""
    screen = view.Progress(console)
    with Live(console=console, refresh_per_second=4, transient=False) as live:
        while time.monotonic() - changed < STILL_SECONDS:
            for told in stack.mend():
                console.print(told, markup=False)
            states = [_state(platform, desk) for desk in desks]
            live.update(screen.table(states))
            if (now := repr(states)) != last:
                changed, last = time.monotonic(), now
            broken = [desk.tally.error for desk in desks if desk.tally.error]
            if broken:
                raise Unavailable(f"a clerk could not go on: {broken[0]}")
            if all(state.finished for state in states):
                return
            time.sleep(1.0)
    home = stack.settings.home_path
    raise Unavailable(
        f"nothing has changed for {STILL_SECONDS // 60} minutes; see {home / 'logs'}, and "
        f"'astra-learn dev --home {home}' goes on from here"
    )


def _state(platform: Platform, desk: ClerkDesk) -> view.CouncilState:
    tenant = desk.council.tenant_id
    with platform.database.session() as session:
        rows = trainings.listing(session, tenant, limit=1)
        sign = progress.shown(signs.of_training(session, rows[0].run_id)) if rows else None
        pending = examples.pending(session, tenant)
        known = documents.listing(session, tenant)
        waiting = artifacts.finals_without_document(session, tenant)
    newest = rows[0] if rows else None
    return view.CouncilState(
        tenant_id=tenant,
        sessions=desk.sessions,
        tally=desk.tally,
        anonymized=sum(row.state == "anonymized" for row in known),
        quarantined=sum(row.state == "quarantined" for row in known),
        waiting=len(waiting),
        pending=pending.count,
        threshold=platform.settings.train_threshold,
        training=None if newest is None else view.words(newest.state, sign),
        moved_at=None if sign is None else sign.moved_at,
        reason=(newest.reason or "") if newest else "",
        finished=desk.tally.done and newest is not None and newest.state in _ENDED,
    )


def _figures(platform: Platform, desk: ClerkDesk) -> CouncilFigures:
    tenant = desk.council.tenant_id
    hostile = {
        (simulated.session_id, simulated.version)
        for index in range(desk.sessions)
        if desk.council.is_hostile(index) and (simulated := desk.council.session(index))
    }
    with platform.database.session() as session:
        ended = [row for row in trainings.listing(session, tenant, limit=20) if row.state in _ENDED]
        best = next((row for row in ended if row.state == "promoted"), ended[0])
        usable = examples.usable(session, tenant)
        from_hostile = 0
        for document_id in {row.document_id for row in usable}:
            final = artifacts.get_artifact(session, tenant, document_id)
            if (final.session_id, final.version) in hostile:
                from_hostile += sum(row.document_id == document_id for row in usable)
    wer = best.metrics.get("wer", {})
    return CouncilFigures(
        tenant_id=tenant,
        tally=desk.tally,
        examples=len(usable),
        hostile_learned=from_hostile,
        state=best.state,
        reason=best.reason or "",
        adapter_id=best.adapter_id,
        draft_wer=wer.get("draft_wer"),
        base_wer=wer.get("base_wer"),
        adapter_wer=wer.get("candidate_wer"),
        dictionary_wer=wer.get("dictionary_wer"),
        table_wer=_table_wer(platform, tenant, best),
        clean_wer=wer.get("candidate_clean"),
    )


def _table_wer(platform: Platform, tenant: TenantId, training: TrainingRun) -> float | None:
    """What a substitution table of the same corpus reaches on the same golden set; None without either."""
    golden_hash = training.metrics.get("golden_hash")
    if training.dataset_hash is None or golden_hash is None:
        return None
    corpus = platform.vault.read(tenant, paths.corpus(tenant, training.dataset_hash))
    golden = platform.vault.read(tenant, paths.golden(tenant, golden_hash))
    return substitutions.error_rate(jsonl.load(corpus), jsonl.load(golden))


def _sabotage(stack: Stack, platform: Platform, figures: list[CouncilFigures]) -> Sabotage | None:
    promoted = next((council for council in figures if council.promoted), None)
    if promoted is None:
        return None
    return sabotage.try_worse_adapter(stack, platform, promoted.tenant_id)


def _serving(platform: Platform, figures: list[CouncilFigures]) -> Serving:
    """Serve as CORE does; then offer one tenant's adapter to the other, as a mix-up would."""
    store = AdapterStore(
        platform.objects,
        verify_key=verify_key(platform.settings),
        cache_dir=platform.settings.home_path / "core-cache",
        max_bytes=platform.settings.adapter_cache_bytes,
        redis=platform.redis,
    )
    served: dict[str, str] = {}
    for council in figures:
        try:
            served[council.tenant_id] = store.current(council.tenant_id).adapter_id
        except AstraError:
            continue
    owner = next((council for council in figures if council.promoted), None)
    if owner is None:
        return Serving(served)
    other = next(council.tenant_id for council in figures if council.tenant_id != owner.tenant_id)
    try:
        store.load(other, str(owner.adapter_id))
    except AdapterRefused as error:
        return Serving(served, refused_to_other=True, refusal=str(error))
    return Serving(served, refusal=f"{other} was given {owner.adapter_id}")
