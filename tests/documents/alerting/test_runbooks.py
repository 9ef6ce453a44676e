"""Every alert has its page, with commands that AWS's command line has."""

import re
import shlex
from pathlib import Path

import botocore.session
import pytest
from botocore import xform_name

from documents.alerting.alerts import ALERTS
from documents.alerting.model import Alert

RUNBOOKS = Path(__file__).parents[3] / "docs" / "runbooks"
TABLE = RUNBOOKS.parent / "alerts.md"
SESSION = botocore.session.get_session()
GLOBAL = {"--query", "--output", "--region"}
TAIL = {"--log-stream-name-prefix", "--since", "--filter-pattern", "--follow"}
"""Options of `aws logs tail`, which is no operation of CloudWatch Logs."""

every = pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)


def commands(page: str) -> list[list[str]]:
    """The commands of the section "First", as words; one in `$(...)` comes after the one that it stands in."""
    [block] = re.findall(r"## First\n.*?```sh\n(.*?)```", page, re.DOTALL)
    lines = block.replace("\\\n", " ").splitlines()
    called = [found for line in lines if "aws " in line for found in _nested(line)]
    return [shlex.split(text) for text in called if text.startswith("aws ")]


def _nested(line: str) -> list[str]:
    inner = re.findall(r"\$\((aws [^()]*)\)", line)
    outer = re.sub(r"\$\([^()]*\)", "INNER", line.partition("#")[0])
    return [outer.partition("=")[2] if outer.startswith("WORKSPACE=") else outer, *inner]


@every
def test_the_page_says_what_to_do_first(alert: Alert) -> None:
    page = (RUNBOOKS / f"{alert.runbook}.md").read_text()
    assert page.startswith(f"# {alert.name}\n")
    assert re.findall(r"^## (.*)$", page, re.MULTILINE) == ["First", "Likely causes", "It is over when"]
    assert len([words for words in commands(page) if "$CLUSTER" in " ".join(words) or "INNER" in words]) >= 2
    assert len(commands(page)) >= 3


@every
def test_its_commands_exist(alert: Alert) -> None:
    for _, service, operation, *rest in commands((RUNBOOKS / f"{alert.runbook}.md").read_text()):
        options = {word for word in rest if word.startswith("--")} - GLOBAL
        if (service, operation) == ("logs", "tail"):
            assert options <= TAIL
            continue
        model = SESSION.get_service_model(service)
        known = {xform_name(name, "-"): name for name in model.operation_names}
        assert operation in known, (service, operation)
        shape = model.operation_model(known[operation]).input_shape
        taken = {f"--{xform_name(name, '-')}" for name in (shape.members if shape else ())}
        assert options <= taken, (service, operation, options - taken)


@every
def test_its_links_lead_somewhere(alert: Alert) -> None:
    page = RUNBOOKS / f"{alert.runbook}.md"
    for target in re.findall(r"\]\(([^)#]+)", page.read_text()):
        assert (page.parent / target).is_file(), target


def test_the_table_has_every_alert_with_its_severity_and_page() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \|.*\(runbooks/(.*)\.md\) \|$", TABLE.read_text(), re.MULTILINE)
    assert rows == [(alert.name, alert.severity.value, alert.runbook) for alert in ALERTS]
