"""What the application writes to standard error: a JSON document for each line, with the trace that it belongs to."""

import json
import logging
import sys
from typing import Final

from opentelemetry.trace import get_current_span

LOGGER: Final = "sample"


class Formatter(logging.Formatter):
    """One line of JSON. `trace_id` and `span_id` are there while a span is, in the form of W3C: that is how logs of
    every OpenTelemetry SDK name them. CloudWatch finds the fields by itself, and knows when a line was written."""

    def format(self, record: logging.LogRecord) -> str:
        """The line of a record."""
        line = {"level": record.levelname, "logger": record.name, "message": record.getMessage()}
        context = get_current_span().get_span_context()
        if context.is_valid:
            line |= {"trace_id": f"{context.trace_id:032x}", "span_id": f"{context.span_id:016x}"}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line)


def write() -> None:
    """Makes the application's own lines, and no one else's, come out that way. Does nothing the second time."""
    logger = logging.getLogger(LOGGER)
    if logger.handlers:
        return
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Formatter())
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
