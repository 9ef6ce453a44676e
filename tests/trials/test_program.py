"""The benchmark of the program compares what it says, and the entry point loads only what a stack needs."""

import json
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from preview.recorder import record
from trials.program import BARE, COUNTS, Figures, Runs, applications, in_turns, is_linear, page, seconds, write_bare

ROOT = Path(__file__).resolve().parents[2]

LOADED = """
import json, sys
from pathlib import Path
from preview.recorder import record

recording = record(Path("."), sys.argv[1], config=json.loads(sys.argv[2]))
held = {name.split(".")[1] for name in sys.modules if name.count(".") > 1 and name.startswith("pulumi_aws.")}
used = {one.type.split(":")[1].split("/")[0] for one in recording.resources if one.type.startswith("aws:")}
print(json.dumps([sorted(held), sorted(used)]))
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("stack", "config"),
    [("dev", {}), ("prod", {}), ("dev", {"ecs-observability:grafana": {"enabled": False}})],
    ids=["dev", "prod", "without Grafana"],
)
def test_only_the_modules_of_aws_that_a_stack_needs_are_loaded(stack: str, config: Mapping[str, Any]) -> None:
    """Each of them takes a tenth of a second, and some half a second."""
    done = subprocess.run(
        [sys.executable, "-c", LOADED, stack, json.dumps(config)],
        cwd=ROOT, capture_output=True, text=True, check=True, timeout=300,
    )  # fmt: skip
    held, used = json.loads(done.stdout)
    assert held == used


@pytest.mark.parametrize("name", BARE)
def test_bare_programs_register_so_many_resources(name: str, tmp_path: Path) -> None:
    write_bare(tmp_path, BARE[name], 7)
    recorded = record(tmp_path, "dev").resources
    assert [(one.type, one.inputs) for one in recorded] == [("aws:cloudwatch/logGroup:LogGroup", {})] * 7


@pytest.mark.slow
def test_the_stack_grows_by_the_same_with_each_application() -> None:
    one, two, three = (len(record(ROOT, "dev", config=applications(count)).resources) for count in (1, 2, 3))
    assert two - one == three - two > 0


@pytest.mark.slow
def test_time_is_that_of_a_fresh_interpreter() -> None:
    idle = ("-c", "pass")
    busy = ("-c", "import time\nwhile time.process_time() < 1: pass")
    found = in_turns({"idle": idle, "busy": busy}, lambda _: None)
    assert found["idle"] < 1 <= found["busy"]


@pytest.mark.slow
def test_a_run_that_fails_is_no_figure() -> None:
    with pytest.raises(subprocess.CalledProcessError):
        seconds("-c", "raise SystemExit(3)")


@pytest.mark.parametrize(
    ("slopes", "linear"), [((5.0, 6.0), True), ((5.0, 6.1), False), ((5.0, 1.0), True), ((5.0, 5.0, 7.0), False)]
)
def test_time_is_linear_where_a_further_application_takes_hardly_more(slopes: Sequence[float], linear: bool) -> None:
    assert is_linear(slopes) is linear


def made() -> str:
    runs = [
        Runs(count, 10 * count, {"ours": ours, "plain": plain, "floor": 0.1})
        for count, ours, plain in zip(COUNTS, (2.0, 3.8, 21.8), (1.0, 1.9, 20.0), strict=True)
    ]
    return page(Figures(runs, {"ours": 2.0, "plain": 1.0, "floor": 0.5}, {"dev": 3.0, "prod": 4.0}))


def figureless(text: str) -> str:
    """A page without what was measured, and where."""
    return re.sub(r"-?\d+(\.\d+)*|\b(met|missed)\b|\([^)]* on [^)]*\)", "?", text)


def test_the_page_is_that_of_the_template_but_for_its_figures() -> None:
    assert figureless((ROOT / "docs" / "program-speed.md").read_text(encoding="utf-8")) == figureless(made())


def test_the_page_says_what_was_missed() -> None:
    text = made()
    assert re.findall(r"\| ([\d.]+: \w+) \|", text) == ["1.3: missed", "1.3: missed", "1.3: met"]
    assert "may take\n20 % more than before" in text
    assert "| in ours | 200, then 200 | linear: met |\n" in text
    assert "| its resources in plain | 100, then 201 | linear: missed |\n" in text
    assert "| what ours adds to plain | 100, then -1 | linear: met |\n" in text
    assert "| 1 | 10 | 2.00 | 1.00 | 0.10 | 2.00 |" in text
