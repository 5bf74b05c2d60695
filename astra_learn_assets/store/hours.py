"""A daily time in UTC in which something may start, such as ``22:00-06:00``. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from astra_learn_assets.errors import BadInput

_FORM = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")


@dataclass(frozen=True)
class Hours:
    """From ``start`` (included) to ``end`` (not included); over midnight when it ends before it begins."""

    start: time
    end: time

    @classmethod
    def parse(cls, text: str) -> Hours:
        """``HH:MM-HH:MM``.

        Raises:
            BadInput: it is no such time, or one that never opens.
        """
        match = _FORM.fullmatch(text.strip())
        if match is None:
            raise BadInput(f"invalid hours {text!r:.40}: use HH:MM-HH:MM in UTC, for example 22:00-06:00")
        hours = cls(time(int(match[1]), int(match[2])), time(int(match[3]), int(match[4])))
        if hours.start == hours.end:
            raise BadInput(f"the hours {text.strip()} never open: they end when they begin")
        return hours

    def opens_at(self, now: datetime) -> datetime | None:
        """When they open next; None when they are open at ``now``."""
        moment = now.astimezone(UTC)
        at = moment.time().replace(tzinfo=None)
        over_midnight = self.end < self.start
        inside = at >= self.start or at < self.end if over_midnight else self.start <= at < self.end
        if inside:
            return None
        today = datetime.combine(moment.date(), self.start, tzinfo=UTC)
        return today if today > moment else today + timedelta(days=1)

    def __str__(self) -> str:
        return f"{self.start:%H:%M}-{self.end:%H:%M}"
