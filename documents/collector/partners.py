"""Back ends of partners, which take OTLP over HTTP: each behind a buffer of its own."""

from collections.abc import Iterable, Iterator
from typing import Final

from documents import ports
from documents.collector.buffer import Destination, Queue, queued
from documents.faults import Fault
from documents.signals import Destination as Partner

_ITEMS: Final = 500
"""Spans or data points in a request: well below the megabyte that the strictest of the documented partners takes."""

_CONSUMERS: Final = 2
_LONGEST_SECONDS: Final = 3600


def partner(wanted: Partner, queue_mib: int) -> Destination:
    """What a pipeline sends to one of them."""
    return queued(
        f"otlp_http/{wanted.name}",
        {
            "endpoint": f"${{env:{wanted.endpoint_variable}:-{wanted.endpoint}}}",
            "compression": "gzip",
            "timeout": "30s",
            "headers": {header: f"${{env:{variable}}}" for header, variable in wanted.variables.items()},
        },
        Queue(queue_mib, batch=_ITEMS, consumers=_CONSUMERS, longest=_LONGEST_SECONDS),
    )


def faults(wanted: Iterable[Partner]) -> Iterator[Fault]:
    """Partners, or headers of them, that a collector could not tell apart, or not from a buffer of ours."""
    names: dict[str, str] = dict.fromkeys(ports.BUFFERS, "a buffer of ours")
    variables: dict[str, str] = {}
    for index, one in enumerate(wanted):
        key, name = f"destinations.{index}", one.name.lower()
        if name in names:
            yield Fault(f"{key}.name", f"is the name of {names[name]} as well", "choose another name", one.name)
            continue
        names[name] = key
        for header, variable in one.variables.items():
            here = f"{key}.headers.{header}"
            if variable in variables:
                problem = f"would reach the collector by the variable {variable}, as {variables[variable]} does"
                yield Fault(here, problem, "rename the destination, or leave one of the two out")
            variables.setdefault(variable, here)
