"""The dashboard "Collector": what collectors take, hold, deliver and lose, and how near AMP is to its limits.

Collectors say this of themselves, in both patterns and through a buffer of their own, so that trouble with anything
else does not hide it. Of AMP, CloudWatch knows.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from documents import catalogue, rules
from documents.catalogue import (
    ACCEPTED_POINTS,
    ACCEPTED_RECORDS,
    ACCEPTED_SPANS,
    FAILED_POINTS,
    FAILED_RECORDS,
    FAILED_SPANS,
    MEBIBYTE,
    MEMORY,
    OVERFLOWN_POINTS,
    OVERFLOWN_RECORDS,
    OVERFLOWN_SPANS,
    QUEUE_CAPACITY,
    QUEUE_SIZE,
    REFUSED_POINTS,
    REFUSED_RECORDS,
    REFUSED_SPANS,
    SENT_POINTS,
    SENT_RECORDS,
    SENT_SPANS,
    UP,
    UPTIME,
    AmpDimension,
    CollectorMetric,
    Label,
    Pattern,
    ServiceMetric,
)
from documents.dashboards import folder
from documents.dashboards.layout import Line, Row, board, from_amp, known_one, one_from_amp
from documents.dashboards.model import WORKSPACE, Dashboard
from documents.dashboards.panels import (
    About,
    AtLeast,
    Judgement,
    Limits,
    Neutral,
    PanelBuilder,
    column,
    graph,
    number,
    sheet,
)
from documents.dashboards.queries import CloudWatch, Query, most, now, over_time, rows_of, top
from documents.dashboards.sources import AMP, CLOUDWATCH
from documents.names import COLLECTOR, FRONT, SCRAPER
from documents.observed import Observed
from documents.rules import LOSING, Recorded

UID: Final = folder.COLLECTOR.uid

_ITSELF: Final = "prometheus/collector"
"""The receiver of a collector's own figures."""

_WINDOW: Final = "[$__rate_interval]"
_SERVICE: Final = (Label.SERVICE,)
_WAY: Final = (Label.SERVICE, Label.EXPORTER)
_PROCESS: Final = (Label.SERVICE, Label.TASK, Label.CONTAINER)

_LOST: Final = Limits(warning=0.001, bad=1)
"""Any at all is worth a look; one a second is an incident."""

_NEUTRAL: Final = Neutral()

_SLOWEST_REFRESH: Final = 300
"""Seconds. CloudWatch bills each figure that is asked for, and has a new one each minute."""


@dataclass(frozen=True)
class _Signal:
    """What collectors count of one signal, by its name in the plural."""

    name: str
    accepted: CollectorMetric
    refused: CollectorMetric
    sent: CollectorMetric
    failed: CollectorMetric
    overflown: CollectorMetric


_SPANS: Final = _Signal("spans", ACCEPTED_SPANS, REFUSED_SPANS, SENT_SPANS, FAILED_SPANS, OVERFLOWN_SPANS)
_POINTS: Final = _Signal("points", ACCEPTED_POINTS, REFUSED_POINTS, SENT_POINTS, FAILED_POINTS, OVERFLOWN_POINTS)
_RECORDS: Final = _Signal("records", ACCEPTED_RECORDS, REFUSED_RECORDS, SENT_RECORDS, FAILED_RECORDS, OVERFLOWN_RECORDS)


def dashboard(observed: Observed) -> Dashboard:
    """The dashboard, for the collectors and the signals that a stack has."""
    panels = _Panels(observed)
    return board(
        UID,
        folder.COLLECTOR.title,
        "What collectors take, hold, deliver and lose, and how near AMP is to its limits.",
        refresh=max(_SLOWEST_REFRESH, observed.interval_seconds),
        variables=(
            one_from_amp("cluster", "Cluster", UPTIME.name, Label.CLUSTER, observed.cluster),
            from_amp("service", "Service", UPTIME.name, Label.SERVICE, f'{Label.CLUSTER}="$cluster"'),
            known_one("workspace", "AMP workspace", WORKSPACE),
        ),
        rows=(
            Row(101, "Now", (Line(4, (panels.running(1), panels.fullest(2), panels.lost(3))),)),
            Row(102, "What comes in", (Line(8, panels.taken(10)),)),
            Row(103, "What goes out", (Line(8, panels.delivered(20)),)),
            Row(104, "What waits", (Line(8, (panels.filled(30), panels.waiting(31))),)),
            Row(105, "What goes wrong", (Line(8, (panels.refused(40), panels.failing(41), panels.given_up(42))),)),
            Row(106, "The collectors", (Line(8, (panels.memory(50),)), Line(8, (panels.collectors(51),)))),
            Row(107, "AMP", (Line(8, (panels.series(60), panels.ingested(61), panels.discarded(62))),)),
        ),
    )


