"""Asks for every panel, variable and rule of a stack that ran, and judges the answers by what really happened."""

import difflib
import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from documents.alerting import alerts
from documents.dashboards.sources import AMP, CLOUDWATCH, XRAY
from documents.text import from_yaml
from proof import contract, expectations, grafana, promql
from proof.drill import Drill
from proof.expectations.values import Expected, Quantity
from proof.grafana import Choice, Clock, Dashboard, Panel, Target, Variable
from proof.prometheus import Frame, Prometheus, QueryError, Span
from proof.truth import Truth, Window
from proof.verdict import Kind, Verdict

_LONG_BEFORE_SECONDS: Final = 3600.0
"""Further back than any query looks: only what needs no telemetry has a value then."""

_UNDER_LOAD: Final = frozenset(
    alert.name for alert in (alerts.ERROR_RATE, alerts.LATENCY, alerts.BURNING_FAST, alerts.BURNING_SLOWLY)
)
"""Alerts that the load of a run may rightly make fire: one in ten of its requests fails, and one in ten is slow."""


@dataclass(frozen=True)
class Answer:
    """What one target got: the query as it was sent, the series in the panel's own unit, and the verdict."""

    target: Target
    query: str
    frames: tuple[Frame, ...]
    verdict: Verdict
    expected: Expected | None = None


@dataclass(frozen=True)
class PanelResult:
    """One panel with its answers."""

    panel: Panel
    answers: tuple[Answer, ...]


@dataclass(frozen=True)
class DashboardResult:
    """One dashboard with everything that was asked for it."""

    uid: str
    title: str
    panels: tuple[PanelResult, ...]
    variables: tuple[Verdict, ...] = ()
    links: tuple[Verdict, ...] = ()
    annotations: tuple[Verdict, ...] = ()

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """All of its verdicts."""
        asked = (answer.verdict for panel in self.panels for answer in panel.answers)
        return (*self.variables, *asked, *self.annotations, *self.links)


@dataclass(frozen=True)
class Judgement:
    """All verdicts of a run: those of dashboards, of alerts that were made to fire, and the others."""

    dashboards: tuple[DashboardResult, ...] = ()
    others: tuple[Verdict, ...] = ()
    drills: tuple[Drill, ...] = ()

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """All of them."""
        asked = (verdict for board in self.dashboards for verdict in board.verdicts)
        return (*asked, *self.others, *(drill.verdict for drill in self.drills))

    @property
    def failed(self) -> tuple[Verdict, ...]:
        """Those that make a run fail."""
        return tuple(verdict for verdict in self.verdicts if verdict.kind is Kind.FAILED)


@dataclass(frozen=True)
class Comparison:
    """Found values against expected ones. `reason` is empty where they agree."""

    expected: str
    found: str
    reason: str


def compare(expected: Expected, frames: Sequence[Frame], scale: float, points: int) -> Comparison:
    """Holds series against an expectation.

    `scale` turns the values into base units; `points` is how many were asked for. A series stands for the mean of its
    points.
    """
    found: dict[tuple[str, ...], float] = {}
    problems: list[str] = []
    for frame in frames:
        key = tuple(frame.labels.get(label, "") for label in expected.by)
        if key in found:
            problems.append(f"two series for {_named(key)}")
        values = frame.finite
        if len(values) < expected.coverage * points:
            problems.append(f"{_named(key)} has {len(values)} of {points} points")
        found[key] = scale * math.fsum(values) / len(values) if values else math.nan
    missing = expected.series.keys() - expected.optional - found.keys()
    problems += [f"no series for {_named(key)}" if key else "no series" for key in expected.series if key in missing]
    for key, value in found.items():
        wanted = expected.series.get(key)
        if wanted is None:
            problems.append(f"series for {_named(key)} is not expected")
        elif not wanted.holds(value):
            problems.append(f"{_named(key)} is {wanted.quantity.show(value)}, expected {wanted}")
    quantity = next((value.quantity for value in expected.series.values()), Quantity.COUNT)
    return Comparison(
        expected="\n".join(_line(key, str(value)) for key, value in sorted(expected.series.items())),
        found="\n".join(_line(key, quantity.show(value)) for key, value in sorted(found.items())) or "no series",
        reason="; ".join(problems),
    )


