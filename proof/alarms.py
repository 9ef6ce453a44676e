"""The rendered CloudWatch alarms of a stack as the model of CloudWatch takes them, and what they made of a run."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from documents import rollout
from documents.alerting import alerts
from documents.alerting.alarms import Alarm, Comparison, Math, Metric, Missing, Query, Total
from documents.alerting.model import Alert
from proof.cloudwatch_alarms import EXTRA_POINTS, MINUTE, Series, alarmed, changes, data_points
from proof.drill import Course, Drill, Evaluator, Told, held, missing
from proof.drilled import Recording
from proof.figures import TOLD, told, told_window
from proof.verdict import Kind

_TOTAL: Final = re.compile(r"SELECT SUM\((\w+)\) FROM \"([^\"]+)\" WHERE (\w+) = '([^']*)'")
_BY_NAME: Final[Mapping[str, Alert]] = {alert.name: alert for alert in alerts.ALERTS}


def read(documents: Mapping[str, str]) -> tuple[Alarm, ...]:
    """The alarms of alerts among rendered documents. Those of roll-outs tell nobody: ECS looks at them, and deploys
    nothing here. Raises ValueError or KeyError for one that the model does not know."""
    found = ((path, text) for path, text in sorted(documents.items()) if path.startswith("alarms/"))
    return tuple(_alarm(json.loads(text)) for path, text in found if not rollout.is_alarm(path))


def _alarm(request: Mapping[str, Any]) -> Alarm:
    alert, subject = _named(str(request["AlarmName"]))
    queries = tuple(_query(one) for one in request["Metrics"])
    periods = (one.get("Period") or one.get("MetricStat", {}).get("Period") for one in request["Metrics"])
    return Alarm(
        alert=alert,
        subject=subject,
        queries=queries,
        comparison=Comparison(request["ComparisonOperator"]),
        threshold=float(request["Threshold"]),
        summary=str(request.get("AlarmDescription", "")),
        period=int(next(filter(None, periods))),
        periods=int(request["EvaluationPeriods"]),
        breaching=int(request.get("DatapointsToAlarm", request["EvaluationPeriods"])),
        missing=Missing(request.get("TreatMissingData", Missing.MISSING.value)),
        warm_up_minutes=int(request.get("WarmUpConfiguration", {}).get("WarmUpPeriodDurationInMinutes", 0)),
    )


def _named(name: str) -> tuple[Alert, str]:
    """The alert and the subject in the name of an alarm, `<stack>-<alert>-<subject>`."""
    found = re.search(rf"-({'|'.join(map(re.escape, _BY_NAME))})-(.+)$", name)
    if found is None:
        raise ValueError(f"{name} is not named after an alert")
    return _BY_NAME[found[1]], found[2]


def _query(query: Mapping[str, Any]) -> Query:
    name = str(query["Id"])
    if stat := query.get("MetricStat"):
        metric = stat["Metric"]
        dimensions = {str(one["Name"]): str(one["Value"]) for one in metric["Dimensions"]}
        return Metric(name, str(metric["Namespace"]), str(metric["MetricName"]), dimensions, str(stat["Stat"]))
    text = str(query["Expression"])
    if total := _TOTAL.fullmatch(text):
        return Total(name, total[2], total[1], total[3], total[4])
    return Math(name, text)


def least_seconds(known: Iterable[Alarm], about: Iterable[Alert]) -> float:
    """How long a fault has to last, in seconds of a deployment, so that the alarms of these alerts see nothing else."""
    names = {alert.name for alert in about}
    # One minute begins before the fault; an alarm may still see points from before its periods; one minute is to spare.
    lasting = [one.period * one.periods + (EXTRA_POINTS + 2) * MINUTE for one in known if one.alert.name in names]
    return max(lasting, default=0)


def drills(known: Sequence[Alarm], figures: Sequence[Series], recording: Recording, end: float) -> tuple[Drill, ...]:
    """A drill for each alarm: what CloudWatch would make of the figures of a run. `end` in seconds of a deployment."""
    return tuple(_drill(alarm, figures, recording, end) for alarm in known)


def _drill(alarm: Alarm, figures: Sequence[Series], recording: Recording, end: float) -> Drill:
    severity = alarm.alert.severity.value
    about = Told(alarm.alert.name, severity, alarm.subject, Evaluator.CLOUDWATCH, alarm.threshold)
    happened = recording.of(alarm.alert.name)
    if happened is not None:
        series, fault, window = figures, happened.text, recording.shipped(happened.window)
    elif alarm.alert.name in TOLD:
        window = told_window(recording)
        series, fault = told(alarm, window, end), TOLD[alarm.alert.name].text
    else:
        return missing(about)
    return held(about, fault, window, _course(alarm, series, end), Kind.CHECKED)


def _course(alarm: Alarm, series: Sequence[Series], end: float) -> Course:
    times = [float(MINUTE * minute) for minute in range(1, int(end // MINUTE))]
    spans = list(alarmed(changes(alarm, series, 0, end), end))
    firing = [time for time in times if any(began <= time < over for began, over in spans)]
    return Course(firing, list(_values(alarm, series, times)), end)


def _values(alarm: Alarm, series: Sequence[Series], times: Iterable[float]) -> Iterator[tuple[float, float]]:
    for time in times:
        if (value := data_points(alarm, series, time)[-1]) is not None:
            yield time, value
