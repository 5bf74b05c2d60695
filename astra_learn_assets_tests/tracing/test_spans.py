"""Spans go where the setting says, hold no text, and cost nothing where nobody wants them."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from astra_learn_assets import tracing
from astra_learn_assets.settings import Settings
from astra_learn_assets_tests.telling.receivers import dripping
from astra_learn_assets_tests.tracing.collector import Collector, collector


@pytest.fixture
def there() -> Iterator[Collector]:
    with collector() as kept:
        yield kept


def _settings(url: str | None) -> Settings:
    return Settings(_env_file=None, traces_url=url)  # type: ignore[call-arg]


def test_a_trace_goes_on_from_what_was_written_down(there: Collector) -> None:
    settings = _settings(there.url)
    with tracing.span(
        settings, "upload", tenant_id="villaverde", documents=2, sure=True, share=0.5, none=None
    ):
        written = tracing.current(settings)
        with tracing.span(settings, "compare"):
            pass
    assert tracing.current(settings) is None
    with tracing.span(settings, "train", parent=written):
        pass
    with tracing.span(settings, "another"):
        pass
    tracing.flush(settings)
    (upload,), (compare,), (train,), (another,) = map(there.named, ("upload", "compare", "train", "another"))
    assert upload.trace_id == compare.trace_id == train.trace_id == tracing.trace_id(written)
    assert another.trace_id != upload.trace_id
    assert (upload.parent_id, compare.parent_id, train.parent_id) == ("", upload.span_id, upload.span_id)
    assert upload.attributes == {
        "astra.tenant_id": "villaverde", "astra.documents": 2, "astra.sure": True, "astra.share": 0.5,
    }  # fmt: skip
    assert upload.service == "astra-learn"


def test_an_error_is_noted_by_its_class_and_never_by_its_message(there: Collector) -> None:
    settings = _settings(there.url)
    with pytest.raises(ValueError, match="Lucía"), tracing.span(settings, "upload"):
        raise ValueError("Lucía Ortega Prado")
    tracing.flush(settings)
    (span,) = there.spans
    assert span.status == "ValueError"
    assert "Lucía" not in repr(there.spans)


@pytest.mark.parametrize(
    "parent", ["", "00-abc-def-01", "00-" + "0" * 32 + "-" + "1" * 16 + "-02", "ñ", None]
)
def test_a_parent_that_is_none_begins_a_new_trace(there: Collector, parent: str | None) -> None:
    settings = _settings(there.url)
    with tracing.span(settings, "upload", parent=parent):
        assert tracing.trace_id(tracing.current(settings)) is not None
    tracing.flush(settings)
    assert there.spans[0].parent_id == ""
    assert tracing.trace_id(parent) is None


def test_a_collector_that_is_away_or_refuses_holds_nobody_up(there: Collector) -> None:
    there.status = 503
    for url in ("http://127.0.0.1:9", there.url):
        settings = _settings(url)
        started = time.monotonic()
        with tracing.span(settings, "upload"):
            pass
        assert time.monotonic() - started < 1
        tracing.flush(settings)
        assert time.monotonic() - started < 10
    assert there.spans == []


def test_a_collector_that_drips_is_waited_for_three_seconds_and_no_longer() -> None:
    """Every byte comes within the HTTP client's patience, and no answer is ever whole."""
    with dripping(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n") as port:
        settings = _settings(f"http://127.0.0.1:{port}")
        with tracing.span(settings, "upload"):
            pass
        started = time.monotonic()
        tracing.flush(settings)
        assert time.monotonic() - started < 5


def test_without_the_setting_nothing_is_loaded_and_no_id_is_made() -> None:
    code = """
import sys
from astra_learn_assets import tracing
from astra_learn_assets.settings import Settings

settings = Settings(_env_file=None)
with tracing.span(settings, "x", parent=f"00-{'1' * 32}-{'1' * 16}-01"):
    assert tracing.current(settings) is None
tracing.flush(settings)
assert not [name for name in sys.modules if name.startswith("opentelemetry")]
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
