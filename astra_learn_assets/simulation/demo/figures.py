"""What the demo promises and whether it held: pure, so that a promise cannot hide in the printing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from astra_learn_assets.ids import TenantId
from astra_learn_assets.simulation.demo.desk import Tally

LIVE_SECONDS = 2.0
CLEAN_BOUND = 0.01
"""Share of the words of text that is right: what the gate itself allows is twice as much."""


@dataclass(frozen=True)
class CouncilFigures:
    """One council after the loop. Rates are shares (0.08 = 8 %); None = never measured."""

    tenant_id: TenantId
    tally: Tally
    examples: int
    hostile_learned: int
    state: str
    reason: str
    adapter_id: str | None
    draft_wer: float | None
    base_wer: float | None
    adapter_wer: float | None
    dictionary_wer: float | None
    """Of the draft with the known proper nouns put right."""
    table_wer: float | None
    """Of a substitution table learned from the adapter's own corpus."""
    clean_wer: float | None
    """New errors of the adapter in the paragraphs that the clerk left alone, marks and capitals included."""

    @property
    def promoted(self) -> bool:
        """Whether its adapter is in service."""
        return self.state == "promoted" and self.adapter_id is not None

    @property
    def opponents(self) -> dict[str, float | None]:
        """What the adapter must beat, by the name in the table."""
        return {
            "draft": self.draft_wer,
            "dictionary": self.dictionary_wer,
            "table": self.table_wer,
            "base": self.base_wer,
        }

    @property
    def beats_all(self) -> bool:
        """Whether fewer words of the golden set are wrong with the adapter than with any opponent."""
        own = self.adapter_wer
        return own is not None and all(other is not None and own < other for other in self.opponents.values())

    @property
    def keeps_clean(self) -> bool:
        """Whether it leaves text alone that is right, within :data:`CLEAN_BOUND`."""
        return self.clean_wer is not None and self.clean_wer <= CLEAN_BOUND


@dataclass(frozen=True)
class Sabotage:
    """An adapter made worse on purpose: what the gate measured and said, and what is served afterwards.

    ``reference_wer``: of the champion on the same golden set.
    """

    adapter_id: str
    wer: float | None
    reference_wer: float | None
    rejected: bool
    reason: str
    still_served: str | None

    @property
    def measured_worse(self) -> bool:
        """Whether the gate saw the rise; a refusal for another reason (a small golden set) proves nothing."""
        return self.wer is not None and self.reference_wer is not None and self.wer > self.reference_wer


@dataclass(frozen=True)
class Serving:
    """What ``AdapterStore`` answered to the right tenant and to another one."""

    served: dict[str, str] = field(default_factory=dict)
    refused_to_other: bool = False
    refusal: str = ""


@dataclass(frozen=True)
class Promise:
    """One line of the closing table."""

    text: str
    kept: bool
    figure: str


def promises(
    councils: Sequence[CouncilFigures], sabotage: Sabotage | None, serving: Serving
) -> list[Promise]:
    """The promises of the demo, each with the figure that proves or refutes it."""
    readable = [seconds for council in councils for seconds in council.tally.readable_after]
    events = [seconds for council in councils for seconds in council.tally.event_after]
    lost = [line for council in councils for line in council.tally.lost]
    sent = sum(council.tally.hostile_sent for council in councils)
    kept_out = sum(council.tally.hostile_kept_out for council in councils)
    learned = sum(council.hostile_learned for council in councils)
    good = sum(council.tally.good_kept_out for council in councils)
    promoted = [council for council in councils if council.promoted]
    return [
        Promise(
            "An adapter was promoted, and each that was beats draft, dictionary, substitution table and base",
            bool(promoted) and all(council.beats_all for council in promoted),
            "; ".join(_contest(council) for council in councils),
        ),
        Promise(
            f"A promoted adapter puts at most {_percent(CLEAN_BOUND)} new errors into text that is right",
            bool(promoted) and all(council.keeps_clean for council in promoted),
            "; ".join(f"{c.tenant_id} {_percent(c.clean_wer)}" for c in promoted) or "none promoted",
        ),
        Promise(
            f"Every name fix was readable in the API within {LIVE_SECONDS:g} s",
            bool(readable) and not lost and max(readable) < LIVE_SECONDS,
            f"{len(readable)} uploads, {_spread(readable)}",
        ),
        Promise(
            f"A real subscriber received its event within {LIVE_SECONDS:g} s",
            bool(events) and not lost and max(events) < LIVE_SECONDS,
            f"{len(events)} events, {_spread(events)}",
        ),
        Promise(
            "Documents of hostile and careless editors were kept out",
            sent > 0 and kept_out == sent and learned == 0,
            f"{kept_out} of {sent}; {learned} examples learned from them; {good} good ones kept out",
        ),
        Promise(
            "An adapter made worse on purpose was rejected by wer_gate and is not served",
            sabotage is not None
            and sabotage.rejected
            and sabotage.measured_worse
            and sabotage.still_served != sabotage.adapter_id,
            f"WER {_percent(sabotage.reference_wer)} → {_percent(sabotage.wer)}: "
            f"{sabotage.reason.partition(';')[0]}"
            if sabotage
            else "not tried",
        ),
        Promise(
            "AdapterStore serves the promoted adapter",
            bool(promoted) and all(serving.served.get(c.tenant_id) == c.adapter_id for c in promoted),
            ", ".join(sorted(serving.served.values())) or "none",
        ),
        Promise("AdapterStore refuses it to the other tenant", serving.refused_to_other, serving.refusal),
    ]


def _contest(council: CouncilFigures) -> str:
    """``villaverde 3.1 % (draft 7.2 %, …)``, or why there is no adapter."""
    others = ", ".join(f"{name} {_percent(rate)}" for name, rate in council.opponents.items())
    return f"{council.tenant_id} {council.state}: {_percent(council.adapter_wer)} ({others})"


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f} %"


def _spread(seconds: Sequence[float]) -> str:
    if not seconds:
        return "none measured"
    ordered = sorted(seconds)
    return f"median {ordered[len(ordered) // 2]:.2f} s, slowest {ordered[-1]:.2f} s"