def from_applications(metric: CollectorMetric, chosen: str) -> str:
    """How much a second collectors take from applications, by ECS service.

    In the service pattern a front counts it and the collector behind it once more.
    """
    at_fronts = _rate(metric, _SERVICE, f'{chosen}, {Label.CONTAINER}="{FRONT}"')
    return f"{at_fronts} or {_rate(metric, _SERVICE, chosen)}"


def delivered(metric: CollectorMetric, by: tuple[str, ...], chosen: str) -> str:
    """How much a second collectors deliver: not what a front hands on to the collector behind it."""
    return _rate(metric, by, f'{chosen}, {Label.CONTAINER}="{COLLECTOR}"')


def _rate(metric: CollectorMetric, by: tuple[str, ...], chosen: str) -> str:
    return f"sum by ({', '.join(by)}) (rate({metric.name}{{{chosen}}}{_WINDOW}))"


def _or_zero(expr: str, by: tuple[str, ...], counter: CollectorMetric, chosen: str) -> str:
    # A counter of what has never happened has no series; another one says for whom that is zero, and for whom nothing.
    return f"({expr} or 0 * {_rate(counter, by, chosen)})"


_CHOSEN: Final = f'{Label.CLUSTER}="$cluster", {Label.SERVICE}=~"$service"'
_OTHERS: Final = f'{_CHOSEN}, {Label.RECEIVER}!="{_ITSELF}"'
_TRIED_AT: Final = f'{_CHOSEN}, {Label.EXPORTER}!~"{LOSING}"'


def _legend(by: tuple[str, ...], more: str = "") -> str:
    return " ".join((*(f"{{{{{label}}}}}" for label in by), *([more] if more else ())))


