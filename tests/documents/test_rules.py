"""Recording rules: exact text, and nothing that Prometheus or AMP would refuse."""

import os
import subprocess
from pathlib import Path

import promql_parser
import pytest
import yaml

from documents import catalogue, rules

KEPT = (
    "(deployment_environment_name, aws_ecs_cluster_name, aws_ecs_service_name, aws_ecs_task_family, "
    "aws_ecs_task_revision, aws_ecs_task_id)"
)


def test_exact_rules() -> None:
    assert rules.recording_rules() == {
        "groups": [
            {
                "name": "ecs-tasks",
                "rules": [
                    {
                        "record": f"task:ecs_task_{what}_utilization:ratio",
                        "expr": (
                            f"max by {KEPT} (ecs_task_{what}_utilized) / (max by {KEPT} (ecs_task_{what}_reserved) > 0)"
                        ),
                    }
                    for what in ("cpu", "memory")
                ],
            }
        ]
    }


def test_yaml_is_stable_and_says_the_same() -> None:
    made = rules.recording_rules()
    text = rules.to_yaml(made)
    assert text == rules.to_yaml(rules.recording_rules())
    assert yaml.safe_load(text) == made


@pytest.mark.parametrize("recorded", rules.RECORDED, ids=lambda recorded: recorded.name)
def test_a_rule_keeps_only_labels_that_its_metrics_have(recorded: rules.Recorded) -> None:
    parsed = promql_parser.parse(recorded.expr)
    assert isinstance(parsed, promql_parser.BinaryExpr)
    assert isinstance(parsed.lhs, promql_parser.AggregateExpr)
    assert parsed.lhs.modifier is not None
    assert set(recorded.labels) == {attribute.label for attribute in catalogue.ATTRIBUTES}
    assert tuple(parsed.lhs.modifier.labels) == recorded.labels
    level, metric, operation = recorded.name.split(":")
    assert (level, operation) == ("task", "ratio")
    assert metric.startswith("ecs_task_")


def test_every_name_is_new() -> None:
    names = [recorded.name for recorded in rules.RECORDED]
    assert len(names) == len(set(names))
    assert not set(names) & {metric.name for metric in catalogue.TASK_METRICS}


def test_promtool_takes_the_file(tmp_path: Path) -> None:
    promtool = os.environ.get("PROMTOOL") or str(Path(__file__).parents[2] / ".bin" / "promtool")
    if not Path(promtool).exists():
        pytest.skip(f"no promtool at {promtool}")
    file = tmp_path / "rules.yaml"
    file.write_text(rules.to_yaml(rules.recording_rules()))
    result = subprocess.run([promtool, "check", "rules", file], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "SUCCESS: 2 rules found" in result.stdout
