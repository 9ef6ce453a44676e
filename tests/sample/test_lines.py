"""What the sample writes: a line of JSON for each order, which belongs to the trace of that order."""

import json
import logging
from collections.abc import Iterator

import pytest
from opentelemetry.sdk.trace import TracerProvider

from sample.lines import LOGGER, Formatter, write


def line(message: str = "order %d is fulfilled", *values: object, **more: object) -> dict[str, str]:
    record = logging.LogRecord("sample.app", logging.INFO, __file__, 1, message, values, None)
    record.__dict__.update(more)
    return json.loads(Formatter().format(record))


def test_a_line_outside_of_any_trace() -> None:
    assert line("order %d is fulfilled", 7) == {
        "level": "INFO",
        "logger": "sample.app",
        "message": "order 7 is fulfilled",
    }


def test_a_line_of_a_trace_has_its_id_as_opentelemetry_writes_it() -> None:
    with TracerProvider().get_tracer("test").start_as_current_span("order") as span:
        written = line("order %d is fulfilled", 7)
    context = span.get_span_context()
    assert (written["trace_id"], written["span_id"]) == (f"{context.trace_id:032x}", f"{context.span_id:016x}")


def test_an_exception_stays_on_its_line() -> None:
    error = ValueError("two\nlines")
    record = logging.LogRecord("sample", logging.ERROR, __file__, 1, "bad", (), (ValueError, error, None))
    text = Formatter().format(record)
    assert "\n" not in text
    assert json.loads(text)["exception"] == "ValueError: two\nlines"


@pytest.fixture
def logger() -> Iterator[logging.Logger]:
    """The sample's logger as it is before anybody has made it write."""
    found = logging.getLogger(LOGGER)
    handlers, level = found.handlers[:], found.level
    found.handlers.clear()
    yield found
    found.handlers[:] = handlers
    found.setLevel(level)


def test_every_line_is_written_once(logger: logging.Logger, capsys: pytest.CaptureFixture[str]) -> None:
    write()
    write()
    logging.getLogger(f"{LOGGER}.app").info("order %d is fulfilled", 7)
    logging.getLogger("another").info("not ours")
    [text] = capsys.readouterr().err.splitlines()
    assert json.loads(text)["message"] == "order 7 is fulfilled"