def _named(key: tuple[str, ...]) -> str:
    return " ".join(_short(part) or "(none)" for part in key) or "the only series"


def _line(key: tuple[str, ...], text: str) -> str:
    # The first label tells the series apart best; the others only confirm it.
    return f"{_short(key[0])}: {text}" if key else text


def _short(label: str) -> str:
    return f"{label[:8]}..." if len(label) == 32 and label.isalnum() else label


# Dashboards


class Judge:
    """Asks one Prometheus about one run."""

    def __init__(self, truth: Truth, server: Prometheus) -> None:
        self._truth = truth
        self._server = server
        self._factor = truth.plan.shipped_seconds / truth.interval
        self._window = truth.steady
        start = truth.began - _LONG_BEFORE_SECONDS
        self._before = Window(start, start + truth.steady.seconds)

    async def dashboards(self) -> tuple[DashboardResult, ...]:
        """Every dashboard of the stack: ours in the order in which people need them, then the imported ones."""
        rank = {uid: index for index, uid in enumerate(expectations.OURS)}
        documents = sorted(self._truth.plan.dashboards, key=lambda one: rank.get(one["uid"], len(rank)))
        return tuple([await self.dashboard(document) for document in documents])

    async def dashboard(self, document: Mapping[str, Any]) -> DashboardResult:
        """One dashboard, given as its JSON."""
        board = grafana.read(document, self._truth.plan.scrape_seconds)
        choice = Choice()
        variables: list[Verdict] = []
        for variable in board.variables:
            values, verdict = await self._variable(board, variable, choice)
            choice = choice.adding(variable, values)
            variables += [verdict] if verdict else []
        panels: list[PanelResult] = []
        for panel in board.panels:
            answers = [await self._answer(board, panel, target, choice) for target in panel.targets]
            panels.append(PanelResult(panel, tuple(answers)))
        links = tuple(_links(document, board))
        marks = [
            (await self._answer(board, annotation, target, choice)).verdict
            for annotation in board.annotations
            for target in annotation.targets
        ]
        return DashboardResult(board.uid, board.title, tuple(panels), tuple(variables), links, tuple(marks))

    async def _variable(
        self, board: Dashboard, variable: Variable, choice: Choice
    ) -> tuple[tuple[str, ...], Verdict | None]:
        """The values that are chosen, and the verdict on what can be chosen."""
        if variable.kind != "query":
            # Of several values all are chosen, of one the one that it is set to.
            return (variable.fixed if variable.several else variable.current) or variable.fixed[:1], None
        subject = f"{board.title} / ${variable.name}"
        if variable.source is not AMP:
            reason = "its data source cannot be asked here"
            return variable.current, Verdict(Kind.FAILED, "variable", subject, variable.query, reason=reason)
        try:
            values = tuple(await grafana.options(variable, choice, self._server, self._window))
            before = await grafana.options(variable, choice, self._server, self._before)
        except (QueryError, ValueError) as error:
            return (), Verdict(Kind.FAILED, "variable", subject, variable.query, reason=str(error))
        verdict = self._judge_values(board, variable, values)
        if before:
            verdict = Verdict(
                Kind.FAILED, "variable", subject, variable.query, reason="has values before any telemetry"
            )
        if variable.several:
            return values, verdict
        # Without any value Grafana chooses the empty one, which finds the series that lack the label.
        return tuple(value for value in values if value in variable.current) or values[:1], verdict

    def _judge_values(self, board: Dashboard, variable: Variable, values: tuple[str, ...]) -> Verdict:
        expectation = expectations.VARIABLES.get((board.uid, variable.name))
        kind, expected, reason = Kind.PROVED, "", ""
        if expectation is not None:
            wanted = expectation(self._truth)
            expected = ", ".join(wanted)
            if values != wanted:
                kind, reason = Kind.FAILED, f"offers {', '.join(values) or 'nothing'} instead of {expected}"
            elif not variable.several and not set(variable.current) <= set(values):
                kind, reason = Kind.FAILED, f"is set to {', '.join(variable.current)}, which is none of its values"
        elif board.uid in expectations.OURS:
            kind, reason = Kind.FAILED, "no expectation"
        else:
            kind, reason = (Kind.SEEN, "") if values else (Kind.FAILED, "offers no value")
        subject = f"{board.title} / ${variable.name}"
        return Verdict(kind, "variable", subject, variable.query, len(values), expected, ", ".join(values), reason)

    async def _answer(self, board: Dashboard, panel: Panel, target: Target, choice: Choice) -> Answer:
        if target.source is AMP:
            return await self._ask(board, panel, target, choice)
        return Answer(target, _written(target, choice), (), self._check(board, panel, target, choice))

    def _check(self, board: Dashboard, panel: Panel, target: Target, choice: Choice) -> Verdict:
        subject, query = f"{board.title} / {panel.title} / {target.ref}", _written(target, choice)
        if target.source is CLOUDWATCH:
            problems = contract.cloudwatch(target, panel, self._truth.plan, choice)
        elif target.source is XRAY:
            problems = contract.xray(target.raw)
        else:
            problems = ["it goes to a data source that this stack does not have"]
        if problems:
            return Verdict(Kind.FAILED, "panel", subject, query, reason="; ".join(problems))
        return Verdict(Kind.CHECKED, "panel", subject, query, expected="documented names", found="documented names")

    async def _ask(self, board: Dashboard, panel: Panel, target: Target, choice: Choice) -> Answer:
        subject = f"{board.title} / {panel.title} / {target.ref}"
        clock = Clock(self._factor, self._window)
        query = grafana.interpolate(target.expr, choice, clock.built_in(target))
        span = clock.span(target)
        try:
            frames = tuple(await self._server.range(query, span))
            before = await self._server.range(query, Clock(self._factor, self._before).span(target))
        except QueryError as error:
            return Answer(target, query, (), Verdict(Kind.FAILED, "panel", subject, query, reason=str(error)))
        points = math.floor((span.end - span.start) / span.step) + 1
        expectation = expectations.PANELS.get((board.uid, panel.title, target.ref))
        expected = expectation(self._truth) if expectation else None
        reason = self._too_short(grafana.interpolate(target.expr, choice, Clock(1.0, self._window).built_in(target)))
        if before:
            reason = f"shows {len(before)} series from before any telemetry: a constant"
        if reason:
            verdict = Verdict(Kind.FAILED, "panel", subject, query, len(frames), reason=reason)
        elif expected is not None:
            verdict = _judged("panel", subject, query, frames, compare(expected, frames, target.scale, points))
        else:
            verdict = _unexpected(board.uid, subject, query, frames)
        return Answer(target, query, frames, self._explained(verdict), expected)

    def _explained(self, verdict: Verdict) -> Verdict:
        """A failure with what may have caused it: metrics that the query names and nobody wrote."""
        if verdict.kind is not Kind.FAILED or verdict.series:
            return verdict
        written = {dict(labels).get("__name__", "") for labels in self._truth.writes.writers}
        missing = [
            f"nobody wrote {name}" + (f" (but {', '.join(close)})" if close else "")
            for name in promql.metrics(verdict.query)
            # A colon stands in the names of recorded series only, and those have verdicts of their own.
            if name not in written and ":" not in name
            for close in (difflib.get_close_matches(name, written, n=2, cutoff=0.8),)
        ]
        return replace(verdict, reason="; ".join([verdict.reason, *missing]))

    def _too_short(self, deployed: str) -> str:
        return promql.window_problem(deployed, self._truth.plan.shipped_seconds)

    # Rules

    async def rules(self) -> list[Verdict]:
        """Every rule of the stack: loaded, evaluated without error, and with the values that it should record."""
        verdicts: list[Verdict] = []
        loaded: defaultdict[tuple[str, str], list[Mapping[str, Any]]] = defaultdict(list)
        for group in await self._server.rule_groups():
            for rule in group["rules"]:
                loaded[group["name"], rule["name"]].append(rule)
        for text in self._truth.plan.rules.values():
            document: Mapping[str, Any] = from_yaml(text) or {}
            for group in document.get("groups") or ():
                # Rules of one name record series of one name, told apart by labels, and so are judged together.
                named: defaultdict[str, list[Mapping[str, Any]]] = defaultdict(list)
                for rule in group["rules"]:
                    named[str(rule.get("record") or rule.get("alert"))].append(rule)
                verdicts += [
                    await self._rules_of(name, rules, loaded[group["name"], name]) for name, rules in named.items()
                ]
        return verdicts

    async def _rules_of(
        self, name: str, rules: Sequence[Mapping[str, Any]], states: Sequence[Mapping[str, Any]]
    ) -> Verdict:
        queries = [str(rule["expr"]) for rule in rules]
        query = "\n".join(queries)
        problems = [*_unhealthy(rules, states), *(problem for one in queries if (problem := self._too_short(one)))]
        if problems:
            return Verdict(Kind.FAILED, "rule", name, query, reason="; ".join(problems))
        if "alert" in rules[0]:
            return _of_alert(name, query, firing=any(state["state"] == "firing" for state in states))
        span = Span(self._window.start, self._window.end, self._truth.interval)
        frames = await self._server.range(name, span)
        expectation = expectations.recorded(name)
        before = Span(self._before.start, self._before.end, span.step)
        constants = [one for one in queries if await self._server.range(one, before)]
        if constants and name not in expectations.CONFIGURED:
            return Verdict(Kind.FAILED, "rule", name, query, len(frames), reason="records a constant")
        if expectation is None:
            return Verdict(Kind.FAILED, "rule", name, query, len(frames), reason="no expectation")
        points = math.floor((span.end - span.start) / span.step) + 1
        result = compare(expectation(self._truth), frames, 1.0, points)
        return self._explained(_judged("rule", name, query, frames, result))


