"""What is said of traces: which choices exclude each other, and what SDKs are told."""

import pytest

from documents import task, tracing
from documents.inputs import Application
from documents.origin import Origin
from documents.signals import Receiver, SamplingRule, TailSampling, TraceEndpoint, Traces

RULE = SamplingRule(name="health", ratio=0)
ORIGIN = Origin(namespace="shop", environment="dev", cluster="shop-dev", service="web", family="shop-dev-web")
NOBODY: frozenset[Receiver] = frozenset()


@pytest.mark.parametrize(
    ("traces", "found"),
    [
        (Traces(), []),
        (Traces(endpoint=TraceEndpoint.OTLP, ratio=0.5), []),
        (
            Traces(endpoint=TraceEndpoint.OTLP, indexed_attributes=("shop.order",)),
            [
                "traces.indexedAttributes: does nothing at X-Ray's OTLP endpoint: Transaction Search has every "
                "attribute of every span (got a list); leave it out, or use traces.endpoint: classic"
            ],
        ),
        (
            Traces(rules=(RULE, RULE), ratio=0.5),
            [
                "traces.rules: has nobody whom applications could ask for the rules: that is the proxy beside the "
                "collector's X-Ray receiver; add xray to collector.receivers, or sample by traces.ratio",
                "traces.ratio: decides what traces.rules decide as well (got 0.5); keep one of the two",
                "traces.rules.1.name: is the name of traces.rules.0 as well (got 'health'); choose another",
            ],
        ),
    ],
)
def test_faults_name_the_key_and_the_remedy(traces: Traces, found: list[str]) -> None:
    assert [str(fault) for fault in tracing.faults(traces, NOBODY)] == found


def test_rules_need_the_receiver_and_then_are_sound() -> None:
    assert tracing.faults(Traces(rules=(RULE,)), frozenset({Receiver.XRAY})) == []


def test_an_application_with_a_ratio_and_rules_has_two_that_decide() -> None:
    assert tracing.ratio_faults(Traces(), 0.5, "web") == []
    assert tracing.ratio_faults(Traces(rules=(RULE,)), None, "web") == []
    [fault] = tracing.ratio_faults(Traces(rules=(RULE,)), 1.0, "web")
    assert str(fault) == "web.ratio: decides what traces.rules decide as well (got 1.0); keep one of the two"


def test_tail_sampling_needs_a_service_that_cloud_map_knows() -> None:
    tail = Traces(tail=TailSampling())
    assert tracing.sidecar_faults(Traces(), "web") == tracing.service_faults(Traces(), by_name=False) == []
    assert tracing.service_faults(tail, by_name=True) == []
    assert [str(fault) for fault in tracing.sidecar_faults(tail, "web")] == [
        "traces.tail: cannot decide in the sidecar of 'web', which sees only its own part of a trace; give every "
        "application pattern: service, or sample by traces.ratio"
    ]
    assert [str(fault) for fault in tracing.service_faults(tail, by_name=False)] == [
        "traces.tail: needs the addresses of all collectors, which Cloud Map tells and Service Connect hides; use "
        "collector.discovery: cloudMap, or sample by traces.ratio"
    ]


def test_an_sdk_is_told_nothing_where_nothing_is_chosen() -> None:
    assert tracing.sampling(Traces(), "http://localhost:2000") == {}


def test_an_sdk_decides_by_ratio_or_by_rules() -> None:
    assert tracing.sampling(Traces(ratio=0.05), "http://localhost:2000") == {
        "OTEL_TRACES_SAMPLER": "parentbased_traceidratio",
        "OTEL_TRACES_SAMPLER_ARG": "0.05",
    }
    assert tracing.sampling(Traces(rules=(RULE,)), "http://localhost:2000") == {
        "OTEL_TRACES_SAMPLER": "xray",
        "OTEL_TRACES_SAMPLER_ARG": "endpoint=http://localhost:2000",
    }


def told(traces: Traces, **application: object) -> dict[str, str]:
    """The sampler's variables of an application's container, as ECS gets it."""
    made = Application.model_validate({"name": "web", "image": "web:1", "port": 80, **application})
    additions = task.Additions(
        {**task.telemetry_environment(ORIGIN, "http://localhost:4318", 60), **tracing.sampling(traces, "http://c:2000")}
    )
    [container] = task.instrument([task.application_container(made, {})], "web", additions)
    pairs = {pair["name"]: pair["value"] for pair in container["environment"]}
    return {name: value for name, value in pairs.items() if name.startswith("OTEL_TRACES_SAMPLER")}


BY_RATIO = {"OTEL_TRACES_SAMPLER": "parentbased_traceidratio"}
ARN = "arn:aws:ssm:eu-west-1:123456789012:parameter/sampler"


@pytest.mark.parametrize(
    ("traces", "application", "variables"),
    [
        (Traces(), {}, {}),
        (Traces(ratio=0.25), {}, BY_RATIO | {"OTEL_TRACES_SAMPLER_ARG": "0.25"}),
        (Traces(ratio=0.25), {"ratio": 1}, BY_RATIO | {"OTEL_TRACES_SAMPLER_ARG": "1"}),
        (Traces(), {"ratio": 0.5}, BY_RATIO | {"OTEL_TRACES_SAMPLER_ARG": "0.5"}),
        (
            Traces(ratio=0.25),
            {"environment": {"OTEL_TRACES_SAMPLER_ARG": "0.1"}},
            BY_RATIO | {"OTEL_TRACES_SAMPLER_ARG": "0.1"},
        ),
        # An argument of ours means nothing, or worse, to a sampler of theirs.
        (
            Traces(ratio=0.25),
            {"ratio": 0.5, "environment": {"OTEL_TRACES_SAMPLER": "always_on"}},
            {"OTEL_TRACES_SAMPLER": "always_on"},
        ),
        (Traces(ratio=0.25), {"ratio": 0.5, "secrets": {"OTEL_TRACES_SAMPLER": ARN}}, {}),
    ],
)
def test_what_is_nearer_to_the_user_wins(
    traces: Traces, application: dict[str, object], variables: dict[str, str]
) -> None:
    assert told(traces, **application) == variables
