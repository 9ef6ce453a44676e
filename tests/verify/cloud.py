"""AWS and Grafana as `verify` asks them: one loopback server that speaks the documented protocol of each API.

Signatures are verified as AWS would. What a test wants to be wrong, it sets on the `Cloud`.
"""

import asyncio
import base64
import json
import os
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qs, parse_qsl, quote, urlsplit

import pytest

from documents.dashboards.sources import AMP, CLOUDWATCH, XRAY
from proof import sigv4
from proof.sigv4 import Credentials, Scope
from proof.web import Answer, Handler, Request, fetch, serve

REGION = "eu-west-1"
USER = Credentials("ASIAUSER", "a-secret-of-the-user", "token/of=the+user")
WORKSPACE = "ws-00000000-0000-0000-0000-000000000000"
TOKEN = "glsa_secret-of-grafana"

_TARGETS = {
    "AmazonEC2ContainerServiceV20141113": "ecs",
    "Logs_20140328": "logs",
    "GraniteServiceVersion20100801": "cloudwatch",
}
_XRAY = ("/TraceSummaries", "/ServiceGraph", "/TimeSeriesServiceStatistics")
_PATHS = (
    (r"GET serviceaccounts", ("grafana", "ListWorkspaceServiceAccounts")),
    (r"POST serviceaccounts/\w+/tokens", ("grafana", "CreateWorkspaceServiceAccountToken")),
    (r"DELETE serviceaccounts/\w+/tokens/\w+", ("grafana", "DeleteWorkspaceServiceAccountToken")),
    (r"GET rulegroupsnamespaces/\w+", ("amp", "DescribeRuleGroupsNamespace")),
    (r"GET alertmanager/definition", ("amp", "DescribeAlertManagerDefinition")),
    (r"GET alertmanager/api/v2/status", ("aps", "GetAlertManagerStatus")),
    (r"GET api/v1/rules", ("aps", "ListRules")),
    (r"GET api/v1/label/\w+/values", ("aps", "GetLabels")),
    (r"GET api/v1/query(_range)?", ("aps", "QueryMetrics")),
)
"""Paths below a workspace: of AMP's two APIs, and of AMG's."""
_SCOPES = {"cloudwatch": "monitoring", "amp": "aps"}
_CODES = {
    "RequestExpired": ("InvalidSignatureException", "Signature expired: 20260101T000000Z is now earlier than 20260101"),
    "UnrecognizedClientException": ("UnrecognizedClientException", "The security token is invalid."),
    "SignatureDoesNotMatch": ("InvalidSignatureException", "The request signature does not match the provided one."),
}
"""How AWS words what `proof.sigv4` finds."""

Series = list[dict[str, Any]]


def series(query: str) -> Series:
    """Whatever is asked has data."""
    return [{"metric": {"aws_ecs_cluster_name": "shop-dev", "job": "shop/front"}, "value": 1.5}]


