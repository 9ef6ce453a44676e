"""The Grafana workspace: plugins, data sources, dashboards and alert rules, asked through Grafana's own API."""

import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from http import HTTPStatus
from typing import Any, Final, cast

import httpx

from documents.dashboards.sources import SOURCES, Source
from documents.names import Names
from preview.recording import Recording
from verify import causes
from verify.aws import Aws, RefusedError, client
from verify.causes import Refusal
from verify.differences import difference
from verify.panels import failed
from verify.verdict import Kind, Verdict

_TOKEN_SECONDS: Final = 900
_SOURCE: Final = "grafana:oss/dataSource:DataSource"
_RULE_GROUP: Final = "grafana:alerting/ruleGroup:RuleGroup"


class Grafana:
    """Grafana's HTTP API. Raises RefusedError for every answer that is none."""

    def __init__(self, url: str, token: str, http: httpx.AsyncClient) -> None:
        self._url = url
        self._client = http
        self._headers = {"Authorization": f"Bearer {token}"}

    async def get(self, path: str) -> Any:
        """The JSON at a path below `/api/`."""
        try:
            answer = await self._client.get(f"{self._url}/api/{path}", headers=self._headers)
        except httpx.TransportError as error:
            refusal = Refusal(0, type(error).__name__, str(error))
            raise RefusedError(refusal, causes.of_grafana(refusal)) from error
        try:
            told = answer.json()
        except ValueError:
            told = {"message": "no JSON"}
        if answer.is_error or not isinstance(told, dict):
            message = str(cast("dict[str, Any]", told).get("message", "")) if isinstance(told, dict) else "no object"
            refusal = Refusal(answer.status_code, "", message)
            raise RefusedError(refusal, causes.of_grafana(refusal))
        return cast("dict[str, Any]", told)


@asynccontextmanager
async def signed_in(aws: Aws, names: Names, url: str, workspace: str) -> AsyncGenerator[Grafana]:
    """Grafana with a token of the stack's own service account, which lives for the context only.

    Raises RefusedError if there is no such account, or you may not make a token for it.
    """
    answer = await aws.ask("grafana", "list_workspace_service_accounts", workspaceId=workspace)
    accounts: Sequence[Mapping[str, Any]] = answer["serviceAccounts"]
    account = next((one["id"] for one in accounts if one["name"] == names.prefix), None)
    if account is None:
        refusal = Refusal(404, "", f"no service account {names.prefix}")
        raise RefusedError(refusal, "role: the stack's service account is gone; `make deploy` makes it again")
    place = {"workspaceId": workspace, "serviceAccountId": account}
    # Two tokens of one name are refused, and what an earlier run has left behind lives for a while.
    name = f"verify-{time.time_ns()}"
    made = await aws.ask(
        "grafana", "create_workspace_service_account_token", **place, name=name, secondsToLive=_TOKEN_SECONDS
    )
    token = made["serviceAccountToken"]
    try:
        async with client() as http:
            yield Grafana(url, token["key"], http)
    finally:
        await aws.ask("grafana", "delete_workspace_service_account_token", **place, tokenId=token["id"])


async def checked(recording: Recording, dashboards: Sequence[Mapping[str, Any]], grafana: Grafana) -> list[Verdict]:
    """Verdicts on every plugin, data source, dashboard and alert rule that the stack has in Grafana."""
    uids = {str(one.inputs["type"]): str(one.inputs["uid"]) for one in recording.of_type(_SOURCE)}
    verdicts: list[Verdict] = []
    for source in (one for one in SOURCES if one.type in uids):
        # In a Grafana of others it has a uid of the stack's own.
        verdicts += await _source(grafana, replace(source, uid=uids[source.type]))
    for document in dashboards:
        verdicts.append(await _dashboard(grafana, document))
    for group in recording.of_type(_RULE_GROUP):
        verdicts += await _alert_rules(grafana, group.inputs)
    return verdicts


