"""Partners' back ends: the exporter of each, and which of them a collector could not tell apart."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from documents.catalogue import Pattern
from documents.collector import CollectorInputs, configuration, faults, front, partners
from documents.faults import ConfigurationError
from documents.inputs import checked
from documents.signals import Destination, Signals, TailSampling, Traces
from tests.documents.collector.made import ORIGIN

ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:partner-AbCdEf"
OTHER = "arn:aws:ssm:eu-west-1:123456789012:parameter/partner"
IMAGE = "adot:v0.49.0"


def destination(name: str = "acme", **values: Any) -> Destination:
    return Destination.model_validate({"name": name, "endpoint": "https://otlp.example.com/base"} | values)


def inputs(pattern: Pattern, **signals: Any) -> CollectorInputs:
    return CollectorInputs(
        pattern=pattern, origin=ORIGIN, memory=512, queue=512, interval_seconds=60, signals=Signals(**signals)
    )


def test_the_exporter_of_a_partner() -> None:
    made = partners.partner(destination(headers={"X-Key": ARN, "dataset": OTHER}), 16)
    assert made.exporter == "otlp_http/acme"
    assert made.part.exporters == {
        "otlp_http/acme": {
            "endpoint": "${env:DESTINATION_ENDPOINT_ACME:-https://otlp.example.com/base}",
            "compression": "gzip",
            "timeout": "30s",
            "headers": {
                "X-Key": "${env:DESTINATION_HEADER_ACME_X_KEY}",
                "dataset": "${env:DESTINATION_HEADER_ACME_DATASET}",
            },
            "retry_on_failure": {"initial_interval": "5s", "max_interval": "30s", "max_elapsed_time": "3600s"},
            "sending_queue": {
                "storage": "file_storage",
                "sizer": "bytes",
                "queue_size": 16 * 1024 * 1024,
                "num_consumers": 2,
                "batch": {"sizer": "items", "flush_timeout": "1s", "min_size": 1, "max_size": 500},
            },
        }
    }


@pytest.mark.parametrize("pattern", Pattern)
def test_copies_go_through_a_batch_and_nothing_else_changes(pattern: Pattern) -> None:
    both, traced = destination("both"), destination("traced", signals=["traces"])
    without = configuration(inputs(pattern))["service"]["pipelines"]
    made = configuration(inputs(pattern, destinations=(both, traced)))
    pipelines = made["service"]["pipelines"]
    copies = {name: pipelines[name] for name in pipelines if name not in without}
    assert {name: pipelines[name] for name in without} == without
    original = {"traces/partners": "traces", "metrics/application-partners": "metrics/application"}
    if pattern is Pattern.SIDECAR:
        original["metrics/task-partners"] = "metrics/task"
    assert copies == {
        copy: {
            "receivers": without[name]["receivers"],
            "processors": [*without[name]["processors"], "batch"],
            "exporters": ["otlp_http/both", *(["otlp_http/traced"] if copy.startswith("traces") else [])],
        }
        for copy, name in original.items()
    }
    assert made["processors"]["batch"] == {"timeout": "0s"}


def test_what_is_sampled_by_its_tail_is_sampled_once() -> None:
    made = configuration(inputs(Pattern.SERVICE, destinations=(destination(),), traces=Traces(tail=TailSampling())))[
        "service"
    ]["pipelines"]
    assert made["traces"]["exporters"] == ["otlp_grpc/xray", "otlp_http/acme"]
    assert "traces/partners" not in made


def test_a_front_knows_no_partner() -> None:
    wanted = inputs(Pattern.SERVICE, destinations=(destination(headers={"key": ARN}),))
    assert front(wanted) == front(inputs(Pattern.SERVICE))


def test_secrets_by_variable() -> None:
    wanted = Signals(destinations=(destination(headers={"a-b": ARN}), destination("zeta", headers={"c": OTHER})))
    assert wanted.secrets == {"DESTINATION_HEADER_ACME_A_B": ARN, "DESTINATION_HEADER_ZETA_C": OTHER}


def test_destinations_that_cannot_be_told_apart() -> None:
    wanted = (
        destination("Task"),
        destination("a-b", headers={"c": ARN, "C": ARN}),
        destination("a", headers={"b-c": ARN}),
        destination("A"),
    )
    expected = [
        "destinations.0.name: is the name of a buffer of ours as well (got 'Task'); choose another name",
        "destinations.1.headers.C: would reach the collector by the variable DESTINATION_HEADER_A_B_C, as "
        "destinations.1.headers.c does; rename the destination, or leave one of the two out",
        "destinations.2.headers.b-c: would reach the collector by the variable DESTINATION_HEADER_A_B_C, as "
        "destinations.1.headers.c does; rename the destination, or leave one of the two out",
        "destinations.3.name: is the name of destinations.2 as well (got 'A'); choose another name",
    ]
    assert [str(fault) for fault in partners.faults(wanted)] == expected
    for pattern in Pattern:
        assert [str(fault) for fault in faults(inputs(pattern, destinations=wanted), IMAGE)] == expected


@pytest.mark.parametrize(
    "values",
    [
        {"name": "1st"},
        {"name": "a_b"},
        {"name": ""},
        {"name": "a" * 33},
        {"endpoint": "http://otlp.example.com"},
        {"endpoint": "https://user:hunter2@otlp.example.com"},
        {"endpoint": "https://otlp.example.com/?key=hunter2"},
        {"endpoint": "https://${env:AWS_SECRET_ACCESS_KEY}.example.com"},
        {"headers": {"key": "hunter2"}},
        {"headers": {"a b": ARN}},
        {"headers": {"a$b": ARN}},
        {"headers": {"key": 4711}},
        {"signals": []},
        {"signals": ["logs"]},
    ],
)
def test_what_is_refused_is_not_repeated_where_it_may_be_secret(values: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError) as caught:
        checked(Destination, {"name": "acme", "endpoint": "https://example.com"} | values, "destinations.0")
    assert "hunter2" not in str(caught.value)
    assert "4711" not in str(caught.value)
    assert str(caught.value).lstrip().startswith(f"destinations.0.{next(iter(values))}")


@given(some.lists(some.from_regex(r"[A-Za-z][A-Za-z0-9-]{0,3}", fullmatch=True), max_size=5))
def test_accepted_destinations_never_share_a_variable(names: list[str]) -> None:
    wanted = [destination(name, headers={"a": ARN, "b-a": ARN}) for name in names]
    if not list(partners.faults(wanted)):
        variables = [variable for one in wanted for variable in (*one.variables.values(), one.endpoint_variable)]
        assert len(variables) == len(set(variables))