@dataclass
class Cloud:
    """What there is. `denied` are IAM actions that the user lacks, `expired` whether the session of the user is over.

    `prometheus` is the port of a real one behind AMP's address; without it `answers` says what a query finds.
    """

    answers: Callable[[str], Series] = series
    prometheus: int = 0
    region: str = REGION
    denied: set[str] = field(default_factory=set[str])
    expired: bool = False
    rules: dict[str, str] = field(default_factory=dict[str, str])
    rules_status: dict[str, str] = field(default_factory=lambda: {"statusCode": "ACTIVE"})
    loaded: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    alertmanager: dict[str, str] = field(default_factory=lambda: {"statusCode": "ACTIVE"})
    definition: str = ""
    tasks: dict[str, tuple[int, int]] = field(default_factory=dict[str, tuple[int, int]])
    log: list[str] = field(default_factory=list[str])
    traces: int = 3
    metric_values: list[float] = field(default_factory=lambda: [1.0, 2.0])
    metric_queries: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    alarms: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    subscriptions: dict[str, list[dict[str, str]]] = field(default_factory=dict[str, list[dict[str, str]]])
    accounts: list[str] = field(default_factory=lambda: ["shop-dev"])
    tokens: set[str] = field(default_factory=set[str])
    knows_token: bool = True
    plugins: set[str] = field(default_factory=lambda: {AMP.type, XRAY.type, CLOUDWATCH.type})
    sources: dict[str, str] = field(default_factory=lambda: {one.uid: one.type for one in (AMP, XRAY, CLOUDWATCH)})
    health: dict[str, str] = field(default_factory=dict[str, str])
    dashboards: dict[str, Any] = field(default_factory=dict[str, Any])
    paused: bool | None = False
    asked: list[str] = field(default_factory=list[str])

    async def handle(self, request: Request) -> Answer:
        path = urlsplit(request.path).path
        if path.startswith("/api/"):
            self.asked.append(f"grafana {path}")
            return self._grafana(request, path.removeprefix("/api/"))
        service, operation = _operation(request)
        self.asked.append(f"{service}:{operation}")
        refusal = self._refusal(request, service, operation)
        if refusal:
            return _error(service, 403, *refusal)
        if service == "aps":
            return await self._prometheus(request, path)
        return _answer(service, operation, self._told(service, operation, request))

    def _refusal(self, request: Request, service: str, operation: str) -> tuple[str, str] | None:
        if self.expired:
            return "ExpiredTokenException", "The security token included in the request is expired"
        try:
            # As AWS does, whatever form the query came in.
            strict = replace(request, path=_strict(request.path))
            sigv4.verify(strict, {USER.access_key: USER}, Scope(self.region, _SCOPES.get(service, service)))
        except sigv4.RefusedError as error:
            if "should be for" in str(error):
                return "InvalidSignatureException", "Credential should be scoped to a valid region."
            return _CODES[str(error).partition(":")[0]]
        action = f"{'aps' if service == 'amp' else service}:{operation}"
        if action in self.denied:
            return "AccessDeniedException", f"User: arn:aws:iam::123456789012:user/u is not authorized: {action}"
        return None

    async def _prometheus(self, request: Request, path: str) -> Answer:
        what = path.removeprefix(f"/workspaces/{WORKSPACE}")
        if what == "/alertmanager/api/v2/status":
            return _json({"versionInfo": {"version": "0.28.0"}, "config": {"original": ""}})
        if self.prometheus:
            query = urlsplit(request.path).query
            return await fetch(self.prometheus, Request("GET", f"{what}?{query}", {}, b""))
        parameters = {name: values[0] for name, values in parse_qs(urlsplit(request.path).query).items()}
        if what == "/api/v1/rules":
            return _json({"status": "success", "data": {"groups": self.loaded}})
        if what.endswith("/values"):
            label = what.split("/")[4]
            found = self.answers(parameters.get("match[]", ""))
            return _json({"status": "success", "data": sorted({one["metric"][label] for one in found})})
        if "syntax error" in parameters["query"]:
            return Answer(400, json.dumps({"status": "error", "error": "parse error"}).encode())
        at = float(parameters.get("time", parameters.get("end", "0")))
        single = what == "/api/v1/query"
        result = [
            {"metric": one["metric"], "value" if single else "values": _points(at, one["value"], single)}
            for one in self.answers(parameters["query"])
        ]
        return _json({"status": "success", "data": {"resultType": "vector" if single else "matrix", "result": result}})

    def _told(self, service: str, operation: str, request: Request) -> Any:
        name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", operation).lower()
        return getattr(self, f"_{service}_{name}")(request)

    def _sts_get_caller_identity(self, _: Request) -> str:
        return "<UserId>u</UserId><Account>123456789012</Account><Arn>arn:aws:iam::123456789012:user/u</Arn>"

    def _sns_list_subscriptions_by_topic(self, request: Request) -> str:
        [arn] = parse_qs(request.body.decode())["TopicArn"]
        found = self.subscriptions.get(arn.removeprefix(f"arn:aws:sns:{REGION}:123456789012:"), [])
        told = ("".join(f"<{key}>{value}</{key}>" for key, value in one.items()) for one in found)
        return f"<Subscriptions>{''.join(f'<member>{one}</member>' for one in told)}</Subscriptions>"

    def _ecs_describe_services(self, request: Request) -> Any:
        wanted = json.loads(request.body)["services"]
        found = {name: self.tasks.get(name, (1, 1)) for name in wanted}
        return {
            "services": [
                {
                    "serviceName": name,
                    "status": "ACTIVE" if desired >= 0 else "INACTIVE",
                    "runningCount": running,
                    "desiredCount": desired,
                    "events": [{"message": "unable to place a task"}],
                }
                for name, (running, desired) in found.items()
            ]
        }

    def _logs_filter_log_events(self, _: Request) -> Any:
        return {"events": [{"message": line} for line in self.log]}

    def _cloudwatch_get_metric_data(self, request: Request) -> Any:
        asked = json.loads(request.body)["MetricDataQueries"]
        self.metric_queries += asked
        answer = {"Values": self.metric_values, "Timestamps": [time.time()] * len(self.metric_values)}
        ids = [one["Id"] for one in asked if one.get("ReturnData", True)]
        return {"MetricDataResults": [{"Id": one, "Label": one, "StatusCode": "Complete", **answer} for one in ids]}

    def _cloudwatch_describe_alarms(self, request: Request) -> Any:
        names = json.loads(request.body)["AlarmNames"]
        found = [{"AlarmName": name, **self.alarms[name]} for name in names if name in self.alarms]
        return {"MetricAlarms": found, "CompositeAlarms": []}

    def _amp_describe_rule_groups_namespace(self, request: Request) -> Any:
        name = request.path.rpartition("/")[2]
        data = base64.b64encode(self.rules[name].encode()).decode()
        return {"ruleGroupsNamespace": {"name": name, "status": self.rules_status, "data": data}}

    def _amp_describe_alert_manager_definition(self, _: Request) -> Any:
        data = base64.b64encode(self.definition.encode()).decode()
        return {"alertManagerDefinition": {"status": self.alertmanager, "data": data}}

    def _xray_get_trace_summaries(self, _: Request) -> Any:
        return {"TraceSummaries": [{"Id": f"1-{index}"} for index in range(self.traces)]}

    def _xray_get_service_graph(self, _: Request) -> Any:
        return {"Services": [{"ReferenceId": index} for index in range(self.traces)]}

    def _xray_get_time_series_service_statistics(self, _: Request) -> Any:
        return {"TimeSeriesServiceStatistics": [{"Timestamp": 1.0} for _ in range(self.traces)]}

    def _grafana_list_workspace_service_accounts(self, _: Request) -> Any:
        return {"serviceAccounts": [{"id": "7", "name": name} for name in self.accounts], "workspaceId": "g-1"}

    def _grafana_create_workspace_service_account_token(self, _: Request) -> Any:
        self.tokens.add("9")
        return {"serviceAccountToken": {"id": "9", "name": "verify", "key": TOKEN}}

    def _grafana_delete_workspace_service_account_token(self, request: Request) -> Any:
        self.tokens.remove(request.path.rpartition("/")[2])
        return {"tokenId": "9"}

    def _grafana(self, request: Request, path: str) -> Answer:
        if not (self.tokens and self.knows_token) or request.headers.get("authorization") != f"Bearer {TOKEN}":
            return _json({"message": "Invalid API key"}, 401)
        status, told = self._of_grafana(path.split("/"))
        return _json(told, status)

    def _of_grafana(self, parts: list[str]) -> tuple[int, dict[str, Any]]:
        found: dict[str, Any] | None = None
        match parts:
            case ["plugins", plugin, "settings"] if plugin in self.plugins:
                found = {"id": plugin, "info": {"version": "2.17.1"}}
            case ["datasources", "uid", uid] if uid in self.sources:
                found = {"uid": uid, "type": self.sources[uid]}
            case ["datasources", "uid", uid, "health"] if uid in self.health:
                return 400, {"status": "ERROR", "message": self.health[uid]}
            case ["datasources", "uid", _, "health"]:
                found = {"status": "OK"}
            case ["v1", "provisioning", "folder", "shop-dev", "rule-groups", group] if self.paused is not None:
                found = {"title": group, "rules": [{"title": "TraceFaults", "isPaused": self.paused}]}
            case ["dashboards", "uid", uid] if uid in self.dashboards:
                found = {"dashboard": self.dashboards[uid], "meta": {"version": 1}}
            case _:
                pass
        return (404, {"message": "not found"}) if found is None else (200, found)


