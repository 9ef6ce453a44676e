"""Where collectors send to, on loopback, with faults that are switched while they run: X-Ray, AMP, an OTLP partner."""

import asyncio
import json
import math
import socket
import time
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final, NamedTuple

from proof import gate, otlp, sigv4
from proof.remote_write import Labels, Sample, Series
from proof.web import LOOPBACK, Answer, Handler, Request, serve
from proof.xray import Received, XRay


@dataclass(frozen=True)
class Fault:
    """What is done with every request; without arguments the back end is healthy.

    `latency` seconds pass before every answer. `status` is answered instead of handling the request. One that `hangs`
    takes connections and requests, and answers none of them, also not when the fault is lifted: their connections
    close then. One that `refuses` has closed all connections and takes none.
    """

    status: int = 0
    latency: float = 0.0
    hangs: bool = False
    refuses: bool = False


HEALTHY: Final = Fault()

OLDEST_SECONDS: Final = 3600.0
"""AMP takes no sample that is older than an hour (Amazon Managed Service for Prometheus User Guide, reason
`greater_than_max_sample_age` of the metric DiscardedSamples)."""


class Arrival(NamedTuple):
    """One request: when it had arrived (seconds since the epoch), what was answered (0: nothing), bytes on the wire."""

    at: float
    status: int
    size: int


def busiest(arrivals: Sequence[Arrival], seconds: float) -> int:
    """The most of these requests, which are in order of arrival, within any `seconds`."""
    most = first = 0
    for last, arrival in enumerate(arrivals):
        while arrival.at - arrivals[first].at >= seconds:
            first += 1
        most = max(most, last - first + 1)
    return most


class Backend:
    """A handler behind a fault. `refusal` gives the answer with which this service expresses a status."""

    def __init__(self, handler: Handler, refusal: Callable[[int], Answer], fault: Fault) -> None:
        self._handler = handler
        self._refusal = refusal
        self._fault = fault
        self._lifted = asyncio.Event()
        self._listening: AsyncExitStack | None = None
        self._port = 0
        self._arrivals: list[Arrival] = []

    @property
    def fault(self) -> Fault:
        """The fault of this moment."""
        return self._fault

    @property
    def requests(self) -> tuple[Arrival, ...]:
        """Every request until now, in order of arrival. Connections that were refused leave no trace."""
        return tuple(self._arrivals)

    @property
    def size(self) -> int:
        """Bytes that arrived until now, with the heads of requests and as compressed as they came."""
        return sum(arrival.size for arrival in self._arrivals)

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[int]:
        """Listens on a loopback port, which is what the context gives and which stays ours until the context ends."""
        with socket.socket() as reserved:
            # Bound but never listening: while connections are refused, nobody else can take the port.
            reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            reserved.bind((LOOPBACK, 0))
            self._port = int(reserved.getsockname()[1])
            try:
                await self.switch(self._fault)
                yield self._port
            finally:
                await self._close()

    async def switch(self, fault: Fault) -> None:
        """Behaves so from now on; what hung until now ends without an answer."""
        self._fault = fault
        self._lifted.set()
        self._lifted = asyncio.Event()
        if fault.refuses:
            await self._close()
        elif self._listening is None:
            self._listening = AsyncExitStack()
            await self._listening.enter_async_context(serve(self._handle, self._port))

    @asynccontextmanager
    async def failing(self, fault: Fault) -> AsyncGenerator[None]:
        """Behaves so until the context ends, and then as before."""
        before = self._fault
        await self.switch(fault)
        try:
            yield
        finally:
            await self.switch(before)

    async def _close(self) -> None:
        if self._listening is not None:
            await self._listening.aclose()
            self._listening = None

    async def _handle(self, request: Request) -> Answer:
        number, arrival = len(self._arrivals), Arrival(time.time(), 0, _size(request))
        self._arrivals.append(arrival)
        answer = await self._answer(request)
        self._arrivals[number] = arrival._replace(status=int(answer.status))
        return answer

    async def _answer(self, request: Request) -> Answer:
        fault = self._fault
        if fault.hangs:
            await self._lifted.wait()
            raise ConnectionResetError("the fault was lifted")
        await asyncio.sleep(fault.latency)
        return self._refusal(fault.status) if fault.status else await self._handler(request)


class XRayBackend(Backend):
    """AWS X-Ray; `known` has the credentials of its clients by access key."""

    def __init__(self, known: Mapping[str, sigv4.Credentials], region: str, fault: Fault = HEALTHY) -> None:
        self._xray = XRay(known, region)
        super().__init__(self._xray.handle, _xray_refusal, fault)

    @property
    def received(self) -> Received:
        """What was taken until now; `received.requests` leaves out those that met a fault."""
        return self._xray.received

    @property
    def spans(self) -> frozenset[str]:
        """The ids of all segments and subsegments, which are those of their spans, in hexadecimal."""
        return frozenset(segment.id for segment in self._xray.received.segments)


