"""A stack that is deployed well, and one thing wrong at a time: what is said, and which cause is named."""

import asyncio
import copy
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from documents.dashboards.sources import AMP, CLOUDWATCH, XRAY
from proof.web import Answer, Request
from tests.verify import stack
from tests.verify.cloud import TOKEN, USER, Cloud, running, series, users_own
from verify.aws import Aws, RefusedError
from verify.questions import faults, verified
from verify.verdict import Kind, Verdict

pytestmark = pytest.mark.slow

Asked = Callable[..., list[Verdict]]


@pytest.fixture(scope="module")
def asked() -> Iterator[Asked]:
    """Asks a cloud every question; all of them have one address, so that botocore reads its models once."""
    clouds = [Cloud()]

    async def answer(request: Request) -> Answer:
        return await clouds[-1].handle(request)

    with running(answer) as port, pytest.MonkeyPatch.context() as patch:
        users_own(patch)
        patch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
        aws, deployed = Aws("eu-west-1"), stack.deployed(port)

        def ask(cloud: Cloud, *boards: Mapping[str, Any]) -> list[Verdict]:
            clouds.append(cloud)
            work = verified(stack.recording(*boards), stack.plan(*boards), deployed, aws, url="", say=lambda _: None)
            verdicts = asyncio.run(work)
            assert cloud.tokens == set(), "the token outlived the question"
            everything = repr(verdicts)
            assert not any(
                secret in everything for secret in (USER.secret_key, USER.session_token, TOKEN, stack.SUBSCRIBED)
            )
            return verdicts

        yield ask


def named(verdicts: list[Verdict], subject: str) -> Verdict:
    return next(one for one in verdicts if one.subject == subject)


def causes(verdicts: list[Verdict]) -> dict[str, list[str]]:
    """What failed, by the first word of its cause."""
    found: dict[str, list[str]] = {}
    for cause, failed in faults(verdicts).items():
        found.setdefault(cause.partition(":")[0], []).extend(one.subject for one in failed)
    return found


def test_all_is_well(asked: Asked) -> None:
    cloud = stack.cloud()
    verdicts = asked(cloud)
    assert [(one.kind, one.area, one.subject, one.series, one.found) for one in verdicts] == [
        (Kind.GOOD, "service", "front", 0, "1 of 1 tasks run"),
        (Kind.NOT_ASKED, "traffic", "a fresh request", 0, ""),
        (Kind.DATA, "variable", "Shop / $application", 1, "shop/front"),
        (Kind.DATA, "panel", "Shop / Requests / A", 1, "1.5"),
        (Kind.DATA, "panel", "Shop / Tasks / A", 1, "1.5"),
        (Kind.DATA, "panel", "Shop / Traces / A", 3, "3 traces"),
        (Kind.DATA, "panel", "Shop / Map / A", 3, "3 services"),
        (Kind.DATA, "panel", "Shop / Latency / A", 3, "3 points"),
        (Kind.NOT_ASKED, "panel", "Shop / One trace / A", 0, ""),
        (Kind.DATA, "panel", "Shop / CPU / A", 1, "1 to 2"),
        (Kind.DATA, "panel", "Shop / Memory / A", 1, "1 to 2"),
        (Kind.NOT_ASKED, "panel", "Shop / Log / A", 0, ""),
        (Kind.GOOD, "rules", "requests", 0, "the stack's own, active"),
        (Kind.GOOD, "rule", "job:http_requests:rate5m", 0, "evaluates"),
        (Kind.GOOD, "rule", "HighErrorRate", 0, "evaluates"),
        (Kind.GOOD, "alertmanager", "definition", 0, "the stack's own, active 0.28.0"),
        (Kind.GOOD, "alarm", stack.ALARM, 0, "OK"),
        (Kind.GOOD, "subscription", "shop-dev-alerts / email 1", 0, "confirmed"),
        (Kind.GOOD, "plugin", AMP.type, 0, "installed 2.17.1"),
        (Kind.GOOD, "data source", "amp", 0, "healthy"),
        (Kind.GOOD, "plugin", XRAY.type, 0, "installed 2.17.1"),
        (Kind.GOOD, "data source", "xray", 0, "healthy"),
        (Kind.GOOD, "plugin", CLOUDWATCH.type, 0, "installed 2.17.1"),
        (Kind.GOOD, "data source", "cloudwatch", 0, "healthy"),
        (Kind.GOOD, "dashboard", "Shop", 0, "unchanged"),
        (Kind.GOOD, "alert rule", "TraceFaults", 0, "there"),
    ]
    assert faults(verdicts) == {}
    assert (
        named(verdicts, "Shop / Requests / A").query
        == 'sum(rate(http_server_request_duration_seconds_count{job="shop/front"}[240000ms]))'
    )
    assert cloud.metric_queries == [
        {
            "Id": "q0",
            "ReturnData": True,
            "MetricStat": {
                "Metric": {
                    "Namespace": "ECS/ContainerInsights",
                    "MetricName": "CpuUtilized",
                    "Dimensions": [
                        {"Name": "ClusterName", "Value": "shop-dev"},
                        {"Name": "ServiceName", "Value": "front"},
                    ],
                },
                "Period": 60,
                "Stat": "Average",
            },
        },
        {"Id": "q0", "ReturnData": True, "Expression": "SUM(raw)", "Period": 60},
        cloud.metric_queries[0] | {"Id": "raw", "ReturnData": False},
    ]


