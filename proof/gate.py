"""AMP's remote-write endpoint: refuses what AMP would refuse, remembers who wrote what, passes on to Prometheus."""

import json
import re
import time
from array import array
from collections import Counter
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, NamedTuple

import httpx

from proof import remote_write, sigv4
from proof.remote_write import Labels
from proof.web import LOOPBACK, Answer, Request, serve

PATH: Final = "/workspaces/ws-00000000-0000-0000-0000-000000000000/api/v1/remote_write"
"""Of the form that AMP's own remote-write URLs have."""

_METRIC: Final = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_LABEL: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_PASSED_ON: Final = ("content-type", "content-encoding", "user-agent", "x-prometheus-remote-write-version")


@dataclass(frozen=True)
class Writes:
    """What was written. `refused` counts reasons, `writers` has the access keys of the tasks that wrote each series."""

    requests: int
    samples: int
    size: int
    refused: Mapping[str, int]
    writers: Mapping[Labels, frozenset[str]]


class Arrival(NamedTuple):
    """A sample and when it arrived; times in seconds since the epoch."""

    at: float
    value: float
    arrived: float


class NotAdmittedError(Exception):
    """AMP would answer `status`; the text says why."""

    def __init__(self, status: HTTPStatus, reason: str) -> None:
        super().__init__(reason)
        self.status = status


def admit(
    request: Request, known: Mapping[str, sigv4.Credentials], scope: sigv4.Scope
) -> tuple[str, list[remote_write.Series]]:
    """The access key of the task that wrote, and what it wrote. Raises NotAdmittedError for what AMP refuses."""
    if (request.method, request.path) != ("POST", PATH):
        raise NotAdmittedError(HTTPStatus.NOT_FOUND, f"{request.method} {request.path} is not remote write")
    try:
        writer = sigv4.verify(request, known, scope).writer
        series = list(remote_write.decode(request.body))
    except sigv4.RefusedError as error:
        raise NotAdmittedError(HTTPStatus.FORBIDDEN, str(error)) from None
    except ValueError as error:
        raise NotAdmittedError(HTTPStatus.BAD_REQUEST, str(error)) from error
    for one in series:
        if problem := _name_problem(one.labels):
            raise NotAdmittedError(HTTPStatus.BAD_REQUEST, problem)
    return writer, series


class Gate:
    """Stands in front of one Prometheus, which listens on `port`."""

    def __init__(self, port: int, known: Mapping[str, sigv4.Credentials], region: str) -> None:
        self._target = f"http://{LOOPBACK}:{port}/api/v1/write"
        self._known = known
        self._scope = sigv4.Scope(region, "aps")
        self._client = httpx.AsyncClient(timeout=30.0, trust_env=False)
        self._requests = 0
        self._samples = 0
        self._size = 0
        self._refused: Counter[str] = Counter()
        self._writers: dict[Labels, set[str]] = {}
        # Plain numbers, three for each sample: a run that is kept has millions of them.
        self._arrivals: dict[Labels, array[float]] = {}

    @property
    def arrivals(self) -> Mapping[Labels, tuple[Arrival, ...]]:
        """Every sample that was taken until now, by series."""
        return {
            labels: tuple(Arrival(*flat[index : index + 3]) for index in range(0, len(flat), 3))
            for labels, flat in self._arrivals.items()
        }

    @property
    def writes(self) -> Writes:
        """What was written until now."""
        writers = {labels: frozenset(keys) for labels, keys in self._writers.items()}
        return Writes(self._requests, self._samples, self._size, dict(self._refused), writers)

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[int]:
        """Listens on a free loopback port, which is what the context gives, until the context ends."""
        async with self._client, serve(self._handle) as port:
            yield port

    async def _handle(self, request: Request) -> Answer:
        self._requests += 1
        try:
            writer, series = admit(request, self._known, self._scope)
        except NotAdmittedError as error:
            return self._refuse(error.status, str(error))
        return await self._pass_on(request, writer, series)

    async def _pass_on(self, request: Request, writer: str, series: list[remote_write.Series]) -> Answer:
        headers = {name: request.headers[name] for name in _PASSED_ON if name in request.headers}
        try:
            answer = await self._client.post(self._target, content=request.body, headers=headers)
        except httpx.HTTPError as error:
            return self._refuse(HTTPStatus.SERVICE_UNAVAILABLE, f"Prometheus does not answer: {type(error).__name__}")
        if not answer.is_success:
            # Prometheus names the series in its text; without it, equal reasons are counted together.
            reason = re.sub(r"\{.*\}|\".*\"|[0-9.]+", "...", answer.text.strip())
            return self._refuse(HTTPStatus(answer.status_code), f"Prometheus: {reason}")
        self._size += len(request.body)
        now = time.time()
        for one in series:
            self._samples += len(one.samples)
            self._writers.setdefault(one.labels, set()).add(writer)
            kept = self._arrivals.setdefault(one.labels, array("d"))
            for sample in one.samples:
                kept.extend((sample.milliseconds / 1000, sample.value, now))
        return Answer(HTTPStatus.OK)

    def _refuse(self, status: HTTPStatus, reason: str) -> Answer:
        self._refused[f"{status.value} {reason}"] += 1
        return Answer(status, json.dumps({"message": reason}).encode())


def _name_problem(labels: Labels) -> str:
    """AMP takes classic names only; a UTF-8 name that Prometheus 3 would take is a 400 there."""
    for name, value in labels:
        if name == "__name__" and not _METRIC.fullmatch(value):
            return f"sample invalid metric name: {value!r}"
        if not _LABEL.fullmatch(name):
            return f"sample invalid label: {name!r}"
    return ""