@dataclass(frozen=True)
class Written:
    """What AMP holds: each series' samples in order of arrival, and the access keys that wrote it.

    `out_of_order` counts samples that were taken although a newer one was there, `twice` those that came again as they
    were. `discarded` counts samples by AMP's reason, `refused` requests by status and reason.
    """

    samples: Mapping[Labels, tuple[Sample, ...]]
    writers: Mapping[Labels, frozenset[str]]
    out_of_order: int
    twice: int
    discarded: Mapping[str, int]
    refused: Mapping[str, int]


@dataclass
class _Stored:
    """One series: values by millisecond, in order of arrival."""

    values: dict[int, float] = field(default_factory=dict[int, float])
    newest: float = -math.inf
    writers: set[str] = field(default_factory=set[str])


class AmpBackend(Backend):
    """AMP's remote write at `gate.PATH`.

    A sample may be `out_of_order_seconds` older than the newest of its series, and `oldest_seconds` older than now.
    """

    def __init__(
        self,
        known: Mapping[str, sigv4.Credentials],
        region: str,
        out_of_order_seconds: float = 60.0,
        oldest_seconds: float = OLDEST_SECONDS,
        fault: Fault = HEALTHY,
    ) -> None:
        super().__init__(self._write, _amp_refusal, fault)
        self._known = known
        self._scope = sigv4.Scope(region, "aps")
        self._window = out_of_order_seconds * 1000
        self._age = oldest_seconds * 1000
        self._series: dict[Labels, _Stored] = {}
        self._out_of_order = 0
        self._twice = 0
        self._discarded: Counter[str] = Counter()
        self._refused: Counter[str] = Counter()

    @property
    def written(self) -> Written:
        """What was written until now."""
        return Written(
            samples={labels: _samples(stored) for labels, stored in self._series.items()},
            writers={labels: frozenset(stored.writers) for labels, stored in self._series.items()},
            out_of_order=self._out_of_order,
            twice=self._twice,
            discarded=dict(self._discarded),
            refused=dict(self._refused),
        )

    async def _write(self, request: Request) -> Answer:
        try:
            writer, series = gate.admit(request, self._known, self._scope)
        except gate.NotAdmittedError as error:
            self._refused[f"{error.status.value} {error}"] += 1
            return _amp_refusal(error.status, str(error))
        # As in Prometheus, one bad sample does not keep the others of its request out.
        oldest = time.time() * 1000 - self._age
        reasons = [reason for one in series for reason in self._store(one, writer, oldest)]
        self._discarded.update(reasons)
        return _amp_refusal(HTTPStatus.BAD_REQUEST, reasons[0]) if reasons else Answer(HTTPStatus.OK)

    def _store(self, one: Series, writer: str, oldest: float) -> list[str]:
        """Why samples of it were discarded, in the words of AMP's metric DiscardedSamples. `oldest` in milliseconds."""
        stored = self._series.setdefault(one.labels, _Stored())
        stored.writers.add(writer)
        return [reason for sample in one.samples if (reason := self._take(stored, sample, oldest))]

    def _take(self, stored: _Stored, sample: Sample, oldest: float) -> str:
        if sample.milliseconds < oldest:
            return "greater_than_max_sample_age"
        if sample.milliseconds < stored.newest - self._window:
            return "sample-too-old"
        if (held := stored.values.get(sample.milliseconds)) is not None:
            if not _same(held, sample.value):
                return "new-value-for-timestamp"
            self._twice += 1
            return ""
        self._out_of_order += sample.milliseconds < stored.newest
        stored.values[sample.milliseconds] = sample.value
        stored.newest = max(stored.newest, sample.milliseconds)
        return ""


class OtlpBackend(Backend):
    """A partner's OTLP/HTTP endpoint that asks for `headers` (names in lower case) and takes protobuf only."""

    def __init__(self, headers: Mapping[str, str], fault: Fault = HEALTHY) -> None:
        self._otlp = otlp.Otlp(headers)
        super().__init__(self._otlp.handle, otlp.refusal, fault)

    @property
    def delivered(self) -> otlp.Delivered:
        """What was taken until now."""
        return self._otlp.delivered


def _samples(stored: _Stored) -> tuple[Sample, ...]:
    return tuple(Sample(milliseconds, value) for milliseconds, value in stored.values.items())


def _same(one: float, other: float) -> bool:
    # A series that ended has a NaN as its last value, which equals nothing.
    return one == other or (math.isnan(one) and math.isnan(other))


def _size(request: Request) -> int:
    head = len(f"{request.method} {request.path} HTTP/1.1\r\n\r\n")
    return head + sum(len(name) + len(value) + 4 for name, value in request.headers.items()) + len(request.body)


def _xray_refusal(status: int) -> Answer:
    # The SDKs of AWS decide by the code whether they try again; 429 without it is not X-Ray's throttling to them.
    codes = {HTTPStatus.TOO_MANY_REQUESTS: "ThrottledException", HTTPStatus.BAD_REQUEST: "InvalidRequestException"}
    code = codes.get(HTTPStatus(status), "InternalFailure")
    return Answer(status, json.dumps({"__type": code, "Message": "as the trial wants it"}).encode())


def _amp_refusal(status: int, reason: str = "as the trial wants it") -> Answer:
    return Answer(status, json.dumps({"message": reason}).encode())