def test_a_role_that_lacks_a_permission_is_told_which(asked: Asked) -> None:
    denied = {"aps:QueryMetrics", "xray:GetTraceSummaries", "cloudwatch:GetMetricData", "aps:ListRules"}
    verdicts = asked(stack.cloud(denied=denied))
    assert {cause: [one.subject for one in failed] for cause, failed in faults(verdicts).items()} == {
        "role: your credentials need aps:QueryMetrics": ["Shop / Requests / A", "Shop / Tasks / A"],
        "role: your credentials need xray:GetTraceSummaries": ["Shop / Traces / A"],
        "role: your credentials need cloudwatch:GetMetricData": ["Shop / CPU / A", "Shop / Memory / A"],
        "role: your credentials need aps:ListRules": ["requests"],
    }


def test_a_role_that_may_make_no_token_is_told_so_and_the_rest_is_asked(asked: Asked) -> None:
    verdicts = asked(stack.cloud(denied={"grafana:CreateWorkspaceServiceAccountToken"}))
    [(cause, [verdict])] = faults(verdicts).items()
    assert cause == "role: your credentials need grafana:CreateWorkspaceServiceAccountToken"
    assert verdict.area == "grafana"


def test_requests_for_another_region_are_told_apart(asked: Asked) -> None:
    verdicts = asked(stack.cloud(region="us-east-1"))
    assert set(causes(verdicts)) == {"region"}
    assert named(verdicts, "front").found == (
        "403 InvalidSignatureException: Credential should be scoped to a valid region."
    )


def test_a_stack_that_was_deployed_elsewhere_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    users_own(monkeypatch)
    deployed = stack.Deployment("https://aps-workspaces.us-east-1.amazonaws.com/workspaces/ws-1", "")
    work = verified(stack.recording(), stack.plan(), deployed, Aws("eu-west-1"), url="", say=lambda _: None)
    [verdict] = asyncio.run(work)
    assert verdict.cause == "region: the stack was deployed in us-east-1, its file says eu-west-1"


def test_an_expired_session_is_one_cause(asked: Asked) -> None:
    verdicts = asked(stack.cloud(expired=True))
    assert list(faults(verdicts)) == [
        "credentials: yours have expired; log in again, for instance with `aws sso login`"
    ]


def test_a_token_that_grafana_does_not_take_is_told_apart(asked: Asked) -> None:
    verdicts = asked(stack.cloud(knows_token=False))
    assert causes(verdicts) == {"credentials": [AMP.type, XRAY.type, CLOUDWATCH.type, "Shop", "shop-dev-traces"]}
    assert named(verdicts, "Shop").found == "401: Invalid API key"


def test_a_missing_plugin_is_named(asked: Asked) -> None:
    verdicts = asked(stack.cloud(plugins={AMP.type, CLOUDWATCH.type}))
    assert causes(verdicts) == {"plugin": [XRAY.type]}
    assert named(verdicts, XRAY.type).found == "not installed"


