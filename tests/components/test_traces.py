"""What is chosen for traces, as resources: rules, permissions, security groups, variables."""

import pytest

from documents.faults import ConfigurationError
from preview.recorder import ProgramError
from tests.components.test_library import APPLICATION, run
from tests.components.variants import (
    INGRESS,
    containers,
    environment,
    program,
    recorded,
    statements,
)

# Each test records a whole program, which takes a second or two.
pytestmark = pytest.mark.slow

RULE = "aws:xray/samplingRule:SamplingRule"


def sampler(stack: str, application: str) -> dict[str, str]:
    found = environment(containers(recorded(stack), f"{application}-definition")[application])
    return {name: value for name, value in found.items() if name.startswith("OTEL_TRACES_SAMPLER")}


def granted(stack: str, role: str) -> dict[str, object]:
    return {one["Sid"]: one["Action"] for one in statements(recorded(stack), f"{role}-policy")}


def test_a_sampling_rule_is_whole() -> None:
    [rule] = recorded("sampling-rules").of_type(RULE)
    inputs = dict(rule.inputs)
    assert inputs.pop("tags")["pulumi:stack"] == "dev"
    assert inputs == {
        "ruleName": "health-06a7b7",
        "priority": 10,
        "version": 1,
        "reservoirSize": 0,
        "fixedRate": 0,
        "serviceName": "*",
        "httpMethod": "*",
        "urlPath": "/healthz",
        "host": "*",
        "serviceType": "*",
        "resourceArn": "*",
    }


def test_there_are_no_rules_where_none_are_given() -> None:
    assert not recorded("defaults").of_type(RULE)
    assert sampler("defaults", "storefront") == {}


def test_sdks_ask_the_collector_for_the_rules() -> None:
    assert sampler("sampling-rules", "storefront") == {
        "OTEL_TRACES_SAMPLER": "xray",
        "OTEL_TRACES_SAMPLER_ARG": "endpoint=http://localhost:2000",
    }
    assert sampler("sampling-rules", "inventory") == {
        "OTEL_TRACES_SAMPLER": "xray",
        "OTEL_TRACES_SAMPLER_ARG": "endpoint=http://collector.dev.ecs-observability.internal:2000",
    }


def test_the_ratio_of_an_application_wins_over_that_of_the_stack() -> None:
    by_ratio = {"OTEL_TRACES_SAMPLER": "parentbased_traceidratio"}
    assert sampler("sampled", "storefront") == by_ratio | {"OTEL_TRACES_SAMPLER_ARG": "0.25"}
    assert sampler("sampled", "inventory") == by_ratio | {"OTEL_TRACES_SAMPLER_ARG": "1"}


@pytest.mark.parametrize(("stack", "role"), [("otlp-traces", "storefront"), ("otlp-traces-service", "collector")])
def test_the_otlp_endpoint_is_permitted_and_explained(stack: str, role: str) -> None:
    assert granted(stack, f"{role}-task")["WriteTraces"] == [
        "xray:PutSpans",
        "xray:PutSpansForIndexing",
        "xray:PutTraceSegments",
    ]
    assert [warning for warning in recorded(stack).warnings if "Transaction Search" in warning] == [
        "traces.endpoint: otlp needs CloudWatch Transaction Search, a setting of the whole account that is left to "
        "you: without it X-Ray refuses every span, and they are lost (docs/signals.md)"
    ]
    # It is the account's, so nothing of ours may switch it on.
    types = {resource.type for resource in recorded(stack).resources}
    assert not {one for one in types if one.startswith("aws:xray/")}


def test_collectors_that_decide_together_may_find_and_reach_each_other() -> None:
    assert granted("tail-sampling", "collector-task")["FindCollectors"] == "servicediscovery:DiscoverInstances"
    [peers] = [rule.inputs for rule in recorded("tail-sampling").of_type(INGRESS) if rule.inputs["fromPort"] == 14300]
    group = "<collector-tasks.id>"
    assert (peers["securityGroupId"], peers["referencedSecurityGroupId"], peers["toPort"]) == (group, group, 14300)
    drain = containers(recorded("tail-sampling"), "collector-definition")["drain"]
    assert environment(drain) == {"HOLD_SECONDS": "20"}


def test_others_may_not() -> None:
    assert "FindCollectors" not in granted("cloud-map", "collector-task")
    assert not [rule for rule in recorded("cloud-map").of_type(INGRESS) if rule.inputs["fromPort"] == 14300]
    assert "environment" not in containers(recorded("cloud-map"), "collector-definition")["drain"]


def test_every_fault_of_a_stack_is_found_at_once() -> None:
    applications = [
        {"name": "web", "image": "web:1", "port": 80, "ratio": 0.5},
        {"name": "api", "image": "api:1", "port": 80, "pattern": "service"},
    ]
    traces = {
        "endpoint": "otlp",
        "indexedAttributes": ["a"],
        "ratio": 0.1,
        "rules": [{"name": "one", "ratio": 1}],
        "tail": {},
    }
    with pytest.raises(ProgramError) as caught:
        program({"applications": applications, "traces": traces, "collector": {"discovery": "serviceConnect"}})
    keys = [line.split(":")[0].strip() for line in str(caught.value).splitlines() if line.startswith("  ")]
    assert keys == [
        "traces.indexedAttributes",
        "traces.rules",
        "traces.ratio",
        "applications.0.ratio",
        "traces.tail",
        "traces.tail",
    ]


@pytest.mark.parametrize(
    ("pattern", "faults"),
    [
        ('Sidecar(chosen, inputs.Collector(), "eu-west-1")', ["web.ratio", "traces.tail"]),
        (
            'CollectorService("collector", {"place": place(), "telemetry": chosen, '
            '"collector": inputs.Collector(discovery="serviceConnect")})',
            ["traces.tail"],
        ),
    ],
)
def test_the_library_finds_them_as_well(tmp_path, pattern: str, faults: list[str]) -> None:
    chosen = (
        "from documents.signals import Receiver, SamplingRule, TailSampling, Traces\n"
        "traces = Traces(rules=(SamplingRule(name='one', ratio=1),), tail=TailSampling())\n"
        "chosen = metrics.telemetry(Signals(receivers=frozenset({Receiver.XRAY}), traces=traces))\n"
        f"sidecar = {pattern}\n"
    )
    with pytest.raises((ConfigurationError, ProgramError)) as caught:
        run(tmp_path, chosen + APPLICATION.format(secret="secret.arn", more='"ratio": 0.5,'))
    text = str(caught.value)
    assert [key for key in ("traces.rules", "web.ratio", "traces.tail") if f"{key}: " in text] == faults
