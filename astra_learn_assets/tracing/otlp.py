"""Spans to a collector by OTLP over HTTP (protobuf), with the messages that mlflow brings along.

The exporter packages of OpenTelemetry would pull in a second HTTP client; what is needed of them is one POST.
Spans that a collector does not take are dropped: a trace is a help, nothing that waits for one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

_SECONDS = 3.0


class OtlpExporter(SpanExporter):
    """Sends spans to ``{url}/v1/traces``."""

    def __init__(self, url: str) -> None:
        self._url = f"{url.rstrip('/')}/v1/traces"

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """POST them; whether the collector took them."""
        import httpx

        headers = {"Content-Type": "application/x-protobuf"}
        try:
            answer = httpx.post(self._url, content=encode(spans), headers=headers, timeout=_SECONDS)
        except (httpx.HTTPError, httpx.InvalidURL):
            return SpanExportResult.FAILURE
        return SpanExportResult.SUCCESS if answer.is_success else SpanExportResult.FAILURE


def encode(spans: Sequence[ReadableSpan]) -> bytes:
    """The ``ExportTraceServiceRequest`` of OTLP 1 that holds ``spans``."""
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
    from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
    from opentelemetry.proto.resource.v1.resource_pb2 import Resource
    from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, Status

    def value(of: Any) -> AnyValue:
        if isinstance(of, bool):
            return AnyValue(bool_value=of)
        if isinstance(of, int):
            return AnyValue(int_value=of)
        if isinstance(of, float):
            return AnyValue(double_value=of)
        return AnyValue(string_value=str(of))

    def pairs(attributes: Any) -> list[KeyValue]:
        return [KeyValue(key=key, value=value(of)) for key, of in (attributes or {}).items()]

    def message(span: ReadableSpan) -> Span:
        context = span.context
        assert context is not None  # one that has ended has one
        return Span(
            trace_id=context.trace_id.to_bytes(16, "big"),
            span_id=context.span_id.to_bytes(8, "big"),
            parent_span_id=span.parent.span_id.to_bytes(8, "big") if span.parent else b"",
            name=span.name,
            kind=Span.SPAN_KIND_INTERNAL,
            start_time_unix_nano=span.start_time or 0,
            end_time_unix_nano=span.end_time or 0,
            attributes=pairs(span.attributes),
            status=Status(code=span.status.status_code.value, message=span.status.description or ""),  # type: ignore[arg-type]  # the numbers are the same
        )

    resource = Resource(attributes=pairs(spans[0].resource.attributes if spans else {}))
    scope = ScopeSpans(
        scope=InstrumentationScope(name="astra-learn"), spans=[message(span) for span in spans]
    )
    whole = ExportTraceServiceRequest(resource_spans=[ResourceSpans(resource=resource, scope_spans=[scope])])
    return bytes(whole.SerializeToString())