@dataclass(frozen=True)
class _Panels:
    observed: Observed

    @property
    def _step(self) -> int:
        return self.observed.interval_seconds

    @property
    def _signals(self) -> tuple[_Signal, ...]:
        return (_SPANS, _POINTS, *([_RECORDS] if self.observed.logs else []))

    def running(self, first: int) -> PanelBuilder:
        up = f'{UP.name}{{{_CHOSEN}, {Label.JOB}="{self.observed.job(catalogue.COLLECTOR_SERVICE)}"}}'
        return number(
            About(
                first,
                "Collectors running",
                "Collectors that answer at this moment: one in each task of a sidecar application, two in each task of "
                "the collector's own service. Fewer than that: a collector is down; see its log and the stopped tasks.",
            ),
            [now(f"count({up} == 1)", step=self._step, legend="Running")],
            source=AMP,
            unit="short",
            decimals=0,
            judgement=AtLeast(1),
        )

    def fullest(self, first: int) -> PanelBuilder:
        return number(
            About(
                first,
                "Fullest buffer",
                "How full the fullest buffer on disk is. Above a few percent its back end is slow or refuses; when it "
                "is full, new telemetry is refused: see what waits, and for which exporter, below.",
            ),
            [now(f"max({_FILL})", step=self._step, legend="Full")],
            source=AMP,
            unit="percentunit",
            decimals=1,
            judgement=self._fill,
        )

    def lost(self, first: int) -> PanelBuilder:
        lost = _or_zero(self._lately(rules.lost(self.observed), _CHOSEN), _SERVICE, UPTIME, _CHOSEN)
        return number(
            About(
                first,
                "Lost",
                "Spans, points and records a second that nobody tries to send any more. More than 0: a back end "
                "refuses them for good, or a buffer is full; see what is given up below, and the collector's log.",
            ),
            [now(f"sum({lost})", step=self._step, legend="Lost")],
            source=AMP,
            unit="cps",
            decimals=2,
            judgement=_LOST,
        )

    def taken(self, first: int) -> tuple[PanelBuilder, ...]:
        return tuple(
            self._graph(
                About(
                    first + index,
                    f"{signal.name.capitalize()} from applications",
                    f"How many {signal.name} collectors take a second, by the ECS service that the collectors are in; "
                    "their own figures are left out. A sudden fall with the same requests: applications cannot reach "
                    "their collector; look for export errors in their logs.",
                ),
                [self._over(from_applications(signal.accepted, _OTHERS), _SERVICE)],
            )
            for index, signal in enumerate(self._signals)
        )

    def delivered(self, first: int) -> tuple[PanelBuilder, ...]:
        return tuple(
            self._graph(
                About(
                    first + index,
                    f"{signal.name.capitalize()} delivered",
                    f"How many {signal.name} back ends take a second, by exporter. Less than comes in for longer than "
                    "minutes: see what waits, and the attempts that fail. A point of a histogram is many samples.",
                ),
                [self._over(delivered(signal.sent, _WAY, _CHOSEN), _WAY)],
            )
            for index, signal in enumerate(self._signals)
        )

    def filled(self, first: int) -> PanelBuilder:
        return graph(
            About(
                first,
                "Buffers filled",
                "Share of each buffer on disk that is taken, the fullest of a service. A line that climbs: the back "
                "end of that exporter takes less than comes in. At 100 % new telemetry is refused: mend the back end, "
                "or give the buffers more disk.",
            ),
            [self._over(f"max by ({', '.join(_WAY)}) ({_FILL})", _WAY)],
            source=AMP,
            unit="percentunit",
            decimals=2,
            judgement=self._fill,
        )

    def waiting(self, first: int) -> PanelBuilder:
        return graph(
            About(
                first,
                "Bytes waiting",
                "What waits on disk in all collectors of a service, by exporter. It rises while a back end is away and "
                "falls when it is back. One that never falls: the back end is too slow for what is sent; send less.",
            ),
            [self._over(f"sum by ({', '.join(_WAY)}) ({QUEUE_SIZE.name}{{{_CHOSEN}}})", _WAY)],
            source=AMP,
            unit="bytes",
            decimals=1,
        )

    def refused(self, first: int) -> PanelBuilder:
        return self._wrong(
            About(
                first,
                "Refused",
                "What collectors refuse a second, which clients then send again for a while. More than 0: a collector "
                "is short of memory or its buffer is full; see both here, and give it more, or more collectors.",
            ),
            {signal.name: self._of(signal, rules.refused(self.observed), signal.refused) for signal in self._signals},
            _SERVICE,
        )

    def failing(self, first: int) -> PanelBuilder:
        return self._wrong(
            About(
                first,
                "Attempts that fail",
                "What exporters tried to send a second and could not; it stays in its buffer and is sent again. More "
                "than 0 for minutes: the back end refuses or cannot be reached; its answer is in the collector's log "
                "(403: check the task role, 429: ask for a larger quota).",
            ),
            {
                signal.name: _or_zero(_rate(signal.failed, _WAY, _TRIED_AT), _WAY, signal.sent, _TRIED_AT)
                for signal in self._signals
            },
            _WAY,
        )

    def given_up(self, first: int) -> PanelBuilder:
        lost = rules.lost(self.observed)
        return self._wrong(
            About(
                first,
                "Given up",
                "What is lost a second: refused for good by a back end, or without room in a buffer. More than 0: the "
                "answer in the collector's log says which. Too old or malformed data will not go at any time; for a "
                "full buffer see what waits.",
            ),
            {signal.name: self._of(signal, lost, signal.failed, signal.overflown) for signal in self._signals},
            _SERVICE,
        )

    def memory(self, first: int) -> PanelBuilder:
        return graph(
            About(
                first,
                "Memory against its limit",
                "Memory of the largest collector of a service against its hard limit; fronts are in the table. Near "
                "80 % it refuses telemetry, at 100 % it is killed: give it more memory, or let fewer clients share it.",
            ),
            [self._over(self._of_limit(), _SERVICE)],
            source=AMP,
            unit="percentunit",
            decimals=1,
            judgement=Limits(0.7, self.observed.thresholds.memory / 100 if self.observed.thresholds.memory else 0.9),
        )

    def _of_limit(self) -> str:
        """Shares of the hard limits, which are not the same in both patterns."""
        services = {Pattern.SIDECAR: f'!~"{COLLECTOR}|{SCRAPER}"', Pattern.SERVICE: f'="{COLLECTOR}"'}
        shares = (
            f"max by ({Label.SERVICE}) ({MEMORY.name}{{{_CHOSEN}, {Label.SERVICE}{services[pattern]}, "
            f'{Label.CONTAINER}="{COLLECTOR}"}}) / {limit * MEBIBYTE}'
            for pattern, limit in sorted(self.observed.collector_memory.items())
        )
        return " or ".join(shares)

    def collectors(self, first: int) -> PanelBuilder:
        fill = f"max by ({', '.join(_PROCESS)}) ({_FILL})"
        asked = {
            "A": f"max by ({', '.join((*_PROCESS, Label.VERSION))}) ({UPTIME.name}{{{_CHOSEN}}})",
            "B": f"max by ({', '.join(_PROCESS)}) ({MEMORY.name}{{{_CHOSEN}}})",
            "C": fill,
        }
        return sheet(
            About(
                first,
                "Collectors",
                "Every collector that answers, how long it has run, and what it holds. Two versions side by side: a "
                "deployment is under way, or hangs. One that is always young: it restarts; look for out of memory "
                "among the stopped tasks.",
            ),
            [rows_of(expr, step=self._step, ref=ref) for ref, expr in asked.items()],
            source=AMP,
            names={
                Label.SERVICE: "Service",
                Label.TASK: "Task",
                Label.CONTAINER: "Container",
                Label.VERSION: "Version",
                "Value #A": "Running for",
                "Value #B": "Memory",
                "Value #C": "Fullest buffer",
            },
            columns=(
                column("Running for", "s", 1),
                column("Memory", "bytes", 0),
                column("Fullest buffer", "percentunit", 1, self._fill),
            ),
            sort_by="Memory",
        )

    def series(self, first: int) -> PanelBuilder:
        limit = self.observed.max_series or catalogue.AMP_MOST_SERIES
        return self._of_amp(
            About(
                first,
                "Active series",
                f"Series that AMP holds, of at most {limit:,}. Near the limit new series are refused, the old ones go "
                "on: the dashboard Costs says which application and metric has most; drop some, or raise the limit.",
            ),
            catalogue.AMP_ACTIVE_SERIES,
            {AmpDimension.RESOURCE_ID: "$workspace"},
            "Active series",
            unit="short",
            judgement=Limits(0.7 * limit, 0.9 * limit),
        )

    def ingested(self, first: int) -> PanelBuilder:
        return self._of_amp(
            About(
                first,
                "Samples ingested",
                "Samples a second that AMP takes, which is what it bills. 0: nothing arrives; see the attempts that "
                "fail above. A jump without a deployment: a label has got many values; see the dashboard Costs.",
            ),
            catalogue.AMP_INGESTION_RATE,
            {AmpDimension.RESOURCE_ID: "$workspace"},
            "Samples a second",
            unit="cps",
        )

    def discarded(self, first: int) -> PanelBuilder:
        return self._of_amp(
            About(
                first,
                "Samples rejected",
                "Samples that AMP took and threw away, by its reason; no line is good. `per_user_series_limit`: too "
                "many series. `new-value-for-timestamp`: two writers of one series. `sample-out-of-order` and "
                "`sample-too-old`: what waited too long in a buffer.",
            ),
            catalogue.AMP_DISCARDED_SAMPLES,
            {AmpDimension.WORKSPACE: "$workspace", AmpDimension.REASON: "*"},
            f"${{PROP('Dim.{AmpDimension.REASON}')}}",
            unit="short",
            judgement=Limits(1, 1000),
            expression=most("raw"),
        )

    def _of_amp(
        self,
        about: About,
        metric: ServiceMetric,
        dimensions: Mapping[str, str],
        label: str,
        *,
        unit: str,
        judgement: Judgement = _NEUTRAL,
        expression: str = "",
    ) -> PanelBuilder:
        asked = CloudWatch(self.observed.region).metric(
            metric, dict(metric.dimensions) | dict(dimensions), label, expression=expression
        )
        return graph(about, asked, source=CLOUDWATCH, unit=unit, decimals=0, judgement=judgement)

    def _of(self, signal: _Signal, recorded: Recorded, *counters: CollectorMetric) -> str:
        """A second, by ECS service, what rules record of some counters of a signal; 0 where its collectors take it."""
        named = "|".join(counter.name for counter in counters)
        lately = self._lately(recorded, f'{_CHOSEN}, {Label.METRIC}=~"{named}"')
        return _or_zero(lately, _SERVICE, signal.accepted, _CHOSEN)

    def _lately(self, recorded: Recorded, chosen: str) -> str:
        # A counter begins with the first failure of its kind, which a rate does not see; the rules do, and so the
        # dashboard shows whatever an alert is about.
        grown = f"sum by ({', '.join(_SERVICE)}) ({recorded.name}{{{chosen}}})"
        return f"{grown} / {rules.window_seconds(self.observed)}"

    def _wrong(self, about: About, by_signal: Mapping[str, str], by: tuple[str, ...]) -> PanelBuilder:
        """What should be 0, by signal."""
        asked = [
            self._over(expr, by, more=name, ref=ref)
            for ref, (name, expr) in zip("ABC", by_signal.items(), strict=False)
        ]
        return self._graph(about, asked, _LOST)

    def _graph(self, about: About, queries: list[Query], judgement: Judgement = _NEUTRAL) -> PanelBuilder:
        return graph(about, queries, source=AMP, unit="cps", decimals=2, judgement=judgement)

    def _over(self, expr: str, by: tuple[str, ...], *, more: str = "", ref: str = "A") -> Query:
        return over_time(top(expr), _legend(by, more), step=self._step, ref=ref)

    @property
    def _fill(self) -> Limits:
        bad = (self.observed.thresholds.queue or 50) / 100
        return Limits(bad / 5, bad)


_FILL: Final = f"{QUEUE_SIZE.name}{{{_CHOSEN}}} / ({QUEUE_CAPACITY.name}{{{_CHOSEN}}} > 0)"
"""How full each buffer is."""
