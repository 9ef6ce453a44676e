"""Tasks that are no service in the summary of a stack."""

import pytest

from preview import unserved
from preview.costs import files
from tests.components.variants import recorded

pytestmark = pytest.mark.slow


def test_when_each_task_runs() -> None:
    assert list(unserved.lines(recorded("tasks"), files.load("us-east-1"))) == [
        "| task | CPU units, MiB | runs | runs a month | dollars a month for each minute of a run |",
        "|---|---|---|---:|---:|",
        "| `ecs-observability-dev-migrate` | 256, 1024 | when somebody runs it |  |  |",
        "| `ecs-observability-dev-nightly` | 256, 1024 | `cron(30 2 * * ? *)`, Europe/Berlin | 30.4 | 0.007 |",
        "| `ecs-observability-dev-sweep` | 256, 1024 | `rate(5 minutes)`, UTC, but it is turned off |  |  |",
        "",
        "The output `runTask` has the command for each. A run is billed from the pull of its images on, for a minute "
        "at least. List prices of us-east-1 (docs/costs.md).",
    ]


def test_when_each_task_runs_without_prices() -> None:
    lines = list(unserved.lines(recorded("tasks"), None))
    assert lines[:2] == ["| task | CPU units, MiB | runs | runs a month |", "|---|---|---|---:|"]
    assert lines[3] == "| `ecs-observability-dev-nightly` | 256, 1024 | `cron(30 2 * * ? *)`, Europe/Berlin | 30.4 |"
    assert lines[-1].endswith(f"for a minute at least. {files.NO_DOLLARS}")


def test_a_stack_without_tasks_says_nothing_of_them() -> None:
    assert list(unserved.lines(recorded("defaults"), files.load("us-east-1"))) == []
