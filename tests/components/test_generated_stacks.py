"""Generated configurations all the way: recorded, rendered, judged from outside, and run by the real collector.

`make fuzz` tries thousands, and others each time; see tests/conftest.py.
"""

import asyncio
import functools
import inspect
import json
import os
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml
from hypothesis import HealthCheck, Phase, given, note, reject, settings

from documents.text import from_yaml
from preview.recorder import ProgramError, Recording
from proof import equipment
from proof.plan import Plan, PlanError, plan
from proof.sigv4 import Credentials
from proof.sts import VARIABLE, Role, Sts
from tests import configurations, judges
from tests.components import test_every_stack
from tests.components.test_cloud_formation import resources_of
from tests.components.test_every_stack import rendering
from tests.components.variants import program as recorded_program
from tests.configurations import MANY, Configuration
from tests.documents.alerting import promtool
from tests.documents.boards import plain
from tools.build import MissingProgram, program
from trials.rig import collecting, rig

pytestmark = pytest.mark.slow

REFUSED = "this stack cannot be deployed:"


def stacks(few: int, many: int) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """So many of them. None is made smaller once it fails: that would take longer than to read it."""

    def decorated(test: Callable[..., None]) -> Callable[..., None]:
        limited = settings(
            max_examples=many if MANY else few,
            phases=(Phase.explicit, Phase.generate),
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
        )
        return limited(given(values=configurations.configurations())(test))

    return decorated


def recorded(values: Configuration) -> Recording:
    """What the program asks for. What only AWS knows may be against it, which is said in the words of a fault."""
    note(json.dumps(values))
    try:
        return recorded_program(values)
    except ProgramError as error:
        first, *faults = str(error).splitlines()
        assert first == REFUSED
        assert faults
        for fault in faults:
            assert fault.partition(".")[0].strip() in values, fault
            assert "; " in fault
        reject()


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Path]:
    """Makes an empty folder each time."""
    return lambda: tmp_path_factory.mktemp("generated")


def given_program(name: str) -> Path:
    try:
        return program(name)
    except MissingProgram as missing:
        pytest.skip(str(missing))


CHECKS = [
    check
    for name, check in vars(test_every_stack).items()
    if name.startswith("test_") and [*inspect.signature(check).parameters] == ["recording"]
]
"""What holds for every stack holds for these."""


@stacks(16, 1000)
def test_what_holds_for_every_stack_holds_for_these(values: Configuration) -> None:
    recording = recorded(values)
    for check in CHECKS:
        check(recording)


@stacks(4, 200)
def test_cloud_formation_takes_them(values: Configuration) -> None:
    recording = recorded(values)
    assert judges.cloud_formation(resources_of("generated", recording), recording.region) == []


# Prometheus, Alertmanager, Grafana


@functools.cache
def refused_rules(text: str, folder: Path) -> str:
    file = folder / "rules.yaml"
    file.write_text(text)
    return promtool.run("check", "rules", str(file))


@functools.cache
def refused_definition(text: str, folder: Path) -> str:
    """What amtool says of a definition. AMP's own way to a secret is none of Alertmanager's: it is a text here."""
    document = yaml.safe_load(text)
    configuration = yaml.safe_load(document["alertmanager_config"])
    for receiver in configuration["receivers"]:
        for pager in receiver.get("pagerduty_configs", ()):
            pager["routing_key"] = "key"
    for name, template in document["template_files"].items():
        (folder / name).write_text(template)
    file = folder / "alertmanager.yaml"
    file.write_text(yaml.safe_dump(configuration))
    done = subprocess.run([given_program("amtool"), "check-config", file], capture_output=True, text=True, check=False)
    return done.stderr if done.returncode else ""


def queries(dashboard: Mapping[str, Any]) -> list[str]:
    """Every PromQL query of a dashboard, with values for Grafana's variables."""
    rows = dashboard["panels"]
    panels = [*rows, *(panel for row in rows for panel in row.get("panels") or ())]
    targets = [target for panel in panels for target in panel.get("targets") or ()]
    return [
        plain(target["expr"]) for target in targets if target["datasource"]["type"].endswith("prometheus-datasource")
    ]


@stacks(16, 1000)
def test_rules_and_dashboards_and_alertmanagers_definitions(scratch: Callable[[], Path], values: Configuration) -> None:
    folder = scratch()
    for path, text in rendering(recorded(values)).items():
        match path.split("/")[-2:]:
            case ["rules", _]:
                assert refused_rules(text, folder) == "", path
            case ["alertmanager", _]:
                assert refused_definition(text, folder) == "", path
            case ["dashboards", _]:
                for query in queries(json.loads(text)):
                    promql_parser.parse(query)
            case _:
                pass


# The collector


def planned(recording: Recording) -> Plan:
    """What would run of it. A stack of nothing but tasks by the clock has no load to prove it with."""
    try:
        made = plan(recording, rendering(recording))
        equipment.check(made, given_program("collector"))
    except (PlanError, equipment.LackingError):
        reject()
    return made


async def validated(text: str, wanted: Plan) -> str:
    """What the collector says against a configuration. It asks for a role's session to find out."""
    own = Credentials("ASIA0123456789ABCDEF", "secret", "token")
    role = Role(wanted.central.role, wanted.central.external_id) if wanted.central else None
    async with Sts({own.access_key: own}, wanted.region, role).open() as port:
        variables = {
            "PATH": os.environ["PATH"],
            "AWS_ACCESS_KEY_ID": own.access_key,
            "AWS_SECRET_ACCESS_KEY": own.secret_key,
            "AWS_SESSION_TOKEN": own.session_token,
            "AWS_REGION": wanted.region,
            VARIABLE: f"http://127.0.0.1:{port}",
            "AWS_PROMETHEUS_ENDPOINT": "http://127.0.0.1/api/v1/remote_write",
            "ECS_CONTAINER_METADATA_URI_V4": "http://127.0.0.1/v4/task",
            "CONFIGURATION": text,
        }
        process = await asyncio.create_subprocess_exec(
            program("collector"),
            "validate",
            "--config=env:CONFIGURATION",
            env=variables,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await process.communicate()
    return said.decode() if process.returncode else ""


VALIDATED: set[str] = set()
"""Configurations that the collector has taken, each once."""


@stacks(12, 2000)
def test_the_collector_takes_every_configuration(values: Configuration) -> None:
    wanted = planned(recorded(values))
    for path, text in wanted.documents.items():
        if path.startswith("collector/") and text not in VALIDATED:
            assert from_yaml(text) == yaml.safe_load(text)
            assert asyncio.run(validated(text, wanted)) == "", path
            VALIDATED.add(text)


@stacks(6, 300)
def test_the_collector_starts_and_takes_a_span(scratch: Callable[[], Path], values: Configuration) -> None:
    """But for stacks with a central account, whose roles only a whole proof has (tests/proof/test_prove_central.py)."""
    wanted = planned(recorded(values))
    if wanted.central:
        reject()

    async def start() -> None:
        for service in collecting(wanted):
            async with rig(wanted, service, given_program("collector").resolve(), scratch()) as running:
                assert all(running.alive(name) for name in running.collectors)

    asyncio.run(start())
