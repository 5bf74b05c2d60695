"""One trace from an upload to the promotion it leads to: spans, sent by OTLP where ``ASTRA_TRACES_URL`` says.

May import settings and errors alone; everybody above may open a span. OpenTelemetry is loaded only when
traces are wanted.
"""

from astra_learn_assets.tracing.spans import current, flush, span, trace_id, traced

__all__ = ["current", "flush", "span", "trace_id", "traced"]
