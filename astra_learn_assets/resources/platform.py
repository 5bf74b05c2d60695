"""The platform (database, object store, vault, Redis) as a Dagster resource."""

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from astra_learn_assets.platform import Platform
from astra_learn_assets.resources import worker_mark
from astra_learn_assets.resources.queue_guard import refuse_bypass
from astra_learn_assets.settings import get_settings


class PlatformResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Opens a :class:`Platform` from the process's settings; where that points is environment."""

    def setup_for_execution(self, context: dg.InitResourceContext) -> None:
        """Refuse a run that came past the queue (:func:`refuse_bypass`); mark its process as alive."""
        if context.instance is not None and context.run is not None:
            refuse_bypass(context.instance, context.run.tags)
            if worker_mark.is_asked_for(context.instance):
                worker_mark.hold(context.run.run_id)

    @contextmanager
    def open(self) -> Iterator[Platform]:
        """The open platform, closed at the end of the ``with`` block."""
        with Platform.open(get_settings()) as platform:
            yield platform
