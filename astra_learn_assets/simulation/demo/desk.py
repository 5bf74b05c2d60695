"""The Builder and the clerk of one council, over HTTP: drafts in, finals in, and how fast a fix is live."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass, field

import httpx
import redis

from astra_learn_assets.ids import TenantId
from astra_learn_assets.simulation.council.simulator import Council, SimulatedSession
from astra_learn_assets.store.outbox import CHANNEL_DICTIONARY

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_WAIT_SECONDS = 10.0


class EventLog:
    """A real Redis subscriber: remembers when each dictionary version of each tenant was announced."""

    def __init__(self, redis_url: str) -> None:
        self._client = redis.Redis.from_url(redis_url, decode_responses=True)  # its end closes the socket
        self._pubsub = self._client.pubsub()  # type: ignore[no-untyped-call]
        self._pubsub.subscribe(CHANNEL_DICTIONARY)
        self._seen: dict[tuple[str, int], float] = {}
        self._news = threading.Condition()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._stop = threading.Event()
        self._thread.start()

    def wait(self, tenant_id: TenantId, version: int, timeout: float) -> float | None:
        """When (monotonic seconds) ``version`` or a later one of the tenant was announced, else None."""
        deadline = time.monotonic() + timeout
        with self._news:
            while (found := self._first(tenant_id, version)) is None:
                left = deadline - time.monotonic()
                if left <= 0:
                    return None
                self._news.wait(left)
            return found

    def close(self) -> None:
        """Stop listening."""
        self._stop.set()
        self._thread.join(timeout=5)
        self._pubsub.close()

    def _first(self, tenant_id: TenantId, version: int) -> float | None:
        times = [at for (tenant, seen), at in self._seen.items() if tenant == tenant_id and seen >= version]
        return min(times, default=None)

    def _listen(self) -> None:
        while not self._stop.is_set():
            message = self._pubsub.get_message(ignore_subscribe_messages=True, timeout=0.5)
            if message is None:
                continue
            event = json.loads(message["data"])
            with self._news:
                self._seen.setdefault((event["tenant_id"], event["version"]), time.monotonic())
                self._news.notify_all()


@dataclass
class Tally:
    """What one council's uploads came to; times in seconds from the start of the upload."""

    uploaded: int = 0
    drafts: int = 0
    name_fixes: int = 0
    hostile_sent: int = 0
    hostile_kept_out: int = 0
    good_kept_out: int = 0
    readable_after: list[float] = field(default_factory=list)
    event_after: list[float] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    done: bool = False
    error: str | None = None


@dataclass
class ClerkDesk:
    """Submits the sessions of one council, one after the other, in a thread of its own."""

    council: Council
    sessions: int
    api_url: str
    builder_key: str
    clerk_keys: tuple[str, ...]
    """Of the clerks who take turns: what one alone rewords is not believed."""
    events: EventLog
    tally: Tally = field(default_factory=Tally)
    version: int = 0
    """The newest dictionary version this desk has made."""

    def run(self) -> None:
        """Submit every session; an unexpected answer ends the desk and is kept in the tally."""
        try:
            with httpx.Client(base_url=self.api_url, timeout=60) as client:
                for index in range(self.sessions):
                    key = self.clerk_keys[index % len(self.clerk_keys)]
                    self._submit(client, self.council.session(index), key)
        except (httpx.HTTPError, KeyError) as error:
            self.tally.error = f"{type(error).__name__}: {error}"
        finally:
            self.tally.done = True

    def _submit(self, client: httpx.Client, session: SimulatedSession, clerk_key: str) -> None:
        tally, tenant = self.tally, self.council.tenant_id
        place = f"/v1/tenants/{tenant}/sessions/{session.session_id}/versions/{session.version}"
        form = {"roster": json.dumps(list(self.council.roster), ensure_ascii=False)}
        if session.cloned_from is not None:
            form["cloned_from"] = session.cloned_from
        files = {
            "docx": ("draft.docx", session.draft_docx, DOCX),
            "manifest": ("draft.json", session.manifest.model_dump_json().encode(), "application/json"),
        }
        builder = {"Authorization": f"Bearer {self.builder_key}"}
        client.put(f"{place}/draft", data=form, files=files, headers=builder).raise_for_status()
        tally.drafts += 1

        clerk = {"Authorization": f"Bearer {clerk_key}"}
        started = time.monotonic()
        answer = client.post(
            f"{place}/final", content=session.final_docx, headers={**clerk, "Content-Type": DOCX}
        )
        tally.uploaded += 1
        hostile = session.truth.expected_quarantine or session.truth.expected_refusal
        tally.hostile_sent += hostile
        if answer.status_code in (413, 422):
            tally.hostile_kept_out += hostile
            tally.good_kept_out += not hostile
            return
        answer.raise_for_status()
        summary = answer.json()
        if summary["quarantined"] is not None:
            tally.hostile_kept_out += hostile
            tally.good_kept_out += not hostile
            return
        live = summary["entities_live"]
        if live and summary["dictionary_version"] > self.version:
            self.version = summary["dictionary_version"]
            tally.name_fixes += len(live)
            self._time_the_fix(client, clerk, live[0]["wrong"], self.version, started)

    def _time_the_fix(
        self, client: httpx.Client, clerk: dict[str, str], wrong: str, version: int, started: float
    ) -> None:
        """How long until another reader sees the fix in the API, and until the event arrived."""
        tenant = self.council.tenant_id
        deadline = started + _WAIT_SECONDS
        while time.monotonic() < deadline:
            answer = client.get(f"/v1/tenants/{tenant}/dictionary", headers=clerk)
            answer.raise_for_status()
            if any(entry["wrong"] == wrong for entry in answer.json()["entries"]):
                self.tally.readable_after.append(time.monotonic() - started)
                break
        else:
            self.tally.lost.append(f"a fix of {tenant} is not readable after {_WAIT_SECONDS:.0f} s")
        arrived = self.events.wait(tenant, version, _WAIT_SECONDS)
        if arrived is None:
            self.tally.lost.append(f"version {version} of {tenant} was never announced")
        else:
            self.tally.event_after.append(max(0.0, arrived - started))