@contextmanager
def running(handler: Handler) -> Iterator[int]:
    """The port of a server in a thread of its own, for whoever has an event loop of his own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    server = serve(handler)
    try:
        yield asyncio.run_coroutine_threadsafe(server.__aenter__(), loop).result(10)
    finally:
        asyncio.run_coroutine_threadsafe(server.__aexit__(None, None, None), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def _points(at: float, value: float, single: bool) -> list[Any]:
    return [at, str(value)] if single else [[at - 60, str(value)], [at, str(value)]]


def _operation(request: Request) -> tuple[str, str]:
    path = urlsplit(request.path).path
    if target := request.headers.get("x-amz-target"):
        api, _, operation = target.partition(".")
        return _TARGETS[api], operation
    if path in _XRAY:
        return "xray", f"Get{path[1:]}"
    if path == "/":
        action = parse_qs(request.body.decode())["Action"][0]
        return ("sts" if action == "GetCallerIdentity" else "sns"), action
    return _of_workspace(request.method, path)


def _of_workspace(method: str, path: str) -> tuple[str, str]:
    called = f"{method} {'/'.join(path.split('/')[3:])}"
    return next(found for pattern, found in _PATHS if re.fullmatch(pattern, called))


def _strict(path: str) -> str:
    """The request target as AWS would write it down to sign it."""
    plain, _, query = path.partition("?")
    pairs = (f"{quote(a, safe='-_.~')}={quote(b, safe='-_.~')}" for a, b in parse_qsl(query, keep_blank_values=True))
    return "?".join(filter(None, (plain, "&".join(pairs))))


def _answer(service: str, operation: str, told: Any) -> Answer:
    match service:
        case "sns" | "sts":
            text = f"<{operation}Response><{operation}Result>{told}</{operation}Result></{operation}Response>"
            return Answer(200, text.encode(), "text/xml")
        case _:
            return _json(told)


def _error(service: str, status: int, code: str, message: str) -> Answer:
    match service:
        case "sns" | "sts":
            text = f"<ErrorResponse><Error><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"
            return Answer(status, text.encode(), "text/xml")
        case _:
            return _json({"__type": code, "code": code, "message": message}, status)


def _json(told: Mapping[str, Any], status: int = 200) -> Answer:
    return Answer(status, json.dumps(told).encode())


def users_own(patch: pytest.MonkeyPatch) -> None:
    """The user's own credentials, and nothing of this machine's."""
    for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        patch.delenv(name, raising=False)
    patch.setenv("AWS_ACCESS_KEY_ID", USER.access_key)
    patch.setenv("AWS_SECRET_ACCESS_KEY", USER.secret_key)
    patch.setenv("AWS_SESSION_TOKEN", USER.session_token)
    patch.setenv("AWS_CONFIG_FILE", os.devnull)
    patch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    patch.setenv("AWS_MAX_ATTEMPTS", "1")
