"""What a user chose for traces: whether the choices go together, and what SDKs are told of them."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from documents.faults import Fault
from documents.signals import Ratio, Receiver, TraceEndpoint, Traces

SAMPLER: Final = "OTEL_TRACES_SAMPLER"
SAMPLER_ARGUMENT: Final = "OTEL_TRACES_SAMPLER_ARG"

PREREQUISITE: Final = (
    "traces.endpoint: otlp needs CloudWatch Transaction Search, a setting of the whole account that is left to you: "
    "without it X-Ray refuses every span, and they are lost (docs/signals.md)"
)


def faults(traces: Traces, receivers: frozenset[Receiver]) -> list[Fault]:
    """Choices that exclude or need each other, in whichever pattern."""
    return [*_index_faults(traces), *_rule_faults(traces, receivers)]


def _index_faults(traces: Traces) -> Iterator[Fault]:
    if traces.endpoint is TraceEndpoint.OTLP and traces.indexed_attributes:
        yield Fault(
            "traces.indexedAttributes",
            "does nothing at X-Ray's OTLP endpoint: Transaction Search has every attribute of every span",
            "leave it out, or use traces.endpoint: classic",
            traces.indexed_attributes,
        )


def _rule_faults(traces: Traces, receivers: frozenset[Receiver]) -> Iterator[Fault]:
    if not traces.rules:
        return
    if Receiver.XRAY not in receivers:
        yield Fault(
            "traces.rules",
            "has nobody whom applications could ask for the rules: that is the proxy beside the collector's X-Ray "
            "receiver",
            "add xray to collector.receivers, or sample by traces.ratio",
        )
    if traces.ratio < 1:
        yield Fault("traces.ratio", "decides what traces.rules decide as well", "keep one of the two", traces.ratio)
    seen: dict[str, int] = {}
    for index, rule in enumerate(traces.rules):
        if rule.name in seen:
            key = f"traces.rules.{index}.name"
            yield Fault(key, f"is the name of traces.rules.{seen[rule.name]} as well", "choose another", rule.name)
        seen.setdefault(rule.name, index)


def ratio_faults(traces: Traces, ratio: Ratio | None, key: str) -> list[Fault]:
    """Faults of an application, which stands under `key`, that samples by a ratio of its own."""
    if ratio is None or not traces.rules:
        return []
    return [Fault(f"{key}.ratio", "decides what traces.rules decide as well", "keep one of the two", ratio)]


def sidecar_faults(traces: Traces, application: str) -> list[Fault]:
    """Faults of an application that is observed by a sidecar."""
    if traces.tail is None:
        return []
    return [
        Fault(
            "traces.tail",
            f"cannot decide in the sidecar of {application!r}, which sees only its own part of a trace",
            "give every application pattern: service, or sample by traces.ratio",
        )
    ]


def service_faults(traces: Traces, *, by_name: bool) -> list[Fault]:
    """Faults of a collector service. `by_name` says whether it is found by Cloud Map."""
    if traces.tail is None or by_name:
        return []
    return [
        Fault(
            "traces.tail",
            "needs the addresses of all collectors, which Cloud Map tells and Service Connect hides",
            "use collector.discovery: cloudMap, or sample by traces.ratio",
        )
    ]


def sampling(traces: Traces, proxy: str) -> Mapping[str, str]:
    """Variables by which an SDK decides which traces it begins. `proxy` is where it asks for X-Ray's rules.

    Source: OpenTelemetry specification, "SDK environment variables"; for `xray`, the documentation of ADOT's SDKs.
    """
    if traces.rules:
        return {SAMPLER: "xray", SAMPLER_ARGUMENT: f"endpoint={proxy}"}
    return by_ratio(traces.ratio) if traces.ratio < 1 else {}


def by_ratio(ratio: Ratio) -> Mapping[str, str]:
    """Variables by which an SDK begins this share of its traces, and goes on with those that others began."""
    return {SAMPLER: "parentbased_traceidratio", SAMPLER_ARGUMENT: f"{ratio:g}"}


def unless_chosen(variables: Mapping[str, str], chosen: Iterable[str]) -> dict[str, str]:
    """The variables without the argument of a sampler if another sampler is `chosen`, to which it means nothing."""
    if SAMPLER not in chosen:
        return dict(variables)
    return {name: value for name, value in variables.items() if name not in (SAMPLER, SAMPLER_ARGUMENT)}
