"""Recording rules: exact text, and what they make of what is written."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from documents import catalogue, rules
from documents.alerting.rules import alerting_rules
from documents.catalogue import Label, Pattern
from documents.objectives import Objectives
from documents.observed import Observed
from proof import promql
from tests.documents.alerting.cases import OBJECTIVES
from tests.documents.alerting.promtool import counter, judge, needed
from tests.stacks import application, observed

OF_TASK = (
    "(deployment_environment_name, aws_ecs_cluster_name, aws_ecs_service_name, aws_ecs_task_family, "
    "aws_ecs_task_revision, aws_ecs_task_id)"
)
OF_JOB = "(aws_ecs_cluster_name, aws_ecs_service_name, job)"
WEB = 'aws_ecs_cluster_name="shop-dev", aws_ecs_service_name="web"'


def promised(interval: int = 60, **objectives: Any) -> Observed:
    wanted = Objectives.model_validate(objectives) if objectives else OBJECTIVES
    return observed("dev", applications=(application("web", Pattern.SIDECAR, objectives=wanted),), interval=interval)


def group(stack: Observed, name: str) -> dict[str, Any]:
    groups: Any = rules.recording_rules(stack)["groups"]
    [made] = [one for one in groups if one["name"] == name]
    return made


def test_tasks() -> None:
    assert group(observed("dev", sidecar=["web"]), "ecs-tasks") == {
        "name": "ecs-tasks",
        "rules": [
            {
                "record": f"task:ecs_task_{what}_utilization:ratio",
                "expr": f"max by {OF_TASK} (last_over_time(ecs_task_{what}_utilized[5m])) / "
                f"(max by {OF_TASK} (last_over_time(ecs_task_{what}_reserved[5m])) > 0)",
            }
            for what in ("cpu", "memory")
        ],
    }


def test_requests() -> None:
    name = "http_server_request_duration_seconds"
    assert group(observed("dev", service=["web"]), "requests") == {
        "name": "requests",
        "rules": [
            {"record": "job:http_requests:rate5m", "expr": f"sum by {OF_JOB} (rate({name}_count[5m]))"},
            {
                "record": "job:http_errors:rate5m",
                "expr": f"sum by {OF_JOB} (rate({name}_count{{http_response_status_code=~"
                '"5.."}[5m])) or 0 * job:http_requests:rate5m',
            },
            {
                "record": "job:http_errors:ratio5m",
                "expr": "job:http_errors:rate5m / (job:http_requests:rate5m > 0)",
            },
            {
                "record": "job:http_latency_p95:seconds5m",
                "expr": f"histogram_quantile(0.95, sum by {OF_JOB[:-1]}, le) (rate({name}_bucket[5m]))) >= 0",
            },
        ],
    }


def test_availability() -> None:
    made = group(promised(availability=99.9), "requests")["rules"][4:]
    on = f"on {OF_JOB} group_left ()"
    assert made == [
        {
            "record": "slo:objective:ratio",
            "expr": "vector(0.999)",
            "labels": {
                "aws_ecs_cluster_name": "shop-dev",
                "aws_ecs_service_name": "web",
                "slo": "availability",
                "job": "shop/web",
            },
        },
        {
            "record": "slo:errors:rate5m",
            "expr": f"job:http_errors:rate5m{{{WEB}}}",
            "labels": {"slo": "availability"},
        },
        {"record": "slo:errors:ratio5m", "expr": f"slo:errors:rate5m / {on} (job:http_requests:rate5m > 0)"},
        *(
            {
                "record": f"slo:errors:ratio{window}",
                "expr": f"sum_over_time(slo:errors:rate5m[{window}]) / {on} "
                f"(sum_over_time(job:http_requests:rate5m[{window}]) > 0)",
            }
            for window in ("30m", "1h", "6h")
        ),
    ]
    assert group(promised(availability=99.9), "error-budgets") == {
        "name": "error-budgets",
        "interval": "4m",
        "rules": [
            *(
                {
                    "record": f"slo:errors:ratio{window}",
                    "expr": f"sum_over_time(slo:errors:rate5m[{window}:5m]) / {on} "
                    f"(sum_over_time(job:http_requests:rate5m[{window}:5m]) > 0)",
                }
                for window in ("3d", "28d")
            ),
            {
                "record": "slo:error_budget_remaining:ratio",
                "expr": "1 - slo:errors:ratio28d / on (aws_ecs_cluster_name, aws_ecs_service_name, slo) "
                "group_left () (1 - slo:objective:ratio)",
            },
        ],
    }


@pytest.mark.parametrize(
    ("threshold", "fast"),
    [
        ("250ms", 'le="0.25"'),
        ("1s", 'le="1"'),
        ("10s", 'le="10"'),
        ("300ms", 'le="0.25" + 0.2 * (le="0.5" - le="0.25")'),
        ("2s", 'le="1" + 0.666666667 * (le="2.5" - le="1")'),
    ],
)
def test_latency_at_and_between_bounds(threshold: str, fast: str) -> None:
    made = group(promised(latency={"threshold": threshold, "target": 99}), "requests")["rules"]
    [expr] = [rule["expr"] for rule in made if rule["record"] == "slo:errors:rate5m"]
    name = "http_server_request_duration_seconds"
    count = f"sum by {OF_JOB} (rate({name}_count{{{WEB}}}[5m]))"
    bounds = {part for part in fast.replace("(", "").replace(")", "").split() if part.startswith("le=")}
    for bound in bounds:
        fast = fast.replace(bound, f"sum by {OF_JOB} (rate({name}_bucket{{{WEB}, {bound}}}[5m]))")
    assert expr == f"clamp_min({count} - {f'({fast})' if len(bounds) > 1 else fast}, 0)"


def test_failures_of_collectors() -> None:
    made = group(observed("dev", sidecar=["web"]), "collectors")["rules"]
    assert [(rule["record"], rule["labels"]["metric"]) for rule in made] == [
        *(
            ("service:collector_lost:increase5m", f"otelcol_exporter_{kind}_failed_{what}_total")
            for kind in ("send", "enqueue")
            for what in ("spans", "metric_points", "log_records")
        ),
        *(
            ("service:collector_refused:increase5m", f"otelcol_receiver_refused_{what}_total")
            for what in ("spans", "metric_points", "log_records")
        ),
        ("service:xray_failed:increase5m", "otelcol_exporter_send_failed_spans_total"),
    ]
    series = 'otelcol_exporter_send_failed_spans_total{job="shop/collector", exporter=~"awsxray|otlp_http/xray"}[5m]'
    assert made[-1]["expr"] == (
        "sum by (aws_ecs_cluster_name, aws_ecs_service_name) "
        f"((last_over_time({series}) unless last_over_time({series} offset 5m)) or increase({series})) > 0"
    )


def test_series_are_counted_by_metric() -> None:
    def counted(stack: Observed) -> dict[str, str]:
        return {rule["labels"]["metric"]: rule["expr"] for rule in group(stack, "series")["rules"]}

    beside, elsewhere = counted(observed("dev", sidecar=["web"])), counted(observed("dev", service=["web"]))
    assert set(beside) == set(catalogue.SERIES_OF)
    assert set(beside) - set(elsewhere) == {metric.name for metric in catalogue.TASK_METRICS}
    assert elsewhere["up"] == f"count by {OF_JOB} (last_over_time(up[5m]))"
    for name in (
        "http_server_request_duration_seconds",
        "http_client_request_duration_seconds",
        "jvm_gc_duration_seconds",
        "v8js_gc_duration_seconds",
    ):
        assert elsewhere[name] == (
            f'count by {OF_JOB} (last_over_time({{__name__=~"{name}_bucket|{name}_count|{name}_sum"}}[5m]))'
        )
    assert {metric.metric for metric in catalogue.RUNTIME_METRICS} <= elsewhere.keys()


STACKS = {
    "sidecar": observed("dev", sidecar=["web"]),
    "service": observed("dev", service=["web"]),
    "promised": promised(),
    **{f"every {seconds} s": promised(seconds) for seconds in (10, 75, 76, 100, 300)},
}
stacks = pytest.mark.parametrize("stack", STACKS.values(), ids=STACKS)


@stacks
def test_the_same_bytes_and_what_they_say(stack: Observed) -> None:
    made = rules.recording_rules(stack)
    assert rules.to_yaml(made) == rules.to_yaml(rules.recording_rules(stack))
    assert yaml.safe_load(rules.to_yaml(made)) == made


@stacks
def test_names_have_three_parts_and_are_new(stack: Observed) -> None:
    made = rules.recorded(stack)
    assert len({one.name for one in made}) == len(made)
    for one in made:
        level, metric, operation = one.name.split(":")
        assert all((level, metric, operation))
        assert set(one.labels) <= {value for name, value in vars(Label).items() if name.isupper()}


@stacks
def test_every_window_has_four_samples(stack: Observed) -> None:
    """A rate over fewer has gaps whenever a sample is late or lost."""
    recorded = {rule.makes.name: one.seconds for one in rules.groups(stack) for rule in one.rules}
    for expr in _expressions(stack):
        for name, function, seconds in promql.ranges(expr):
            if function in ("rate", "increase"):
                assert seconds >= 4 * recorded.get(name, stack.interval_seconds), expr
            elif function == "last_over_time":
                assert seconds >= stack.interval_seconds, expr


@stacks
def test_every_recorded_series_that_is_asked_for_is_recorded(stack: Observed) -> None:
    made = {one.name for one in rules.recorded(stack)}
    asked = {name for expr in _expressions(stack) for name in promql.metrics(expr) if ":" in name}
    assert asked <= made


def _expressions(stack: Observed) -> Iterator[str]:
    documents: list[Mapping[str, Any]] = [rules.recording_rules(stack), alerting_rules(stack)]
    for document in documents:
        yield from (rule["expr"] for made in document["groups"] for rule in made["rules"])


@pytest.mark.parametrize(
    ("interval", "window"), [(10, "5m"), (60, "5m"), (75, "5m"), (76, "304s"), (100, "400s"), (120, "8m"), (300, "20m")]
)
def test_windows(interval: int, window: str) -> None:
    stack = promised(interval)
    assert rules.window(stack) == window
    assert rules.requests_rate(stack).name == f"job:http_requests:rate{window}"
    assert f"slo:errors:ratio{window}" in {one.name for one in rules.recorded(stack)}


def test_groups_are_recorded_often_enough_to_be_found() -> None:
    assert all(one.seconds < 300 for one in rules.groups(promised()))


# What they make of what is written


def written(name: str, values: str, **labels: str) -> dict[str, str]:
    known = {"aws_ecs_cluster_name": "shop-dev", "aws_ecs_service_name": "web", "job": "shop/web", **labels}
    return {"series": rules.selector(name, known), "values": values}


def values(stack: Observed, series: list[dict[str, str]], minute: int, slo: str, wanted: dict[str, float]) -> list[Any]:
    """What promtool is asked: whether an expression has a value, to a five-hundredth, at a minute."""
    labels = {"aws_ecs_cluster_name": "shop-dev", "aws_ecs_service_name": "web", "job": "shop/web", "slo": slo}
    checks = [
        {
            "expr": f"abs({asked} - {value:.9g}) < bool {0.002 * abs(value):.9g}",
            "eval_time": f"{minute}m",
            "exp_samples": [{"labels": rules.selector("", labels), "value": 1}],
        }
        for asked, value in wanted.items()
    ]
    return [{"interval": "1m", "input_series": series, "promql_expr_test": checks}]


@pytest.mark.slow
def test_budgets_over_days(tmp_path: Path) -> None:
    """A thousand requests a minute for three and a half days, of which one in a hundred failed on the first."""
    stack = promised(availability=99.9)
    day = 24 * 60
    name = "http_server_request_duration_seconds_count"
    series = [
        written(name, counter((day, 990), (5 * day // 2, 1000)), http_response_status_code="200"),
        written(name, counter((day, 10), (5 * day // 2, 0)), http_response_status_code="503"),
    ]
    # Of the last three days half a day was bad, and of all three and a half there was one.
    within, whole = 0.01 * 0.5 / 3, 0.01 / 3.5
    wanted = {
        "slo:errors:ratio3d": within,
        "slo:errors:ratio28d": whole,
        "slo:error_budget_remaining:ratio": 1 - whole / 0.001,
    }
    tests = values(stack, series, 7 * day // 2, "availability", wanted)
    assert judge(tmp_path, [needed(stack, *wanted)], tests) == ""


@pytest.mark.slow
def test_latency_is_what_the_histogram_says_of_it(tmp_path: Path) -> None:
    """Of ten requests five take no longer than 250 ms and eight no longer than 500: of the three between, two fifths
    are taken to be within 350 ms."""
    stack = promised(latency={"threshold": "350ms", "target": 99})
    name = "http_server_request_duration_seconds"
    series = [
        written(f"{name}_count", counter((30, 600))),
        *(
            written(f"{name}_bucket", counter((30, 60 * count)), le=bound)
            for bound, count in (("0.1", 1), ("0.25", 5), ("0.5", 8), ("1", 10), ("+Inf", 10))
        ),
    ]
    wanted = {"slo:errors:rate5m": 10 - 5 - 3 * 0.4, "slo:errors:ratio5m": 0.38}
    tests = values(stack, series, 20, "latency", wanted)
    # A quantile says the same: 62 % of the requests took no longer than 350 ms.
    quantile = f"round(histogram_quantile(0.62, sum by (le) (rate({name}_bucket[5m]))), 0.0001)"
    tests[0]["promql_expr_test"].append(
        {"expr": quantile, "eval_time": "20m", "exp_samples": [{"labels": "{}", "value": 0.35}]}
    )
    assert judge(tmp_path, [needed(stack, *wanted)], tests) == ""


def test_a_stack_that_nobody_promised_anything_has_no_budgets() -> None:
    names = {one.name for one in rules.groups(replace(promised(), applications=()))}
    assert "error-budgets" not in names