def test_a_dashboard_that_was_changed_by_hand_is_found_with_the_place(asked: Asked) -> None:
    changed = copy.deepcopy(stack.BOARD)
    changed["panels"][1]["targets"][0]["expr"] = "count(down)"
    verdicts = asked(stack.cloud(dashboards={"shop": changed}))
    assert causes(verdicts) == {"dashboard": ["Shop"]}
    assert named(verdicts, "Shop").found == "differs at panels[1].targets[0].expr"
    assert named(asked(stack.cloud(dashboards={})), "Shop").found == "missing"


@pytest.mark.parametrize(
    ("message", "cause"),
    [
        ("AccessDeniedException: User is not authorized to perform: aps:QueryMetrics", "role"),
        ("Plugin not found", "plugin"),
        ("dial tcp: lookup aps-workspaces.eu-west-1.amazonaws.com: no such host", "endpoint"),
        ("Credential should be scoped to a valid region", "region"),
    ],
)
def test_an_unhealthy_data_source_says_why(asked: Asked, message: str, cause: str) -> None:
    verdicts = asked(stack.cloud(health={"amp": message}))
    assert causes(verdicts) == {cause: ["amp"]}
    assert named(verdicts, "amp").found == f"400: {message}"


def test_a_data_source_of_another_kind_or_none_is_found(asked: Asked) -> None:
    verdicts = asked(stack.cloud(sources={"amp": "prometheus", "cloudwatch": "cloudwatch"}))
    assert (named(verdicts, "amp").found, named(verdicts, "xray").found) == ("of type prometheus", "missing")


def test_no_data_yet(asked: Asked) -> None:
    verdicts = asked(stack.cloud(answers=lambda _: [], traces=0, metric_values=[]))
    by_cause = faults(verdicts)
    [silent, insights] = by_cause
    assert silent == (
        "no data yet: no collector has written; the first samples take about three minutes after a deployment, "
        "after that see the log group /ecs/shop-dev/front"
    )
    assert [one.subject for one in by_cause[silent]] == [
        "Shop / $application", "Shop / Requests / A", "Shop / Tasks / A", "Shop / Map / A", "Shop / Latency / A",
    ]  # fmt: skip
    assert insights.startswith("no data yet: Container Insights")
    assert named(verdicts, "Shop / Traces / A").kind is Kind.EMPTY
    assert named(verdicts, "Shop / Requests / A").found == "nobody writes http_server_request_duration_seconds_count"


def test_tasks_that_do_not_run_are_the_cause(asked: Asked) -> None:
    verdicts = asked(stack.cloud(answers=lambda _: [], tasks={"front": (0, 2)}))
    assert set(causes(verdicts)) == {"task"}
    assert named(verdicts, "front").found == "0 of 2 tasks run: unable to place a task"
    assert named(asked(stack.cloud(tasks={"front": (-1, -1)})), "front").found == "missing"


def test_what_a_collector_complains_about_is_the_cause(asked: Asked) -> None:
    line = '{"level":"error","msg":"Exporting failed","error":"Permanent error: remote write returned HTTP status 403"}'
    assert set(causes(asked(stack.cloud(answers=lambda _: [], log=[line])))) == {"role"}


def test_a_query_that_finds_nothing_of_a_metric_with_data_is_no_fault(asked: Asked) -> None:
    def answers(query: str) -> Any:
        return [] if query.startswith("sum(rate(http_server_request_duration_seconds_count") else series(query)

    verdicts = asked(stack.cloud(answers=answers))
    verdict = named(verdicts, "Shop / Requests / A")
    assert (verdict.kind, verdict.cause) == (Kind.EMPTY, "its metrics have data, and none of it matches now")
    assert faults(verdicts) == {}


def test_values_that_are_no_numbers_are_no_data(asked: Asked) -> None:
    verdicts = asked(stack.cloud(answers=lambda query: [one | {"value": "NaN"} for one in series(query)]))
    verdict = named(verdicts, "Shop / Tasks / A")
    assert (verdict.kind, verdict.cause) == (Kind.EMPTY, "its values are no numbers, as 0/0 is none")