def _unhealthy(rules: Sequence[Mapping[str, Any]], states: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """What Prometheus says against rules of one name."""
    if len(states) < len(rules):
        yield "Prometheus did not load it"
    for state in states:
        if state["health"] != "ok":
            yield f"its evaluation: {state['health']} {state.get('lastError', '')}".strip()


def _of_alert(name: str, query: str, *, firing: bool) -> Verdict:
    """An alert in the run of the panels, which is no drill: it can be evaluated, and does not cry for nothing."""
    found = "fires" if firing else "silent"
    if name == alerts.DEAD_MANS_SWITCH.name:
        reason = "" if firing else "it has to fire as long as all is well"
        return Verdict(Kind.FAILED if reason else Kind.PROVED, "rule", name, query, 0, "fires", found, reason)
    if name in _UNDER_LOAD:
        return Verdict(Kind.CHECKED, "rule", name, query, expected="evaluates", found=found)
    reason = "it fires, and nothing is wrong" if firing else ""
    return Verdict(Kind.FAILED if reason else Kind.PROVED, "rule", name, query, 0, "silent", found, reason)


def _judged(area: str, subject: str, query: str, frames: Sequence[Frame], result: Comparison) -> Verdict:
    # That there is nothing where nothing is expected proves nothing of the query.
    kind = Kind.FAILED if result.reason else Kind.PROVED if frames else Kind.CHECKED
    return Verdict(kind, area, subject, query, len(frames), result.expected, result.found, result.reason)


def _unexpected(uid: str, subject: str, query: str, frames: Sequence[Frame]) -> Verdict:
    """A target without an expectation: ours must have one, an imported one must show something."""
    if uid in expectations.OURS:
        return Verdict(Kind.FAILED, "panel", subject, query, len(frames), reason="no expectation")
    values = [value for frame in frames for value in frame.finite]
    if not values:
        return Verdict(Kind.FAILED, "panel", subject, query, len(frames), "data", "no data", "shows nothing")
    return Verdict(Kind.SEEN, "panel", subject, query, len(frames), "data", f"{min(values):.4g} to {max(values):.4g}")


def _written(target: Target, choice: Choice) -> str:
    """A query that is no PromQL, for people."""
    query = target.raw
    text = str(query.get("expression") or query.get("query") or query.get("queryType") or "")
    if metric := query.get("metricName"):
        dimensions: Mapping[str, Any] = query.get("dimensions", {})
        text = f"{query.get('statistic')} {metric} {{{', '.join(f'{k}={v}' for k, v in dimensions.items())}}}"
    return grafana.interpolate(text, choice, {}, form="csv")


def _links(document: Mapping[str, Any], board: Dashboard) -> list[Verdict]:
    verdicts: list[Verdict] = []
    for query in contract.linked_queries(document):
        problems = contract.xray(query)
        kind = Kind.FAILED if problems else Kind.CHECKED
        text = str(query.get("query"))
        verdicts.append(Verdict(kind, "link", f"{board.title} / link to X-Ray", text, reason="; ".join(problems)))
    return verdicts
