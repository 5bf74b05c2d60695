"""Spans, and how one trace crosses hours and processes: as a ``traceparent`` in the rows.

::

    with tracing.span(settings, "compare", parent=final.trace, tenant_id=tenant_id):
        ...

An upload begins a trace and writes its ``traceparent`` (W3C Trace Context) into the final's row. Preparing
goes on with it, document by document. A training learns from many uploads and can be part of one trace only:
it goes on with the upload of its newest example, the one that completed what it was started for
(``training_runs.trace``).

Without ``ASTRA_TRACES_URL`` nothing is loaded, no id is made and a span costs a comparison. Attributes are
ids and counts; an error is noted by its class, for a message could hold text of a document. A collector that
is away costs nobody anything but its spans.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, Protocol, TypeVar

from astra_learn_assets import bounded
from astra_learn_assets.settings import Settings

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import TracerProvider

SERVICE = "astra-learn"
_TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-0[01]")
_FLUSH_SECONDS = 3.0

Attribute = str | int | float | bool
P = ParamSpec("P")
R = TypeVar("R")


class HasSettings(Protocol):
    """What a use case is called with first: the platform."""

    settings: Settings


@contextmanager
def span(
    settings: Settings,
    name: str,
    *,
    parent: str | None = None,
    **attributes: Attribute | None,
) -> Iterator[None]:
    """A span around the block: of ``parent`` (a ``traceparent``), else of the span that is open, else a new
    trace. Attributes that are None are left out."""
    if settings.traces_url is None:
        yield
        return
    from opentelemetry import trace

    known = {f"astra.{key}": value for key, value in attributes.items() if value is not None}
    tracer = trace.get_tracer(SERVICE, tracer_provider=_provider(settings.traces_url))
    with tracer.start_as_current_span(
        name,
        context=_context(parent),
        attributes=known,
        record_exception=False,
        set_status_on_exception=False,
    ) as opened:
        try:
            yield
        except BaseException as error:
            opened.set_status(trace.StatusCode.ERROR, type(error).__name__)
            raise


def traced(
    name: str,
) -> Callable[[Callable[Concatenate[Any, P], R]], Callable[Concatenate[Any, P], R]]:
    """A function of the platform as one span; ``tenant_id`` and ``request_id`` are its attributes."""

    def around(use_case: Callable[Concatenate[Any, P], R]) -> Callable[Concatenate[Any, P], R]:
        @functools.wraps(use_case)
        def in_span(platform: HasSettings, /, *args: P.args, **kwargs: P.kwargs) -> R:
            shown = {key: str(kwargs[key]) for key in ("tenant_id", "request_id") if kwargs.get(key)}
            with span(platform.settings, name, **shown):
                return use_case(platform, *args, **kwargs)

        return in_span

    return around


def current(settings: Settings) -> str | None:
    """The ``traceparent`` of the span that is open; None where there is none."""
    if settings.traces_url is None:
        return None
    from opentelemetry import trace

    context = trace.get_current_span().get_span_context()
    if not context.is_valid:
        return None
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags & 1:02x}"


def trace_id(traceparent: str | None) -> str | None:
    """The 32 digits that a trace is looked up by; None for what is no ``traceparent``."""
    match = _TRACEPARENT.fullmatch(traceparent or "")
    return match[1] if match else None


def flush(settings: Settings) -> None:
    """Send what is finished, for a process that may end at once; waits three seconds at most.

    The bound is ours: the SDK's batch processor takes a time limit and does not look at it.
    """
    if settings.traces_url is not None:
        with suppress(TimeoutError):  # the spans are lost, or sent while the process goes on
            bounded.within(_FLUSH_SECONDS, _provider(settings.traces_url).force_flush)


def _context(parent: str | None) -> Context | None:
    match = _TRACEPARENT.fullmatch(parent or "")
    if match is None:
        return None
    from opentelemetry import trace

    context = trace.SpanContext(
        int(match[1], 16), int(match[2], 16), is_remote=True, trace_flags=trace.TraceFlags(1)
    )
    return trace.set_span_in_context(trace.NonRecordingSpan(context))


@functools.lru_cache(maxsize=8)
def _provider(url: str) -> TracerProvider:
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    from astra_learn_assets.tracing.otlp import OtlpExporter

    provider = TracerProvider(resource=Resource.create({"service.name": SERVICE}))
    provider.add_span_processor(BatchSpanProcessor(OtlpExporter(url)))
    return provider
