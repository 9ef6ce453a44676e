"""A little traffic for the sample, and whether it shows up."""

import asyncio
import time
from collections import Counter
from http import HTTPStatus
from typing import Final

import httpx

from documents.catalogue import REQUEST_DURATION, Label
from preview import wiring
from preview.recording import Recording
from proof.prometheus import QueryError
from verify.aws import RefusedError, Workspace
from verify.panels import failed
from verify.verdict import Kind, Verdict

REQUESTS: Final = 20
_PAUSE_SECONDS: Final = 5.0
_OWN: Final = "TRAFFIC_PER_MINUTE"
_OF_ORDERS: Final = frozenset({HTTPStatus.OK, HTTPStatus.INTERNAL_SERVER_ERROR, HTTPStatus.BAD_GATEWAY})
"""What the sample answers: some orders fail, in it or in what it calls."""


def own(recording: Recording) -> list[str]:
    """The applications that send requests to themselves, as the sample does when it is told to."""
    return [
        run.name
        for run in wiring.running(recording)
        for container in run.applications[:1]
        if wiring.environment(container).get(_OWN, "0") not in ("", "0")
    ]


async def send(url: str) -> Verdict:
    """Asks the sample at a base URL for some orders; one in ten of them fails, as the sample always does."""
    try:
        async with httpx.AsyncClient(timeout=10.0) as client:
            asked = [await client.get(f"{url.rstrip('/')}/orders/{order}") for order in range(REQUESTS)]
    except (httpx.TransportError, httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
        cause = "endpoint: nothing answers there; a task of this stack lets nobody in but other tasks of it"
        return Verdict(Kind.FAILED, "traffic", url, found=type(error).__name__, cause=cause)
    counts = Counter(answer.status_code for answer in asked)
    if any(status not in _OF_ORDERS for status in counts) or counts[HTTPStatus.OK] < REQUESTS / 2:
        cause = "endpoint: it does not answer as the sample does; give the address of the sample"
    else:
        cause = ""
    statuses = ", ".join(f"{count} x {status}" for status, count in sorted(counts.items()))
    kind = Kind.FAILED if cause else Kind.GOOD
    return Verdict(kind, "traffic", url, found=f"{REQUESTS} requests: {statuses}", cause=cause)


async def requests(workspace: Workspace, cluster: str) -> float:
    """How many requests AMP knows of, of all processes that write now."""
    frames = await workspace.instant(_counted(cluster), time.time())
    return next((value for frame in frames for value in frame.finite), 0.0)


async def arrived(workspace: Workspace, cluster: str, before: float, seconds: float) -> Verdict:
    """Waits until AMP knows of more requests than `before`, at most so long."""
    asked = ("traffic", "a fresh request", _counted(cluster))
    deadline = time.monotonic() + seconds
    try:
        while (now := await requests(workspace, cluster)) <= before:
            if time.monotonic() > deadline:
                cause = "no traffic yet: the panels of the applications say more"
                return Verdict(Kind.FAILED, *asked, found=f"none in {seconds:.0f} s", cause=cause)
            await asyncio.sleep(_PAUSE_SECONDS)
    except (RefusedError, QueryError) as error:
        return failed(asked, error)
    return Verdict(Kind.DATA, *asked, series=1, found=f"{now - before:.0f} more")


def nobody() -> Verdict:
    """Nothing sends requests, and no address was given."""
    cause = f"no application has {_OWN}; give the address of one with URL=, or let somebody use it"
    return Verdict(Kind.NOT_ASKED, "traffic", "a fresh request", cause=cause)


def _counted(cluster: str) -> str:
    return f'sum({REQUEST_DURATION.name}_count{{{Label.CLUSTER}="{cluster}"}})'
