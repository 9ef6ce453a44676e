"""`make cost` as a person uses it."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest

from documents import costs
from preview.costs import curve, files, page, reading
from preview.recorder import record

ROOT = Path(__file__).parents[3]

pytestmark = pytest.mark.slow


def cost(*arguments: str, columns: int = 160) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "COLUMNS": str(columns), "NO_COLOR": "1"}
    command = [sys.executable, "-m", "preview.costs", *arguments]
    return subprocess.run(command, check=False, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)


def test_what_a_stack_costs_and_in_which_pattern() -> None:
    done = cost("dev", "--prices", "us-east-1", "--assume", "requests=0.2", "--assume", "viewers=0,1,2")
    assert (done.returncode, done.stderr) == (0, "")
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert lines[0] == "ecs-observability, stack dev in eu-west-1"
    assert lines[2].startswith("- THESE ARE PRICES OF us-east-1, as you asked; the stack is in eu-west-1")
    assert "Fargate inventory 8.51 8.51 8.51 list 2026-09-11" in lines
    assert "requests 0.2 0.2 0.2 requests a second to each task of an application" in lines
    assert "viewers 0 1 2 viewers who enter Grafana" in lines
    assert "editors 1 2 2 editors and administrators who enter Grafana, service accounts too" in lines
    assert "The two patterns, expected dollars a month" in lines
    assert "- Tasks as they are: With 1 to 500 tasks of each application, the sidecar is cheaper." in lines
    assert (
        "- What a sidecar takes of a task is worth 2.86 (inventory, storefront); Fargate sells tasks in steps." in lines
    )
    assert [line for line in lines if line.startswith("- service: In AMP no series of an application has")]


@pytest.mark.parametrize(("stack", "column"), [("dev", 0), ("prod", 1)])
def test_the_row_of_the_stack_as_it_is_says_what_the_bill_says(stack: str, column: int) -> None:
    done = cost(stack, "--prices", "us-east-1")
    (bill,) = (line.split() for line in done.stdout.splitlines() if line.startswith("all "))
    (row,) = (line.split() for line in done.stdout.splitlines() if line.strip().startswith("as it is "))
    assert row[3 + column] == bill[2]


def test_more_spans_than_a_stack_s_collectors_carry_are_said() -> None:
    spreads, _ = costs.assumed(["requests=1000"])
    stack = reading.read(record(ROOT, "prod"))
    # 10 tasks x 1,000 x 2 / 2,500 and 16 x 1,000 x 4 / 1,000; in low 4 x 1,000 x 2 / 5,000 are two.
    assert list(page.crowded(stack, spreads)) == [
        "In expected, 8 tasks of collector carry the spans, and are in the bill; the stack allows 6.",
        "In high, 64 tasks of collector carry the spans, and are in the bill; the stack allows 6.",
    ]


def test_production_in_both_patterns_where_a_narrow_window_cuts_no_word() -> None:
    done = cost("prod", "--prices", "us-east-1", columns=80)
    assert (done.returncode, done.stderr) == (0, "")
    assert "The two patterns, expected dollars a month" in done.stdout
    assert max(map(len, done.stdout.splitlines())) == 80
    spreads, _ = costs.assumed(())
    recording = record(ROOT, "prod")
    prices = files.load("us-east-1")
    bill = costs.bill(reading.read(recording), prices, spreads)
    words = set(done.stdout.split())
    for sheet in page.sheets(bill, prices, page.settled(reading.read(recording), spreads)):
        assert {word for row in sheet.rows for cell in row for word in cell.split()} <= words


@pytest.mark.parametrize(
    ("arguments", "status", "part"),
    [
        (("dev",), 1, "error: no prices of 'eu-west-1' are known here, only of us-east-1"),
        (("dev", "--prices", "mars"), 1, "error: no prices of 'mars' are known here"),
        (("nothing", "--prices", "us-east-1"), 1, "error: no stack 'nothing'"),
        (("dev", "--assume", "requests=x"), 1, "error: invalid assumptions:\n  requests: is not one number, nor three"),
        (("dev", "--assume"), 2, "expected one argument"),
    ],
)
def test_what_is_wrong_is_one_error(arguments: tuple[str, ...], status: int, part: str) -> None:
    done = cost(*arguments)
    assert (done.returncode, done.stdout) == (status, "")
    assert part in done.stderr
    assert "Traceback" not in done.stderr


REFUSES = """
aws.amp.Workspace("workspace")
aws.kms.Key("key")
if pulumi.Config().get("pattern") == "service":
    raise pulumi.RunError("no collectors of their own here")
"""


def test_a_stack_that_cannot_have_both_patterns_says_so(project: Callable[..., Path]) -> None:
    done = cost("dev", "--root", str(project(REFUSES)), "--prices", "us-east-1")
    assert (done.returncode, done.stderr) == (0, "")
    assert "Keys and names" in done.stdout
    assert done.stdout.splitlines()[-1].rstrip() == (
        "- The two patterns cannot be compared, since this stack cannot have both: no collectors of their own here"
    )


def test_the_picture_and_the_table_of_the_page_are_of_today() -> None:
    made = curve.made(ROOT)
    stale = [str(path) for path, text in made.items() if (ROOT / path).read_text("utf-8") != text]
    assert not stale, "run make curve"
    picture = ElementTree.fromstring(made[curve.PICTURE])
    lines = picture.findall("{http://www.w3.org/2000/svg}polyline")
    assert [len(line.attrib["points"].split()) for line in lines] == [len(curve.TASKS)] * 3