@pytest.mark.parametrize("name", ["otelcol_exporter_send_failed_spans_total", "jvm_memory_used_bytes", "ALERTS"])
def test_metrics_that_not_every_stack_has_are_no_fault(asked: Asked, name: str) -> None:
    board = stack.BOARD | {"templating": {}, "panels": [stack.panel("P", stack.target(AMP, expr=f"sum({name})"))]}

    def answers(query: str) -> Any:
        return [] if name in query else series(query)

    verdicts = asked(stack.cloud(answers=answers, dashboards={"shop": board}), board)
    verdict = named(verdicts, "Shop / P / A")
    assert (verdict.kind, verdict.cause) == (Kind.EMPTY, f"nobody writes {name}, and not every stack has it")
    assert faults(verdicts) == {}


def test_a_query_that_amp_cannot_read_is_a_fault(asked: Asked) -> None:
    board = stack.BOARD | {"templating": {}, "panels": [stack.panel("Bad", stack.target(AMP, expr="syntax error"))]}
    verdicts = asked(stack.cloud(dashboards={"shop": board}), board)
    assert named(verdicts, "Shop / Bad / A").found == "parse error"
    assert causes(verdicts) == {"query": ["Shop / Bad / A"]}


@pytest.mark.parametrize(
    ("change", "subject", "found"),
    [
        ({"rules_status": {"statusCode": "CREATION_FAILED", "statusReason": "bad"}}, "requests", "CREATION_FAILED bad"),
        ({"rules": {"requests": "groups: []"}}, "requests", "other rules than the stack's"),
        ({"loaded": []}, "HighErrorRate", "not loaded"),
        ({"alertmanager": {"statusCode": "CREATION_FAILED"}}, "definition", "CREATION_FAILED"),
        ({"alarms": {}}, stack.ALARM, "missing"),
        ({"definition": stack.DEFINITION.format(topic="arn") + "# mine"}, "definition",
         "another definition than the stack's"),
        ({"alarms": {stack.ALARM: stack.told(1.0) | {"ActionsEnabled": False}}}, stack.ALARM, "tells nobody"),
        ({"alarms": {stack.ALARM: stack.told(2.0)}}, stack.ALARM, "differs at Threshold"),
        ({"subscriptions": {}}, "shop-dev-alerts", "0 of 1 subscriptions"),
        ({"subscriptions": {"shop-dev-alerts": [{"SubscriptionArn": "PendingConfirmation", "Protocol": "email"}]}},
         "shop-dev-alerts / email 1", "not confirmed"),
        ({"paused": True}, "TraceFaults", "paused"),
        ({"paused": None}, "TraceFaults", "missing"),
        ({"accounts": []}, "127", "404: no service account shop-dev"),
    ],
)  # fmt: skip
def test_what_stands_behind_alerts_and_grafana(asked: Asked, change: Any, subject: str, found: str) -> None:
    verdict = named(asked(stack.cloud(**change)), subject)
    assert (verdict.kind, verdict.found) == (Kind.FAILED, found)


def test_rules_that_fail_or_fire(asked: Asked) -> None:
    rules = [
        {"name": "job:http_requests:rate5m", "health": "err", "lastError": "too many samples"},
        {"name": "HighErrorRate", "health": "ok", "state": "firing"},
    ]
    verdicts = asked(stack.cloud(loaded=[{"name": "requests", "rules": rules}]))
    assert named(verdicts, "job:http_requests:rate5m").found == "too many samples"
    assert named(verdicts, "HighErrorRate").found == "evaluates and fires"


def test_no_credentials_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    users_own(monkeypatch)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(RefusedError) as refused:
        Aws("eu-west-1")
    assert refused.value.cause == "credentials: run `aws configure` or `aws sso login`, or set AWS_PROFILE"


def test_a_login_that_has_run_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    users_own(monkeypatch)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name)
    (tmp_path / "config").write_text("[profile work]\ncredential_process = false\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    with pytest.raises(RefusedError) as refused:
        Aws("eu-west-1", "work")
    assert refused.value.cause.startswith("credentials: ")


def test_nobody_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    users_own(monkeypatch)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    deployed = stack.deployed(9)
    work = verified(stack.recording(), stack.plan(), deployed, Aws("eu-west-1"), url="", say=lambda _: None)
    assert set(causes(asyncio.run(work))) == {"endpoint"}
