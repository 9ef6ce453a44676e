"""Questions to a Prometheus, in the words of its HTTP API."""

import math
from collections.abc import AsyncGenerator, Generator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any

import httpx


class QueryError(Exception):
    """Prometheus refused a question; the text is its reason."""


@dataclass(frozen=True)
class Frame:
    """One series of an answer: its labels, and (seconds since the epoch, value) of each point."""

    labels: Mapping[str, str]
    points: tuple[tuple[float, float], ...]

    @property
    def finite(self) -> tuple[float, ...]:
        """The values that are numbers."""
        return tuple(value for _, value in self.points if math.isfinite(value))


@dataclass(frozen=True)
class Span:
    """A stretch of time in seconds since the epoch, and the distance of the points in it."""

    start: float
    end: float
    step: float


class Prometheus:
    """One server, by its base URL."""

    def __init__(self, url: str, client: httpx.AsyncClient) -> None:
        self.url = url
        self._client = client

    async def instant(self, query: str, at: float) -> list[Frame]:
        """The answer at one time."""
        return _frames(await self._get("query", {"query": query, "time": f"{at:.3f}"}))

    async def range(self, query: str, span: Span) -> list[Frame]:
        """The answer over a stretch of time."""
        times = {"start": f"{span.start:.3f}", "end": f"{span.end:.3f}", "step": f"{span.step:.3f}"}
        return _frames(await self._get("query_range", {"query": query} | times))

    async def label_values(self, label: str, matches: Sequence[str], start: float, end: float) -> list[str]:
        """The values of a label on the series that match."""
        parameters: dict[str, Any] = {"start": f"{start:.3f}", "end": f"{end:.3f}"}
        if matches:
            parameters["match[]"] = list(matches)
        return list(await self._get(f"label/{label}/values", parameters))

    async def series(self, matches: Sequence[str], start: float, end: float) -> list[dict[str, str]]:
        """The labels of every series that matches."""
        return list(await self._get("series", {"match[]": list(matches), "start": f"{start:.3f}", "end": f"{end:.3f}"}))

    async def rule_groups(self) -> list[dict[str, Any]]:
        """The rule groups with the state of each rule."""
        return (await self._get("rules", {}))["groups"]

    async def ready(self) -> bool:
        """Whether it answers questions by now."""
        try:
            return (await self._client.get(f"{self.url}/-/ready")).is_success
        except httpx.HTTPError:
            return False

    async def reload(self) -> None:
        """Makes it read its configuration and rules again. Raises QueryError with its reason if it cannot."""
        with _answering():
            answer = await self._client.post(f"{self.url}/-/reload")
        if not answer.is_success:
            raise QueryError(answer.text.strip())

    async def version(self) -> str:
        """Its version number."""
        return str((await self._get("status/buildinfo", {}))["version"])

    async def _get(self, what: str, parameters: Mapping[str, Any]) -> Any:
        with _answering():
            answer = await self._client.get(f"{self.url}/api/v1/{what}", params=dict(parameters))
            body = answer.json()
        if body.get("status") != "success":
            raise QueryError(str(body.get("error", answer.text)))
        return body["data"]


@asynccontextmanager
async def prometheus(url: str) -> AsyncGenerator[Prometheus]:
    """A client for the server at `url`."""
    async with httpx.AsyncClient(timeout=30.0, trust_env=False) as client:
        yield Prometheus(url, client)


@contextmanager
def _answering() -> Generator[None]:
    try:
        yield
    except (httpx.HTTPError, ValueError) as error:
        raise QueryError(f"Prometheus does not answer: {type(error).__name__} {error}") from error


def _frames(data: Mapping[str, Any]) -> list[Frame]:
    match data["resultType"]:
        case "matrix":
            return [Frame(one["metric"], _points(one["values"])) for one in data["result"]]
        case "vector":
            return [Frame(one["metric"], _points([one["value"]])) for one in data["result"]]
        case "scalar":
            return [Frame({}, _points([data["result"]]))]
        case other:
            raise QueryError(f"the answer is of type {other}")


def _points(values: Sequence[Sequence[Any]]) -> tuple[tuple[float, float], ...]:
    return tuple((float(time), float(value)) for time, value in values)
