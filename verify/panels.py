"""Every panel's queries, asked of the live back ends with the variables that a person would find chosen."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from documents import catalogue
from documents.dashboards.sources import AMP, CLOUDWATCH, XRAY
from proof import grafana, promql
from proof.grafana import Choice, Clock, Dashboard, Panel, Target, Variable
from proof.prometheus import Frame, QueryError, Span
from proof.truth import Window
from verify import metrics, traces
from verify.aws import Aws, RefusedError, Workspace
from verify.verdict import Kind, Verdict

_CERTAIN: Final = frozenset(
    {
        *(metric.name for metric in catalogue.TASK_METRICS),
        *(f"{catalogue.REQUEST_DURATION.name}_{part}" for part in ("bucket", "count", "sum")),
        *(
            metric.name
            for metric in (
                catalogue.ACCEPTED_SPANS,
                catalogue.ACCEPTED_POINTS,
                catalogue.SENT_SPANS,
                catalogue.SENT_POINTS,
                catalogue.QUEUE_SIZE,
                catalogue.QUEUE_CAPACITY,
                catalogue.MEMORY,
                catalogue.UPTIME,
                catalogue.UP,
            )
        ),
    }
)
"""Metrics that somebody writes in every stack whose dashboards ask for them. Others are of a language's runtime, of
calls that an application may not make, or of failures, and nobody writes them before the first one."""


class Panels:
    """Asks for dashboards of one stack over a window. `silence` is the likely cause where a metric has no data,
    `recorded` whether the rules of the workspace are the stack's, so that their series have to be there."""

    def __init__(
        self, workspace: Workspace, aws: Aws, window: Window, scrape_seconds: float, silence: str, *, recorded: bool
    ) -> None:
        self._workspace = workspace
        self._aws = aws
        self._window = window
        self._clock = Clock(1.0, window)
        self._scrape_seconds = scrape_seconds
        self._silence = silence
        self._recorded = recorded
        self._written: dict[str, bool] = {}

    async def dashboard(self, document: Mapping[str, Any]) -> list[Verdict]:
        """Verdicts on the variables and panels of a dashboard, given as its JSON."""
        board = grafana.read(document, self._scrape_seconds)
        choice, verdicts = Choice(), list[Verdict]()
        for variable in board.variables:
            values, found = await self._variable(board, variable, choice)
            choice = choice.adding(variable, values)
            verdicts += found
        for panel in board.panels:
            verdicts += await self._panel(board, panel, choice)
        return verdicts

    async def _variable(
        self, board: Dashboard, variable: Variable, choice: Choice
    ) -> tuple[Sequence[str], list[Verdict]]:
        """The values that are chosen, and the verdict on what can be chosen."""
        if variable.kind != "query":
            return variable.fixed or variable.current, []
        asked = ("variable", f"{board.title} / ${variable.name}", variable.query)
        if variable.source is not AMP:
            return variable.current, [Verdict(Kind.NOT_ASKED, *asked, cause="its data source is not AMP")]
        try:
            values = await grafana.options(variable, choice, self._workspace, self._window)
        except (RefusedError, QueryError, ValueError) as error:
            return variable.current, [failed(asked, error)]
        if not values:
            return variable.current, [Verdict(Kind.FAILED, *asked, found="no value", cause=self._silence)]
        chosen = values if variable.several else [one for one in values if one in variable.current] or values[:1]
        return chosen, [Verdict(Kind.DATA, *asked, series=len(values), found=", ".join(values))]

    async def _panel(self, board: Dashboard, panel: Panel, choice: Choice) -> list[Verdict]:
        verdicts: list[Verdict] = []
        if metric := [one for one in panel.targets if one.source is CLOUDWATCH and metrics.is_metric(one)]:
            verdicts += await self._metrics(board, panel, metric, choice)
        for target in panel.targets:
            subject = _subject(board, panel, target)
            if target.source is AMP:
                verdicts.append(await self._promql(subject, target, choice))
            elif target.source is XRAY:
                verdicts.append(await self._traces(subject, target, choice))
            elif target not in metric:
                verdicts.append(_not_asked(subject, target, choice))
        return verdicts

    # AMP

    async def _promql(self, subject: str, target: Target, choice: Choice) -> Verdict:
        query = grafana.interpolate(target.expr, choice, self._clock.built_in(target))
        asked = ("panel", subject, query)
        span = self._clock.span(target)
        try:
            frames = await (
                self._workspace.instant(query, span.end) if target.instant else self._workspace.range(query, span)
            )
            values = [value for frame in frames for value in frame.finite]
            if values:
                return Verdict(Kind.DATA, *asked, series=len(frames), found=_range(values))
            return await self._nothing(asked, frames)
        except (RefusedError, QueryError) as error:
            return failed(asked, error)

    async def _nothing(self, asked: tuple[str, str, str], frames: Sequence[Frame]) -> Verdict:
        """A query without an answer: wrong only if one of its metrics has no data at all."""
        if frames:
            return Verdict(Kind.EMPTY, *asked, series=len(frames), cause="its values are no numbers, as 0/0 is none")
        absent = [name for name in promql.metrics(asked[2]) if not await self._is_written(name)]
        if certain := [name for name in absent if self._is_certain(name)]:
            return Verdict(Kind.FAILED, *asked, found=f"nobody writes {', '.join(certain)}", cause=self._silence)
        if absent:
            return Verdict(Kind.EMPTY, *asked, cause=f"nobody writes {', '.join(absent)}, and not every stack has it")
        return Verdict(Kind.EMPTY, *asked, cause="its metrics have data, and none of it matches now")

    async def _is_written(self, name: str) -> bool:
        if name not in self._written:
            span = Span(self._window.start, self._window.end, self._window.seconds / 10)
            self._written[name] = bool(await self._workspace.range(f'count({{__name__="{name}"}})', span))
        return self._written[name]

    def _is_certain(self, name: str) -> bool:
        # A colon stands in the names of recorded series only.
        return name in _CERTAIN or (":" in name and self._recorded)

    # X-Ray

    async def _traces(self, subject: str, target: Target, choice: Choice) -> Verdict:
        kind = str(target.raw.get("queryType"))
        text = grafana.interpolate(str(target.raw.get("query") or ""), choice, {}, form="csv")
        asked = ("panel", subject, " ".join(filter(None, (kind, text))))
        try:
            found = await traces.ask(self._aws, kind, text, self._window)
        except RefusedError as error:
            return failed(asked, error)
        if found is None:
            return Verdict(Kind.NOT_ASKED, *asked, cause="it needs a trace or a group that a person chooses")
        if found.number:
            return Verdict(Kind.DATA, *asked, series=found.number, found=f"{found.number} {found.what}")
        if text:
            return Verdict(Kind.EMPTY, *asked, cause=f"no {found.what} match its filter now")
        return Verdict(Kind.FAILED, *asked, found=f"no {found.what}", cause=self._silence)

    # CloudWatch

    async def _metrics(
        self, board: Dashboard, panel: Panel, targets: Sequence[Target], choice: Choice
    ) -> list[Verdict]:
        asked = metrics.queries(panel, choice)
        shown = [(target, asked[target.ref]) for target in targets if not target.hidden]
        subjects = [("panel", _subject(board, panel, target), _in_words(query)) for target, query in shown]
        try:
            found = await metrics.ask(self._aws, list(asked.values()), self._window)
        except RefusedError as error:
            return [failed(subject, error) for subject in subjects]
        # Other namespaces have figures only where something happened.
        steady = any(target.raw.get("namespace") == catalogue.CONTAINER_INSIGHTS for target in targets)
        return [
            _judged(subject, found.get(query["Id"], []), steady=steady)
            for subject, (_, query) in zip(subjects, shown, strict=True)
        ]


