"""Every alert by name: what may be turned off, what has a runbook, what a proof has to make fire."""

from typing import Final

from documents.alerting.model import Alert, Severity

_CRITICAL: Final = Severity.CRITICAL
_WARNING: Final = Severity.WARNING

OUT_OF_MEMORY: Final = Alert("TaskOutOfMemory", _CRITICAL, "a task was stopped because it had no memory left")
RESTART_LOOP: Final = Alert("TaskRestartLoop", _CRITICAL, "tasks stop again and again soon after they start")
FAILED_HEALTH_CHECK: Final = Alert("TaskFailedHealthCheck", _WARNING, "tasks are replaced as unhealthy")
CPU_SATURATED: Final = Alert("TaskCpuSaturated", _WARNING, "tasks use almost all of their CPU")
MEMORY_SATURATED: Final = Alert("TaskMemorySaturated", _WARNING, "tasks use almost all of their memory")
BELOW_DESIRED: Final = Alert("TasksBelowDesired", _CRITICAL, "fewer tasks run than should")
ERROR_RATE: Final = Alert("HighErrorRate", _CRITICAL, "too many requests fail")
LATENCY: Final = Alert("HighLatency", _WARNING, "too many requests are slow")
SILENT: Final = Alert("ApplicationSilent", _WARNING, "an application that runs sends no metrics")
BURNING_FAST: Final = Alert("ErrorBudgetBurningFast", _CRITICAL, "the error budget will be gone within days")
BURNING_SLOWLY: Final = Alert("ErrorBudgetBurningSlowly", _WARNING, "the error budget will not last for its period")
COLLECTOR_DOWN: Final = Alert("CollectorDown", _CRITICAL, "a collector that should run is not heard of")
COLLECTOR_DROPPING: Final = Alert("CollectorDropping", _CRITICAL, "a collector loses telemetry for good")
COLLECTOR_REFUSING: Final = Alert("CollectorRefusing", _WARNING, "a collector refuses what applications send")
COLLECTOR_QUEUE: Final = Alert("CollectorQueueFilling", _WARNING, "telemetry waits on the disk of a collector")
COLLECTOR_MEMORY: Final = Alert("CollectorMemoryHigh", _WARNING, "a collector is near its memory limit")
XRAY_FAILING: Final = Alert("XRayFailing", _WARNING, "X-Ray does not take the traces")
SAMPLES_REJECTED: Final = Alert("AmpSamplesRejected", _WARNING, "the workspace rejects samples")
INGESTION_STOPPED: Final = Alert("AmpIngestionStopped", _CRITICAL, "no sample arrives in the workspace")
RULES_FAILING: Final = Alert("AmpRulesFailing", _CRITICAL, "rules of the workspace cannot be evaluated")
NOTIFICATIONS_FAILING: Final = Alert("AmpNotificationsFailing", _CRITICAL, "alerts do not reach their topic")
SERIES_NEAR_LIMIT: Final = Alert("AmpSeriesNearLimit", _WARNING, "the workspace is near its limit of series")
SCHEDULE_NOT_RUN: Final = Alert("ScheduleNotRun", _WARNING, "a task could not be run when its schedule said so")
TRACE_FAULTS: Final = Alert("TraceFaults", _WARNING, "too many traces in X-Ray have a fault")
DEAD_MANS_SWITCH: Final = Alert("DeadMansSwitch", _WARNING, "nothing is wrong: alerts are evaluated and delivered")
ALERTING_SILENT: Final = Alert("AlertingSilent", _CRITICAL, "the dead man's switch is no longer heard")

ALERTS: Final = (
    OUT_OF_MEMORY,
    RESTART_LOOP,
    FAILED_HEALTH_CHECK,
    CPU_SATURATED,
    MEMORY_SATURATED,
    BELOW_DESIRED,
    ERROR_RATE,
    LATENCY,
    SILENT,
    BURNING_FAST,
    BURNING_SLOWLY,
    COLLECTOR_DOWN,
    COLLECTOR_DROPPING,
    COLLECTOR_REFUSING,
    COLLECTOR_QUEUE,
    COLLECTOR_MEMORY,
    XRAY_FAILING,
    SAMPLES_REJECTED,
    INGESTION_STOPPED,
    RULES_FAILING,
    NOTIFICATIONS_FAILING,
    SERIES_NEAR_LIMIT,
    SCHEDULE_NOT_RUN,
    TRACE_FAULTS,
    DEAD_MANS_SWITCH,
    ALERTING_SILENT,
)

OF_NO_APPLICATION: Final = frozenset(
    alert.name
    for alert in (
        SAMPLES_REJECTED,
        INGESTION_STOPPED,
        RULES_FAILING,
        NOTIFICATIONS_FAILING,
        SERIES_NEAR_LIMIT,
        SCHEDULE_NOT_RUN,
        DEAD_MANS_SWITCH,
        ALERTING_SILENT,
    )
)
"""Names of alerts about what applications share, which only the whole stack can turn off."""

OF_COLLECTORS: Final = frozenset(
    alert.name
    for alert in (
        COLLECTOR_DOWN,
        COLLECTOR_DROPPING,
        COLLECTOR_REFUSING,
        COLLECTOR_QUEUE,
        COLLECTOR_MEMORY,
        XRAY_FAILING,
    )
)
"""Alerts about collectors, which many applications may share."""
