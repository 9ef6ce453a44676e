"""Do the tasks run, and what do their collectors complain about?"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from documents.catalogue import QUEUE_SIZE
from documents.names import Names
from preview import wiring
from preview.recording import Recording
from proof.prometheus import QueryError
from verify import causes
from verify.aws import Aws, RefusedError, Workspace
from verify.causes import Signs
from verify.panels import failed
from verify.verdict import Kind, Verdict

_MOST_SERVICES: Final = 10
"""Of a question: Amazon ECS API Reference, DescribeServices."""

_LOOK_BACK_SECONDS: Final = 900
_ERRORS: Final = '{ $.level = "error" }'
"""Collectors log JSON."""


@dataclass(frozen=True)
class Tasks:
    """The services of a stack as ECS sees them: tasks that run and that should, and a verdict on each service."""

    running: int
    desired: int
    verdicts: tuple[Verdict, ...]


async def counted(recording: Recording, names: Names, aws: Aws) -> Tasks:
    """The tasks of every ECS service of the stack."""
    services = [run.name for run in wiring.running(recording)]
    found: dict[str, Mapping[str, Any]] = {}
    try:
        for start in range(0, len(services), _MOST_SERVICES):
            part = services[start : start + _MOST_SERVICES]
            answer = await aws.ask("ecs", "describe_services", cluster=names.cluster, services=part)
            found |= {one["serviceName"]: one for one in answer["services"] if one["status"] == "ACTIVE"}
    except RefusedError as error:
        return Tasks(1, 1, tuple(failed(("service", name, ""), error) for name in services))
    return Tasks(
        sum(one["runningCount"] for one in found.values()),
        sum(one["desiredCount"] for one in found.values()),
        tuple(_service(name, found.get(name)) for name in services),
    )


def _service(name: str, state: Mapping[str, Any] | None) -> Verdict:
    asked = ("service", name, "")
    if state is None:
        cause = "service: removed by hand; `make deploy` makes it again"
        return Verdict(Kind.FAILED, *asked, found="missing", cause=cause)
    running, desired = state["runningCount"], state["desiredCount"]
    found = f"{running} of {desired} tasks run"
    if running < desired:
        events: Sequence[Mapping[str, Any]] = state.get("events", ())
        said = next((f": {one['message']}" for one in events), "")
        return Verdict(Kind.FAILED, *asked, found=f"{found}{said}", cause="task: the service's events say why")
    return Verdict(Kind.GOOD, *asked, found=found)


async def silence(recording: Recording, aws: Aws, workspace: Workspace, tasks: Tasks) -> str:
    """The likely cause where something has no data."""
    groups = [wiring.log_group(run.collector) for run in wiring.running(recording) if run.collector]
    group = groups[0] if groups else "of the application"
    try:
        collectors = bool(await workspace.instant(f"count({QUEUE_SIZE.name})", time.time()))
        log = next(filter(None, [await _complaint(aws, name) for name in groups]), "")
    except RefusedError as error:
        return error.cause
    except QueryError:
        collectors, log = False, ""
    return causes.of_silence(Signs(tasks.running, tasks.desired, log, collectors, group))


async def _complaint(aws: Aws, group: str) -> str:
    """An error that a collector has logged of late."""
    since = int(1000 * (time.time() - _LOOK_BACK_SECONDS))
    limit = {"MaxItems": 1}
    answer = await aws.ask(
        "logs",
        "filter_log_events",
        logGroupName=group,
        logStreamNamePrefix="collector",
        startTime=since,
        filterPattern=_ERRORS,
        PaginationConfig=limit,
    )
    return next((str(event["message"]) for event in answer.get("events", ())), "")