def failed(asked: tuple[str, str, str], error: Exception) -> Verdict:
    """A question that was not answered."""
    cause = error.cause if isinstance(error, RefusedError) else "query: the back end does not take it"
    return Verdict(Kind.FAILED, *asked, found=str(error), cause=cause)


def _judged(asked: tuple[str, str, str], series: Sequence[Sequence[float]], *, steady: bool) -> Verdict:
    values = [value for one in series for value in one]
    if values:
        return Verdict(Kind.DATA, *asked, series=len(series), found=_range(values))
    if not steady:
        return Verdict(Kind.EMPTY, *asked, cause="CloudWatch has no figure of it now")
    cause = "no data yet: Container Insights takes some minutes; after that, compare its setting on the cluster"
    return Verdict(Kind.FAILED, *asked, found="no data", cause=cause)


def _not_asked(subject: str, target: Target, choice: Choice) -> Verdict:
    text = grafana.interpolate(str(target.raw.get("expression") or ""), choice, {}, form="csv")
    cause = (
        "Logs Insights bills each question by the bytes that it reads" if text else "it goes to no data source of ours"
    )
    return Verdict(Kind.NOT_ASKED, "panel", subject, " ".join(text.split()), cause=cause)


def _subject(board: Dashboard, panel: Panel, target: Target) -> str:
    return f"{board.title} / {panel.title} / {target.ref}"


def _in_words(query: Mapping[str, Any]) -> str:
    if "Expression" in query:
        return str(query["Expression"])
    metric = query["MetricStat"]["Metric"]
    dimensions = ", ".join(f"{one['Name']}={one['Value']}" for one in metric["Dimensions"])
    return f"{query['MetricStat']['Stat']} {metric['MetricName']} {{{dimensions}}}"


def _range(values: Sequence[float]) -> str:
    low, high = min(values), max(values)
    return f"{low:.4g}" if low == high else f"{low:.4g} to {high:.4g}"
