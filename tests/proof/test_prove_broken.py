"""Broken configurations of the collector and broken rules, run for real: each makes the proof fail with its reason."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from proof.processes import ProgramError
from proof.stack import Timing
from proof.verdict import Kind, Verdict
from proof.verdicts import Judgement
from tests.proof.live import live, named, wanted, with_collector

pytestmark = pytest.mark.slow

# What never comes is not waited for.
IMPATIENT = Timing(steady=6.0, first=10.0, last=4.0)

Json = dict[str, Any]


def last(configuration: Json, action: Json) -> None:
    """One more thing done to the resource of application metrics, after everything else."""
    configuration["processors"]["resource/broken"] = {"attributes": [action]}
    configuration["service"]["pipelines"]["metrics/application"]["processors"].append("resource/broken")


def panels(judgement: Judgement) -> dict[str, Verdict]:
    return {
        f"{board.title} / {panel.panel.title}": answer.verdict
        for board in judgement.dashboards
        for panel in board.panels
        for answer in panel.answers
    }


@pytest.fixture(scope="module")
def several(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judgement]:
    """Three faults that do not touch each other: ECS names with suffixes, a dropped label, traces that go nowhere."""

    def change(configuration: Json) -> None:
        exporters = configuration["exporters"]
        exporters["prometheus_remote_write/task"]["translation_strategy"] = "UnderscoreEscapingWithSuffixes"
        exporters["debug"] = {"verbosity": "basic"}
        configuration["service"]["pipelines"]["traces"]["exporters"] = ["debug"]
        last(configuration, {"key": "aws.ecs.cluster.name", "action": "delete"})

    stack = with_collector(wanted("dev"), change)
    with live(stack, tmp_path_factory.mktemp("several"), IMPATIENT) as run:
        yield run.judged()


def test_ecs_names_with_suffixes_empty_the_ecs_dashboard(several: Judgement) -> None:
    found = panels(several)["ECS tasks / vCPU in use"]
    assert found.kind is Kind.FAILED
    assert found.reason == "no series; nobody wrote ecs_task_cpu_usage_vcpu (but ecs_task_cpu_usage_vcpu_vCPU)"
    offered = named(several.verdicts, "ECS tasks / $cluster").reason
    assert offered == "offers nothing instead of ecs-observability-dev"


def test_a_dropped_label_is_named_and_empties_the_variables(several: Judgement) -> None:
    assert "aws_ecs_cluster_name=''" in named(several.others, "labels on every series").reason
    assert named(several.verdicts, "Application / $cluster").reason.startswith("offers nothing instead of")


def test_traces_that_go_nowhere_are_missed(several: Judgement) -> None:
    assert "traces lost" in named(several.others, "a trace for each request").reason
    assert "X-Ray got no request at all" in named(several.others, "no request refused").reason


def test_what_is_not_broken_stays_proved(several: Judgement) -> None:
    assert named(several.others, "requests of storefront").kind is Kind.PROVED
    assert named(several.others, "one writer for each series").kind is Kind.PROVED


def test_a_signature_for_another_service_is_refused(tmp_path: Path) -> None:
    def change(configuration: Json) -> None:
        configuration["extensions"]["sigv4auth"]["service"] = "prometheus"

    with live(with_collector(wanted("dev"), change), tmp_path, replace(IMPATIENT, first=8.0)) as run:
        judgement = run.judged()
    reason = named(judgement.others, "no request refused").reason
    assert "signed for prometheus in eu-west-1, should be for aps in eu-west-1" in reason
    assert "SignatureDoesNotMatch" in named(judgement.others, "collectors do not complain").reason
    assert named(judgement.others, "a trace for each request").kind is Kind.PROVED


def test_broken_rules_are_named(tmp_path: Path) -> None:
    original = wanted("dev")
    [(path, text)] = [(path, text) for path, text in original.documents.items() if path == "rules/recording.yaml"]
    # The first of each is that of the tasks; the others count series.
    broken = text.replace("(last_over_time(ecs_task_cpu_utilized[", "(last_over_time(ecs_task_cpu_utilised[", 1)
    memory = "last_over_time(ecs_task_memory_utilized["
    broken = broken.replace(f"({memory}", f"(100 * {memory}", 1)
    assert broken.count("utilised") == broken.count("100 *") == 1
    stack = replace(original, documents={**original.documents, path: broken})
    with live(stack, tmp_path, IMPATIENT) as run:
        judgement = run.judged()
    reason = named(judgement.others, "task:ecs_task_cpu_utilization:ratio").reason
    assert "nobody wrote ecs_task_cpu_utilised (but ecs_task_cpu_utilized" in reason
    memory = named(judgement.others, "task:ecs_task_memory_utilization:ratio").reason
    assert "e+03 %, expected" in memory
    # What is recorded wrongly is shown wrongly.
    assert panels(judgement)["ECS tasks / Memory of reservation"].kind is Kind.FAILED
    assert panels(judgement)["ECS tasks / Memory in use"].kind is Kind.PROVED


def test_two_processes_that_call_themselves_the_same_are_found(tmp_path: Path) -> None:
    def change(configuration: Json) -> None:
        # As if nobody had thought of an instance: every process of an application is "one".
        last(configuration, {"key": "service.instance.id", "value": "one", "action": "upsert"})

    with live(with_collector(wanted("prod"), change), tmp_path, IMPATIENT) as run:
        judgement = run.judged()
    assert "have two writers" in named(judgement.others, "one writer for each series").reason
    assert named(judgement.others, "an instance for each process").kind is Kind.FAILED


@pytest.mark.parametrize(
    ("key", "said"),
    [("sending_queue", "sending_queue"), ("endpont", "endpont")],
)
def test_a_configuration_that_does_not_start_is_named_with_the_last_words(tmp_path: Path, key: str, said: str) -> None:
    def change(configuration: Json) -> None:
        configuration["exporters"]["awsxray"][key] = {"enabled": True}

    stack = with_collector(wanted("dev"), change)
    with (
        pytest.raises(ProgramError, match=rf"(?s)collector-\w+ ended with exit code 1:.*{said}"),
        live(stack, tmp_path, IMPATIENT),
    ):
        pass
