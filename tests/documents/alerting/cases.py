"""Every alert that AMP evaluates, and what it is to do: fire, stay silent, resolve.

`shop` is a stack with the application `web`. Thresholds are missed and reached by little, so that a changed one shows.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from documents.catalogue import Pattern
from documents.objectives import Objectives
from documents.observed import Observed
from tests.documents.alerting.promtool import GONE, RESET, Case, counter, gauge
from tests.stacks import application, observed

FIRES = "fires on the fault, and resolves"
UNDER = "silent just under the threshold"
MISSING = "a missing series"
RESTART = "a restart"
LOW_TRAFFIC = "low traffic"
KINDS = (FIRES, UNDER, MISSING, RESTART, LOW_TRAFFIC)

OBJECTIVES = Objectives.model_validate({"availability": 99.9, "latency": {"threshold": "300ms", "target": 99}})


@dataclass(frozen=True)
class Suite:
    """The cases of an alert of one stack; `about` is the ECS service, `slo` the objective that it names."""

    stack: Observed
    cases: tuple[Case, ...]
    about: str = "web"
    slo: str = ""


def _stack(pattern: Pattern, **changes: object) -> Observed:
    return observed("dev", applications=(application("web", pattern, **changes),), collectors=2)


def _one(name: str, service: str = "web", job: str = "web", **labels: str) -> str:
    known = {
        "aws_ecs_cluster_name": "shop-dev",
        "aws_ecs_service_name": service,
        "job": f"shop/{job}",
        "instance": "one",
        **labels,
    }
    return f"{name}{{{', '.join(f'{key}={value!r}' for key, value in known.items())}}}".replace("'", '"')


def _requests(**statuses: str) -> dict[str, str]:
    """Counters of requests by `ok` and `failed`."""
    codes = {"ok": "200", "failed": "500"}
    name = "http_server_request_duration_seconds_count"
    return {
        _one(name, http_route="/", http_response_status_code=codes[status]): values
        for status, values in statuses.items()
    }


def _slow(fast: str, every: str, bound: str, above: str, middle: str = "") -> dict[str, str]:
    """A histogram in which all requests of `every` ended below `above`, and those of `fast` below `bound`."""
    name = "http_server_request_duration_seconds"
    return {
        _one(f"{name}_count", http_route="/"): every,
        _one(f"{name}_bucket", http_route="/", le=bound): fast,
        _one(f"{name}_bucket", http_route="/", le=above): middle or every,
        _one(f"{name}_bucket", http_route="/", le="+Inf"): every,
    }


def _collector(name: str, values: str, service: str = "web", **labels: str) -> dict[str, str]:
    return {_one(name, service, "collector", **{"container": "collector", **labels}): values}


def _task(name: str, values: str, task: str = "a") -> dict[str, str]:
    return {_one(name, aws_ecs_task_id=task): values}


def _running(*values: str) -> dict[str, str]:
    series: dict[str, str] = {}
    for index, each in enumerate(values):
        series |= _task("ecs_task_cpu_reserved", each, f"task-{index}")
    return series


SIDECAR = _stack(Pattern.SIDECAR)
TWO_SIDECARS = _stack(Pattern.SIDECAR, desired_count=2)
SERVICE = observed("dev", service=["web"])
PROMISED = _stack(Pattern.SIDECAR, objectives=OBJECTIVES)

_IDLE = counter((40, 0))
_STEADY = gauge((60, 1))


ERROR_RATE = Suite(
    SERVICE,
    (
        Case(
            FIRES,
            _requests(ok=counter((30, 949), (30, 1000)), failed=counter((30, 51), (30, 0))),
            fires=(8, 30),
            silent=(3, 40),
            says="5.1% of the requests to web were answered with a status of 500 or above in the last 5m; the "
            "threshold is 5 %.",
        ),
        Case(UNDER, _requests(ok=counter((40, 951)), failed=counter((40, 49))), silent=(10, 20, 40)),
        Case(MISSING + " of failures", _requests(ok=counter((40, 100))), silent=(10, 40)),
        Case(MISSING + " of successes", _requests(failed=counter((40, 100))), fires=(10, 40)),
        Case(MISSING + " of everything", {}, silent=(10, 40)),
        Case(
            RESTART + " without failures",
            _requests(ok=counter((20, 100), RESET, (20, 100)), failed=counter((10, 5), (10, 0), RESET, (20, 0))),
            silent=(20, 21, 25, 40),
        ),
        Case(
            RESTART + " amid failures",
            _requests(ok=counter((20, 100), RESET, (20, 100)), failed=counter((20, 20), RESET, (20, 20))),
            fires=(15, 21, 25, 40),
        ),
        Case(
            LOW_TRAFFIC + ": one failure among ten requests",
            _requests(ok=counter((5, 0), (9, 1), (26, 0)), failed=counter((9, 0), (1, 1), (30, 0))),
            silent=(10, 12, 15, 20, 40),
        ),
        Case(
            LOW_TRAFFIC + ": two failures, and nothing else",
            _requests(failed=counter((9, 0), (1, 2), (30, 0))),
            silent=(10, 12, 15, 20, 40),
        ),
        Case(
            LOW_TRAFFIC + ": everything fails, once a minute",
            _requests(failed=counter((40, 1))),
            fires=(15, 40),
        ),
    ),
)

LATENCY = Suite(
    SERVICE,
    (
        Case(
            FIRES,
            _slow(counter((30, 949), (30, 1000)), counter((60, 1000)), "1", "2.5"),
            fires=(8, 30),
            silent=(3, 40),
            says="One request in twenty to web took longer than 1.029s in the last 5m; the threshold is 1s.",
        ),
        Case(UNDER, _slow(counter((40, 951)), counter((40, 1000)), "1", "2.5"), silent=(10, 40)),
        Case(MISSING, {}, silent=(10, 40)),
        Case(
            RESTART,
            _slow(counter((20, 999), RESET, (20, 999)), counter((20, 1000), RESET, (20, 1000)), "1", "2.5"),
            silent=(20, 21, 25, 40),
        ),
        Case(
            LOW_TRAFFIC + ": one slow request among ten",
            _slow(counter((5, 0), (9, 1), (26, 0)), counter((5, 0), (10, 1), (25, 0)), "1", "2.5"),
            silent=(10, 14, 20, 40),
        ),
        Case(
            LOW_TRAFFIC + ": all are slow, once a minute",
            _slow(counter((40, 0)), counter((40, 1)), "1", "2.5"),
            fires=(15, 40),
        ),
    ),
)

_DAY = 360
"""Minutes of six hours, in which nothing fails."""


def _failing(ratio: float, *minutes: int) -> dict[str, str]:
    """A thousand requests a minute, of which a share fails in the second of these stretches of time."""
    before, during, after = minutes
    ok = counter((before, 1000), (during, 1000 * (1 - ratio)), (after, 1000))
    return _requests(ok=ok, failed=counter((before, 0), (during, 1000 * ratio), (after, 0)))


def _slow_by(ratio: float, before: int, during: int, after: int) -> dict[str, str]:
    """As above, but slower than 300 ms, all in the bucket between 250 and 500 ms or above it.

    A fifth of what is in the bucket is taken to be faster.
    """
    every = counter((before + during + after, 1000))
    fast = counter((before, 1000), (during, 1000 * (1 - ratio / 0.8)), (after, 1000))
    return _slow(fast, every, "0.25", "0.5")


BURNING_FAST = Suite(
    PROMISED,
    (
        Case(
            FIRES + ", by its hour",
            _failing(0.0137, _DAY, 70, 60),
            fires=(_DAY + 69,),
            silent=(_DAY, _DAY + 30, _DAY + 80),
            says="1.37% of the requests to web missed the objective of availability, 99.9 % over 28 days. That uses up "
            "the budget too fast: 2 % of it within 1h or 5 % of it within 6h.",
        ),
        Case(UNDER + " of its hour", _failing(0.0131, _DAY, 70, 10), silent=(_DAY + 62, _DAY + 70)),
        Case(FIRES + ", by its six hours", _failing(0.0058, _DAY, 400, 60), fires=(_DAY + 370,), silent=(_DAY, 815)),
        Case(UNDER + " of its six hours", _failing(0.0054, _DAY, 400, 10), silent=(_DAY + 370, _DAY + 400)),
        Case("an outage", _failing(1.0, _DAY, 20, 40), fires=(_DAY + 6, _DAY + 20), silent=(_DAY, _DAY + 58)),
        Case(MISSING, {}, silent=(10, 70)),
        Case(
            RESTART,
            _requests(ok=counter((60, 100), RESET, (60, 100)), failed=counter((60, 0), RESET, (60, 0))),
            silent=(60, 61, 65, 120),
        ),
        Case(
            LOW_TRAFFIC + ": two failures among ten requests",
            _requests(ok=counter((30, 0), (8, 1), (60, 0)), failed=counter((31, 0), (1, 2), (66, 0))),
            silent=(33, 36, 40, 60, 90),
        ),
        Case(
            LOW_TRAFFIC + ": four failures, and nothing else",
            _requests(ok=counter((100, 0)), failed=counter((31, 0), (4, 1), (66, 0))),
            fires=(42,),
            silent=(35, 80),
        ),
    ),
    slo="availability",
)

BURNING_FAST_LATENCY = Suite(
    PROMISED,
    (
        Case(
            FIRES,
            _slow_by(0.137, _DAY, 70, 60),
            fires=(_DAY + 69,),
            silent=(_DAY, _DAY + 30, _DAY + 80),
            says="13.7% of the requests to web missed the objective of latency, 99 % over 28 days. That uses up the "
            "budget too fast: 2 % of it within 1h or 5 % of it within 6h.",
        ),
        Case(UNDER, _slow_by(0.131, _DAY, 70, 10), silent=(_DAY + 62, _DAY + 70)),
    ),
    slo="latency",
)

BURNING_SLOWLY = Suite(
    PROMISED,
    (
        Case(
            FIRES,
            _failing(0.00096, 0, 120, 60),
            fires=(60, 120),
            silent=(10, 150),
            says="0.096% of the requests to web missed the objective of availability, 99.9 % over 28 days. That uses "
            "up the budget too fast: 10 % of it within 3d.",
        ),
        Case(UNDER, _failing(0.00091, 0, 120, 0), silent=(60, 120)),
        Case(MISSING, {}, silent=(10, 70)),
        Case(
            RESTART,
            _requests(ok=counter((60, 100), RESET, (60, 100)), failed=counter((60, 0), RESET, (60, 0))),
            silent=(60, 61, 65, 120),
        ),
        Case(
            LOW_TRAFFIC + ": two failures among ten requests",
            _requests(ok=counter((30, 0), (8, 1), (60, 0)), failed=counter((31, 0), (1, 2), (66, 0))),
            silent=(40, 60, 90),
        ),
    ),
    slo="availability",
)


def _heard(values: str) -> dict[str, str]:
    return {_one("process_memory_usage_bytes"): values}


SILENT_BESIDE = Suite(
    SIDECAR,
    (
        Case(
            FIRES,
            {
                **_running(_STEADY),
                **_collector("up", _STEADY),
                **_collector("otelcol_process_memory_rss", gauge((60, 1e6))),
                **_heard(gauge((10, 1), (30, GONE), (20, 1))),
            },
            fires=(27, 39),
            silent=(10, 20, 45),
            says="1 tasks of web run, and none of them has sent a metric of its own for 5m.",
        ),
        Case(UNDER, {**_running(_STEADY), **_heard(gauge((10, 1), (9, GONE), (40, 1)))}, silent=(10, 18, 25, 50)),
        Case(MISSING + " of the task", _heard(gauge((10, 1))), silent=(10, 30, 50)),
        Case(RESTART, {**_running(_STEADY), **_heard(gauge((20, 1), (3, GONE), (30, 1)))}, silent=(20, 24, 40)),
        Case(LOW_TRAFFIC + ": no request at all", {**_running(_STEADY), **_heard(_STEADY)}, silent=(10, 30, 50)),
        Case(
            "a scraped application that does not answer",
            {**_running(_STEADY), _one("up"): gauge((60, 0))},
            fires=(12, 50),
        ),
    ),
)

SILENT_ELSEWHERE = Suite(
    SERVICE,
    (
        Case(
            FIRES,
            {**_heard(gauge((10, 1), (30, GONE), (20, 1)))},
            fires=(27, 39),
            silent=(10, 20, 45),
            says="1 tasks of web should run, and none of them has sent a metric of its own for 5m.",
        ),
        Case(UNDER, _heard(gauge((10, 1), (9, GONE), (40, 1))), silent=(10, 18, 25, 50)),
        Case(MISSING + " from the first", {}, fires=(12,), silent=(5,)),
        Case(RESTART, _heard(gauge((20, 1), (3, GONE), (30, 1))), silent=(20, 24, 40)),
        Case(LOW_TRAFFIC, _heard(_STEADY), silent=(10, 50)),
    ),
)

CPU = Suite(
    SIDECAR,
    (
        Case(
            FIRES,
            {**_running(gauge((60, 100))), **_task("ecs_task_cpu_utilized", gauge((30, 91), (30, 50)), "task-0")},
            fires=(17, 29),
            silent=(10, 45),
            says="A task of web uses 91% of the CPU that it reserves; the threshold is 90 %.",
        ),
        Case(
            UNDER,
            {**_running(gauge((60, 100))), **_task("ecs_task_cpu_utilized", gauge((60, 89)), "task-0")},
            silent=(20, 50),
        ),
        Case(MISSING, _running(gauge((60, 100))), silent=(20, 50)),
        Case(
            RESTART + ": another task, as busy for a while",
            {
                **_running(gauge((12, 100), (30, GONE)), gauge((13, GONE), (40, 100))),
                **_task("ecs_task_cpu_utilized", gauge((12, 20), (30, GONE)), "task-0"),
                **_task("ecs_task_cpu_utilized", gauge((13, GONE), (5, 100), (35, 20)), "task-1"),
            },
            silent=(12, 20, 40),
        ),
        Case(
            LOW_TRAFFIC,
            {**_running(gauge((60, 100))), **_task("ecs_task_cpu_utilized", gauge((60, 0)), "task-0")},
            silent=(20, 50),
        ),
    ),
)

MEMORY = Suite(
    SIDECAR,
    tuple(
        Case(
            kind,
            {
                **_task("ecs_task_memory_reserved", gauge((60, 1000))),
                **({} if values is None else _task("ecs_task_memory_utilized", values)),
            },
            fires,
            silent,
            says,
        )
        for kind, values, fires, silent, says in (
            (
                FIRES,
                gauge((30, 910), (30, 500)),
                (7, 29),
                (3, 40),
                "A task of web uses 91% of the memory that it reserves; the threshold is 90 %.",
            ),
            (UNDER, gauge((60, 890)), (), (20, 50), ""),
            (MISSING, None, (), (20, 50), ""),
            (RESTART, gauge((20, 500), (3, GONE), (3, 950), (30, 500)), (), (20, 25, 30, 50), ""),
            (LOW_TRAFFIC, gauge((60, 0)), (), (20, 50), ""),
        )
    ),
)

BELOW_DESIRED = Suite(
    TWO_SIDECARS,
    (
        Case(
            FIRES,
            _running(_STEADY, gauge((10, 1), (25, GONE), (20, 1))),
            fires=(21, 34),
            silent=(10, 15, 40),
            says="1 of 2 tasks of web report.",
        ),
        Case(UNDER + ": as many as desired, one with two series", _running(_STEADY, _STEADY), silent=(10, 50)),
        Case(MISSING + ": nothing reports", {}, fires=(7, 40)),
        Case(
            RESTART + ": one task takes the place of another",
            _running(_STEADY, gauge((20, 1)), gauge((22, GONE), (30, 1))),
            silent=(20, 25, 28, 50),
        ),
        Case(
            LOW_TRAFFIC,
            {**_running(_STEADY, _STEADY), **_task("ecs_task_cpu_utilized", gauge((60, 0)))},
            silent=(10, 50),
        ),
    ),
)


def _up(*values: str, service: str = "web") -> dict[str, str]:
    return {
        _one("up", service, "collector", container="collector", instance=f"task-{index}"): each
        for index, each in enumerate(values)
    }


DOWN_BESIDE = Suite(
    TWO_SIDECARS,
    (
        Case(
            FIRES,
            _up(_STEADY, gauge((10, 1), (25, GONE), (20, 1))),
            fires=(21, 34),
            silent=(10, 15, 40),
            says="1 of 2 collectors of web were heard of in the last 5m.",
        ),
        Case(UNDER, _up(_STEADY, _STEADY), silent=(10, 50)),
        Case(MISSING + ": nobody is heard of", {}, fires=(7, 40)),
        Case("a collector that does not answer itself", _up(_STEADY, gauge((60, 0))), fires=(7, 40)),
        Case(RESTART, _up(_STEADY, gauge((20, 1), (3, GONE), (30, 1))), silent=(20, 24, 40)),
        Case(LOW_TRAFFIC, _up(_STEADY, _STEADY), silent=(10, 50)),
    ),
)

DOWN_BEHIND = Suite(
    SERVICE,
    (
        Case(
            FIRES + ": one of two fronts",
            {
                **_up(_STEADY, _STEADY, service="collector"),
                **_collector("up", _STEADY, "collector", container="front"),
                **_collector("up", gauge((10, 1), (40, GONE)), "collector", container="front", instance="two"),
            },
            fires=(21, 40),
            silent=(10, 15),
            says="3 of 4 collectors of collector were heard of in the last 5m.",
        ),
        Case(MISSING + ": nobody is heard of", {}, fires=(7, 40)),
    ),
    about="collector",
)


def _dropped(values: str, exporter: str = "otlp_grpc/xray", name: str = "send_failed_spans") -> dict[str, str]:
    return _collector(f"otelcol_exporter_{name}_total", values, exporter=exporter)


_NEWBORN = gauge((10, GONE), (20, 7))
"""A counter that appears with its first failures, and has no more."""

DROPPING = Suite(
    SIDECAR,
    (
        Case(
            FIRES + ", at the first loss",
            _dropped(_NEWBORN),
            fires=(11, 13),
            silent=(9, 17, 25),
            says="7 spans, points and records were given up, or found no room in a queue, in the last 5m.",
        ),
        Case(FIRES + ", later ones as well", _dropped(counter((20, 0), (5, 3), (20, 0))), fires=(23,), silent=(19, 33)),
        Case(
            FIRES + ", also what has no room",
            {**_dropped(counter((9, 0), (9, 2), (20, 0)), name="enqueue_failed_metric_points")},
            fires=(15,),
            silent=(8, 25),
        ),
        Case(UNDER + ": lost long ago", _dropped(gauge((60, 7))), silent=(15, 50)),
        Case(UNDER + ": tried in vain, and kept", _dropped(counter((40, 9)), "awsxray"), silent=(15, 40)),
        Case(MISSING, {}, silent=(10, 40)),
        Case(RESTART, _dropped(counter((20, 0), RESET, (20, 0))), silent=(20, 22, 40)),
        Case(LOW_TRAFFIC, _dropped(_IDLE), silent=(10, 40)),
    ),
)


def _refused(values: str, transport: str = "http", what: str = "spans") -> dict[str, str]:
    return _collector(f"otelcol_receiver_refused_{what}_total", values, receiver="otlp", transport=transport)


REFUSING = Suite(
    SIDECAR,
    (
        Case(
            FIRES,
            {**_refused(counter((30, 10), (30, 0))), **_refused(counter((30, 2), (30, 0)), what="metric_points")},
            fires=(9, 30),
            silent=(4, 40),
            says="60 spans, points and records were refused in the last 5m.",
        ),
        Case(UNDER + ": sent again at once", _refused(counter((10, 0), (1, 50), (30, 0))), silent=(11, 13, 16, 20)),
        Case(MISSING, {}, silent=(10, 40)),
        Case(RESTART, _refused(counter((20, 0), RESET, (20, 0))), silent=(20, 22, 40)),
        Case(LOW_TRAFFIC, _refused(_IDLE), silent=(10, 40)),
    ),
)


def _filled(values: str, capacity: str = gauge((60, 1000))) -> dict[str, str]:
    return {
        **_collector("otelcol_exporter_queue_size", values, exporter="otlp_grpc/xray", data_type="traces"),
        **_collector("otelcol_exporter_queue_capacity", capacity, exporter="otlp_grpc/xray", data_type="traces"),
        **_collector("otelcol_exporter_queue_size", gauge((60, 0)), exporter="otlp_grpc/task", data_type="metrics"),
    }


QUEUE = Suite(
    SIDECAR,
    (
        Case(
            FIRES,
            _filled(gauge((30, 510), (30, 0))),
            fires=(7, 29),
            silent=(3, 40),
            says="A queue of a collector of web is 51% full; the threshold is 50 %. A full queue refuses new "
            "telemetry.",
        ),
        Case(UNDER, _filled(gauge((60, 490))), silent=(10, 50)),
        Case(MISSING + " of the capacity", _filled(gauge((60, 900)), gauge((60, GONE))), silent=(10, 50)),
        Case(RESTART, _filled(gauge((20, 0), (3, GONE), (3, 900), (30, 0))), silent=(20, 25, 30, 50)),
        Case(LOW_TRAFFIC, _filled(gauge((60, 0)), gauge((60, 0))), silent=(10, 50)),
    ),
)


def _held(share: float) -> float:
    return share * 512 * 1024 * 1024


COLLECTOR_MEMORY = Suite(
    SIDECAR,
    tuple(
        Case(kind, _collector("otelcol_process_memory_rss", values, container=container), fires, silent, says)
        for kind, values, container, fires, silent, says in (
            (
                FIRES,
                gauge((30, _held(0.91)), (30, _held(0.5))),
                "collector",
                (7, 29),
                (3, 40),
                "A collector of web holds 91% of its 512 MiB; the threshold is 90 %. At 100 % it is killed.",
            ),
            (UNDER, gauge((60, _held(0.89))), "collector", (), (10, 50), ""),
            (MISSING, gauge((60, GONE)), "collector", (), (10, 50), ""),
            (RESTART, gauge((20, 9e6), (2, GONE), (3, _held(0.95)), (30, 9e6)), "collector", (), (24, 28, 50), ""),
            (LOW_TRAFFIC, gauge((60, 9e6)), "collector", (), (10, 50), ""),
        )
    ),
)

XRAY = Suite(
    SIDECAR,
    (
        Case(
            FIRES,
            _dropped(f"{gauge((10, GONE))} {counter((20, 4), (20, 0))}", "awsxray"),
            fires=(18, 30),
            silent=(9, 12, 45),
            says="20 spans were sent to X-Ray in vain in the last 5m.",
        ),
        Case("X-Ray's own OTLP", _dropped(counter((30, 4)), "otlp_http/xray"), fires=(10, 30)),
        Case(UNDER + ": once", _dropped(counter((10, 0), (1, 50), (30, 0)), "awsxray"), silent=(11, 13, 16, 20)),
        Case(UNDER + ": a partner fails", _dropped(counter((40, 5)), "otlp_http/partner"), silent=(10, 40)),
        Case(MISSING, {}, silent=(10, 40)),
        Case(RESTART, _dropped(counter((20, 0), RESET, (20, 0)), "awsxray"), silent=(20, 22, 40)),
        Case(LOW_TRAFFIC, _dropped(_IDLE, "awsxray"), silent=(10, 40)),
    ),
)

DEAD_MAN = Suite(
    SERVICE,
    (
        Case(
            "fires always",
            {},
            fires=(0, 40),
            says="This alert of shop-dev always fires (its value is 1). If it is no longer heard, no other one will "
            "be.",
        ),
    ),
    about="",
)

SUITES: Mapping[str, tuple[Suite, ...]] = {
    "HighErrorRate": (ERROR_RATE,),
    "HighLatency": (LATENCY,),
    "ErrorBudgetBurningFast": (BURNING_FAST, BURNING_FAST_LATENCY),
    "ErrorBudgetBurningSlowly": (BURNING_SLOWLY,),
    "ApplicationSilent": (SILENT_BESIDE, SILENT_ELSEWHERE),
    "TaskCpuSaturated": (CPU,),
    "TaskMemorySaturated": (MEMORY,),
    "TasksBelowDesired": (BELOW_DESIRED,),
    "CollectorDown": (DOWN_BESIDE, DOWN_BEHIND),
    "CollectorDropping": (DROPPING,),
    "CollectorRefusing": (REFUSING,),
    "CollectorQueueFilling": (QUEUE,),
    "CollectorMemoryHigh": (COLLECTOR_MEMORY,),
    "XRayFailing": (XRAY,),
    "DeadMansSwitch": (DEAD_MAN,),
}