async def _alert_rules(grafana: Grafana, group: Mapping[str, Any]) -> list[Verdict]:
    """A verdict on each rule of a group (Grafana documentation, "Alerting provisioning HTTP API")."""
    name, wanted = str(group["name"]), [str(rule["name"]) for rule in group["rules"]]
    try:
        found = await grafana.get(f"v1/provisioning/folder/{group['folderUid']}/rule-groups/{name}")
        paused = {str(rule["title"]): bool(rule.get("isPaused")) for rule in found["rules"]}
    except RefusedError as error:
        if error.refusal.status != HTTPStatus.NOT_FOUND:
            return [failed(("alert rules", name, ""), error)]
        paused = {}
    return [_alert_rule(rule, paused.get(rule)) for rule in wanted]


def _alert_rule(name: str, paused: bool | None) -> Verdict:
    asked = ("alert rule", name, "")
    if paused is None:
        cause = "rules: removed by hand; `make deploy` makes it again"
        return Verdict(Kind.FAILED, *asked, found="missing", cause=cause)
    if paused:
        return Verdict(Kind.FAILED, *asked, found="paused", cause="rules: somebody has paused it in Grafana")
    return Verdict(Kind.GOOD, *asked, found="there")


async def _source(grafana: Grafana, source: Source) -> list[Verdict]:
    plugin, asked = ("plugin", source.type, ""), ("data source", source.uid, "")
    try:
        settings = await grafana.get(f"plugins/{source.type}/settings")
    except RefusedError as error:
        if error.refusal.status != HTTPStatus.NOT_FOUND:
            return [failed(plugin, error)]
        cause = causes.missing_plugin(source.type)
        return [Verdict(Kind.FAILED, *plugin, found="not installed", cause=cause)]
    version = str(settings.get("info", {}).get("version", ""))
    installed = Verdict(Kind.GOOD, *plugin, found=" ".join(filter(None, ("installed", version))))
    try:
        there = await grafana.get(f"datasources/uid/{source.uid}")
    except RefusedError as error:
        if error.refusal.status != HTTPStatus.NOT_FOUND:
            return [installed, failed(asked, error)]
        cause = "data source: removed by hand; `make deploy` makes it again"
        return [installed, Verdict(Kind.FAILED, *asked, found="missing", cause=cause)]
    if there["type"] != source.type:
        cause = f"plugin: the stack uses {source.type}; `make deploy` puts it back"
        return [installed, Verdict(Kind.FAILED, *asked, found=f"of type {there['type']}", cause=cause)]
    return [installed, await _health(grafana, source)]


async def _health(grafana: Grafana, source: Source) -> Verdict:
    asked = ("data source", source.uid, "")
    try:
        health = await grafana.get(f"datasources/uid/{source.uid}/health")
    except RefusedError as error:
        refusal = error.refusal
        # Grafana answers 400 for a data source that is not healthy; 401 and 403 are about the token.
        cause = error.cause if refusal.status in (0, 401, 403) else causes.of_data_source(source.type, refusal)
        return Verdict(Kind.FAILED, *asked, found=str(refusal), cause=cause)
    if str(health.get("status", "")).upper() != "OK":
        refusal = Refusal(200, "", str(health.get("message", "")))
        cause = causes.of_data_source(source.type, refusal)
        return Verdict(Kind.FAILED, *asked, found=refusal.message or "not healthy", cause=cause)
    return Verdict(Kind.GOOD, *asked, found="healthy")


async def _dashboard(grafana: Grafana, document: Mapping[str, Any]) -> Verdict:
    asked = ("dashboard", str(document["title"]), "")
    try:
        found = (await grafana.get(f"dashboards/uid/{document['uid']}"))["dashboard"]
    except RefusedError as error:
        if error.refusal.status != HTTPStatus.NOT_FOUND:
            return failed(asked, error)
        cause = "dashboard: removed by hand; `make deploy` makes it again"
        return Verdict(Kind.FAILED, *asked, found="missing", cause=cause)
    if place := difference(document, found):
        cause = "dashboard: changed by hand, or the stack file has changed since; `make deploy` puts it back"
        return Verdict(Kind.FAILED, *asked, found=f"differs at {place}", cause=cause)
    return Verdict(Kind.GOOD, *asked, found="unchanged")
