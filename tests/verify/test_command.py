"""The command from start to table: a real stack, a real Prometheus behind AMP's address, the other APIs beside it."""

import asyncio
import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from rich.console import Console

from documents.catalogue import REQUEST_DURATION, Label
from preview import render
from preview.recorder import record
from proof import remote_write
from proof.processes import Children, Program
from proof.task import base, free_ports
from proof.waiting import answers
from tests.verify import stack
from tests.verify.cloud import TOKEN, USER, WORKSPACE, Cloud, running, users_own
from tests.verify.test_deployment import cli
from tools.build import program
from verify import __main__ as command
from verify import traffic
from verify.verdict import Kind, Verdict

ROOT = Path(__file__).resolve().parents[2]
INTERVAL = 60


def samples(at: float) -> list[tuple[remote_write.Labels, float, int]]:
    """What the sample's process has counted at a time: a request each second, all of them fast."""
    names = {
        Label.CLUSTER: "ecs-observability-dev",
        Label.SERVICE: "storefront",
        Label.FAMILY: "ecs-observability-dev-storefront",
        Label.ENVIRONMENT: "dev",
        Label.JOB: "ecs-observability/storefront",
        Label.INSTANCE: "0123",
        Label.TASK: "0123",
        Label.METHOD: "GET",
        Label.ROUTE: "/orders/{id}",
        Label.STATUS: "200",
    }
    count = at - 1_700_000_000
    series = [("count", {}, count), ("sum", {}, count / 10)]
    series += [("bucket", {Label.BOUND: bound}, count) for bound in ("0.1", "0.25", "+Inf")]
    return [
        (tuple(sorted({**names, **more, "__name__": f"{REQUEST_DURATION.name}_{kind}"}.items())), value, int(1000 * at))
        for kind, more, value in series
    ]


def echo(outputs: dict[str, str]) -> str:
    """What a Pulumi CLI does that is asked for outputs."""
    return f"echo '{json.dumps(outputs)}'"


@contextmanager
def prometheus(folder: Path, rules: Mapping[str, str]) -> Iterator[int]:
    """A Prometheus with twenty minutes of the sample's requests, and one more each half second."""
    port = next(free_ports())
    for name, text in rules.items():
        (folder / f"{name}.rules").write_text(text)
    configuration = {"global": {"evaluation_interval": "1s"}, "rule_files": ["*.rules"]}
    (folder / "prometheus.yaml").write_text(yaml.safe_dump(configuration))
    arguments = [
        str(program("prometheus").resolve()),
        "--config.file=prometheus.yaml",
        "--storage.tsdb.path=data",
        f"--web.listen-address=127.0.0.1:{port}",
        "--web.enable-remote-write-receiver",
    ]
    over = threading.Event()
    headers = {"content-encoding": "snappy", "content-type": "application/x-protobuf"}

    def write(at: float) -> None:
        body = remote_write.encode(samples(at))
        httpx.post(f"http://127.0.0.1:{port}/api/v1/write", content=body, headers=headers).raise_for_status()

    def go_on() -> None:
        while not over.wait(0.5):
            write(time.time())

    with Children(folder) as children:
        child = children.start(Program("prometheus", arguments, base(folder)))
        asyncio.run(answers(child, f"http://127.0.0.1:{port}/-/ready"))
        now = time.time()
        for step in range(20, 0, -1):
            write(now - INTERVAL * step)
        writer = threading.Thread(target=go_on)
        writer.start()
        try:
            yield port
        finally:
            over.set()
            writer.join()


@pytest.fixture
def verdicts(monkeypatch: pytest.MonkeyPatch) -> list[Verdict]:
    """What the command came to say."""
    said: list[Verdict] = []
    show = command.show
    monkeypatch.setattr(command, "show", lambda found, console: (said.extend(found), show(found, console)))
    return said


