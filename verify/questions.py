"""Everything that is asked of a live stack, in the order in which a person would look."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from documents.dashboards.folder import FOLDER
from documents.dashboards.shared import unshared
from documents.names import Names
from preview import wiring
from preview.recording import Recording
from proof.plan import Plan
from proof.prometheus import QueryError
from proof.truth import Window
from verify import alarms, rules, tasks, traffic, workspace
from verify.aws import Aws, RefusedError, Workspace
from verify.deployment import Deployment
from verify.panels import Panels, failed
from verify.verdict import Kind, Verdict

_WINDOW_SECONDS: Final = 900.0
"""How far back panels look: long enough for a rate, short enough that a stack that has died is not called live."""

_INTERVALS: Final = 3
"""How many shipped intervals a fresh request may take: until it is exported, batched, and seen."""


async def verified(
    recording: Recording, plan: Plan, deployed: Deployment, aws: Aws, *, url: str, say: Callable[[str], None]
) -> list[Verdict]:
    """Every verdict. `url` is where the sample is reached, if it is; `say` gets what is being done."""
    if deployed.region not in ("", recording.region):
        cause = f"region: the stack was deployed in {deployed.region}, its file says {recording.region}"
        return [Verdict(Kind.FAILED, "region", recording.region, found=deployed.region, cause=cause)]
    names = Names(recording.project, recording.stack, plan.cluster)
    say("asking ECS for the tasks")
    counted = await tasks.counted(recording, names, aws)
    verdicts = [*counted.verdicts]
    async with aws.workspace(deployed.metrics_url) as amp:
        say("waiting for a fresh request")
        verdicts += await _traffic(recording, plan, amp, url)
        say("asking AMP, X-Ray and CloudWatch for every panel")
        silence = await tasks.silence(recording, aws, amp, counted)
        now = time.time()
        window = Window(now - _WINDOW_SECONDS, now)
        recorded = bool(recording.of_type(wiring.RULES))
        panels = Panels(amp, aws, window, plan.scrape_seconds, silence, recorded=recorded)
        for document in _in_order(plan.dashboards, names):
            verdicts += await panels.dashboard(document)
        say("asking for rules, alarms and subscriptions")
        verdicts += await rules.checked(recording, plan.documents, aws, amp, deployed.workspace)
    verdicts += await alarms.checked(recording, plan.documents, aws)
    if deployed.grafana_url:
        say("asking Grafana")
        verdicts += await _grafana(recording, deployed, aws, names)
    return verdicts


async def _traffic(recording: Recording, plan: Plan, amp: Workspace, url: str) -> list[Verdict]:
    if not (url or traffic.own(recording)):
        return [traffic.nobody()]
    try:
        before = await traffic.requests(amp, plan.cluster)
    except (RefusedError, QueryError) as error:
        return [failed(("traffic", "a fresh request", ""), error)]
    sent = [await traffic.send(url)] if url else []
    return [*sent, await traffic.arrived(amp, plan.cluster, before, _INTERVALS * plan.shipped_seconds)]


async def _grafana(recording: Recording, deployed: Deployment, aws: Aws, names: Names) -> list[Verdict]:
    # As they are deployed: those of the plan have the uids of a Grafana of the stack's own.
    boards = [wiring.parsed(one.inputs["configJson"]) for one in recording.of_type(wiring.DASHBOARD)]
    try:
        async with workspace.signed_in(aws, names, deployed.grafana_url, deployed.grafana_workspace) as grafana:
            return await workspace.checked(recording, _in_order(boards, names), grafana)
    except RefusedError as error:
        return [failed(("grafana", deployed.grafana_workspace, ""), error)]


def _in_order(dashboards: Sequence[Mapping[str, Any]], names: Names) -> list[Mapping[str, Any]]:
    """Ours in the order in which people need them, then the imported ones."""
    rank = {entry.uid: index for index, entry in enumerate(FOLDER)}
    return sorted(dashboards, key=lambda one: rank.get(unshared(names.prefix, one["uid"]), len(rank)))


def faults(verdicts: list[Verdict]) -> Mapping[str, list[Verdict]]:
    """What failed, by likely cause: one cause often makes many questions fail."""
    found: dict[str, list[Verdict]] = {}
    for verdict in verdicts:
        if verdict.kind is Kind.FAILED:
            found.setdefault(verdict.cause, []).append(verdict)
    return found