@pytest.mark.slow
def test_a_real_stack_against_a_real_prometheus(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], verdicts: list[Verdict]
) -> None:
    users_own(monkeypatch)
    monkeypatch.setattr(traffic, "_PAUSE_SECONDS", 0.2)
    documents = render.documents(record(ROOT, "dev"))
    boards = [json.loads(text) for path, text in documents.items() if path.startswith("dashboards/")]
    alarms = [json.loads(text) for path, text in documents.items() if path.startswith("alarms/")]
    [definition] = [text for path, text in documents.items() if path.startswith("alertmanager/")]
    rules = {path[6:-5]: text for path, text in documents.items() if path.startswith("rules/")}
    with prometheus(tmp_path, rules) as store:
        cloud = Cloud(
            prometheus=store,
            accounts=["ecs-observability-dev"],
            dashboards={board["uid"]: board for board in boards},
            rules=rules,
            alarms={alarm["AlarmName"]: alarm | {"StateValue": "OK"} for alarm in alarms},
            definition=definition,
        )
        with running(cloud.handle) as port:
            monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
            address = f"http://127.0.0.1:{port}"
            outputs = {"metricsQueryUrl": f"{address}/workspaces/{WORKSPACE}/api/v1/query", "grafanaUrl": address}
            monkeypatch.setenv("PATH", f"{cli(tmp_path, echo(outputs))}:/bin:/usr/bin")
            code = command.main(["dev"])
    said = capsys.readouterr()
    assert said.err == ""
    assert code == 1, "no collector writes here, so panels of collectors fail"
    assert not any(secret in said.out for secret in (USER.secret_key, USER.session_token, TOKEN))
    assert cloud.tokens == set()
    kinds = {one.kind for one in verdicts}
    assert {Kind.DATA, Kind.GOOD, Kind.FAILED} <= kinds
    [fresh] = [one for one in verdicts if one.subject == "a fresh request"]
    assert fresh.kind is Kind.DATA
    # Every query of every panel was understood, however it is spelled on its way.
    assert [one for one in verdicts if one.cause.startswith(("query", "credentials", "region"))] == []
    assert [
        one.subject
        for one in verdicts
        if one.area in ("dashboard", "alarm", "alertmanager") and one.kind is not Kind.GOOD
    ] == []
    panels = [one for one in verdicts if one.area == "panel" and REQUEST_DURATION.name in one.query]
    assert any(one.kind is Kind.DATA and one.series for one in panels)
    assert {one.area for one in verdicts if one.kind is Kind.FAILED} == {"panel", "variable"}
    application = [one for one in verdicts if one.subject == "Application / $cluster"]
    assert [one.found for one in application] == ["ecs-observability-dev"]


def test_a_stack_that_is_not_deployed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", f"{cli(tmp_path, echo({}))}:/bin:/usr/bin")
    assert command.main(["dev"]) == 2
    assert capsys.readouterr().err == "verify: stack 'dev' has no deployment; run `make deploy STACK=dev` first\n"


def test_the_table_names_each_cause_once(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    found: list[Any] = [
        Verdict(Kind.DATA, "panel", "Shop / Requests / A", "sum(x)", 2, "1 to 2"),
        Verdict(Kind.NOT_ASKED, "panel", "Shop / Log / A", "fields", cause="it is billed"),
        *(Verdict(Kind.FAILED, "panel", f"Shop / {one} / A", found="403", cause="role: r") for one in "abcde"),
    ]
    command.show(found, Console())
    said = capsys.readouterr().out
    assert said.count("✗ role: r") == 1
    assert "Shop / a / A, Shop / b / A, Shop / c / A and 2 more; the answer: 403" in said
    assert "it is billed" in said
    assert said.endswith("\n1 live: data, 1 not asked, 5 failed\n")


def test_a_fault_of_the_cloud_is_no_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    users_own(monkeypatch)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    outputs = {"metricsQueryUrl": "http://127.0.0.1:9/workspaces/ws-1/api/v1/query"}
    monkeypatch.setenv("PATH", f"{cli(tmp_path, echo(outputs))}:/bin:/usr/bin")
    monkeypatch.setattr(command, "record", lambda *_: stack.recording())
    monkeypatch.setattr(command, "plan", lambda *_: stack.plan())
    monkeypatch.setattr(command.render, "documents", lambda _: {})
    assert command.main(["dev"]) == 2
    assert capsys.readouterr().err.startswith("verify: credentials: run `aws configure`")
