"""Every metric and label that this product emits or reads, once.

The collector's allow-lists, the dashboards and the rules all take their names from here, so that a name cannot drift
between what is written and what is asked for.

* ECS task metrics are written without unit suffixes (`ecs_task_cpu_reserved`), as AWS's own dashboard expects.
* Application metrics keep Prometheus' unit suffixes (`..._seconds_bucket`), as community dashboards do.
* In the service pattern no collector can see the tasks of others, so the ECS task metrics come from CloudWatch
  Container Insights there, with enhanced observability: only that has figures for each task (dimension `TaskId`) and
  utilisation in percent. Names, units and dimensions: Amazon CloudWatch User Guide
  (https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/), pages "Amazon ECS Container Insights with enhanced
  observability metrics" (Container-Insights-enhanced-observability-metrics-ECS.html) and "Container Insights
  performance log events for Amazon ECS" (Container-Insights-reference-performance-logs-ECS.html).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Pattern(StrEnum):
    """How the collector is deployed beside the applications."""

    SIDECAR = "sidecar"
    SERVICE = "service"


class Label:
    """Label names as they stand in AMP."""

    CLUSTER: Final = "aws_ecs_cluster_name"
    SERVICE: Final = "aws_ecs_service_name"
    FAMILY: Final = "aws_ecs_task_family"
    REVISION: Final = "aws_ecs_task_revision"
    TASK: Final = "aws_ecs_task_id"
    ENVIRONMENT: Final = "deployment_environment_name"
    JOB: Final = "job"
    """`<service.namespace>/<service.name>`, made by the remote-write exporter."""
    INSTANCE: Final = "instance"
    """`service.instance.id`: one value for each process that writes."""
    METHOD: Final = "http_request_method"
    ROUTE: Final = "http_route"
    STATUS: Final = "http_response_status_code"
    BOUND: Final = "le"
    CONTAINER: Final = "container"
    """Which of the collectors of a task says something of itself."""
    RECEIVER: Final = "receiver"
    VERSION: Final = "version"
    """Of a collector, on `UPTIME` alone."""
    PEER: Final = "server_address"
    """The host that an application called."""
    EXPORTER: Final = "exporter"
    ALERT: Final = "alertname"
    STATE: Final = "alertstate"
    SEVERITY: Final = "severity"
    SLO: Final = "slo"
    """Which objective a recorded series is about."""
    METRIC: Final = "metric"
    """Which metric of the catalogue a recorded count of series is about."""


@dataclass(frozen=True)
class Attribute:
    """A resource attribute of OpenTelemetry that becomes a label.

    `key` is the attribute's name, `label` the name in AMP, `patterns` says where a collector can know it.
    """

    key: str
    label: str
    patterns: frozenset[Pattern]


_BOTH: Final = frozenset(Pattern)
_SIDECAR: Final = frozenset({Pattern.SIDECAR})

SERVICE_NAME: Final = "service.name"
SERVICE_NAMESPACE: Final = "service.namespace"
SERVICE_INSTANCE: Final = "service.instance.id"
TASK_ID: Final = "aws.ecs.task.id"

IDENTITY: Final = (SERVICE_NAME, SERVICE_NAMESPACE, SERVICE_INSTANCE)
"""Attributes that the exporter turns into `job` and `instance` instead of labels of their own."""

ATTRIBUTES: Final = (
    Attribute("deployment.environment.name", Label.ENVIRONMENT, _BOTH),
    Attribute("aws.ecs.cluster.name", Label.CLUSTER, _BOTH),
    Attribute("aws.ecs.service.name", Label.SERVICE, _BOTH),
    Attribute("aws.ecs.task.family", Label.FAMILY, _BOTH),
    Attribute("aws.ecs.task.revision", Label.REVISION, _SIDECAR),
    Attribute(TASK_ID, Label.TASK, _SIDECAR),
)
"""The only resource attributes that become labels: each further one multiplies or renames every series."""


CONTAINER_INSIGHTS: Final = "ECS/ContainerInsights"
"""The CloudWatch namespace of Container Insights on ECS."""


class Dimension:
    """Dimension names of Container Insights."""

    CLUSTER: Final = "ClusterName"
    SERVICE: Final = "ServiceName"
    FAMILY: Final = "TaskDefinitionFamily"
    TASK: Final = "TaskId"


BY_SERVICE: Final = frozenset({Dimension.CLUSTER, Dimension.SERVICE})
BY_FAMILY: Final = frozenset({Dimension.CLUSTER, Dimension.FAMILY})
BY_TASK: Final = frozenset({Dimension.CLUSTER, Dimension.SERVICE, Dimension.TASK})

_OF_A_TASK: Final = (
    frozenset({Dimension.CLUSTER}),
    BY_SERVICE,
    BY_FAMILY,
    BY_TASK,
    frozenset({Dimension.CLUSTER, Dimension.FAMILY, Dimension.TASK}),
)


@dataclass(frozen=True)
class CloudWatchMetric:
    """The same quantity in CloudWatch: `name` in namespace `ECS/ContainerInsights`.

    `statistic` and `unit` as CloudWatch spells them; `scale` turns CloudWatch's unit into the unit of the metric that
    it stands for; `dimensions` are the documented dimension sets. One task gives one sample a minute.
    """

    name: str
    statistic: str
    unit: str
    scale: float = 1
    dimensions: tuple[frozenset[str], ...] = _OF_A_TASK

    @property
    def namespace(self) -> str:
        """Where CloudWatch has it."""
        return CONTAINER_INSIGHTS


class TaskEvent:
    """Container Insights' performance log events of `Type` `Task`: one for each task and minute.

    `ServiceName` is not in the documented example, whose task has no service; the metrics with that dimension are made
    from these events, so an event of a service's task carries it.
    """

    TYPE: Final = "Type"
    TASK: Final = "TaskId"
    SERVICE: Final = "ServiceName"
    FAMILY: Final = "TaskDefinitionFamily"
    REVISION: Final = "TaskDefinitionRevision"
    CPU_UTILIZED: Final = "CpuUtilized"
    CPU_RESERVED: Final = "CpuReserved"
    MEMORY_UTILIZED: Final = "MemoryUtilized"
    MEMORY_RESERVED: Final = "MemoryReserved"
    NETWORK_RX: Final = "NetworkRxBytes"
    NETWORK_TX: Final = "NetworkTxBytes"


def performance_log_group(cluster: str) -> str:
    """The log group into which Container Insights writes the performance log events of a cluster."""
    return f"/aws/ecs/containerinsights/{cluster}/performance"


class StopEvent:
    """Fields of EventBridge's event "ECS Task State Change", as CloudWatch Logs Insights names them.

    Amazon ECS Developer Guide, "Amazon ECS task state change events" (ecs_task_events.html); the values of the fields
    about a stop: "Stopped tasks error codes" (stopped-task-error-codes.html) and "Amazon ECS stopped tasks error
    messages" (stopped-task-error-messages.html).
    """

    KIND: Final = "detail-type"
    TASK: Final = "detail.taskArn"
    GROUP: Final = "detail.group"
    """`service:<name>` of a service's task."""
    DEFINITION: Final = "detail.taskDefinitionArn"
    STATUS: Final = "detail.lastStatus"
    STOP_CODE: Final = "detail.stopCode"
    STOPPED_REASON: Final = "detail.stoppedReason"
    STARTED_AT: Final = "detail.startedAt"
    STOPPED_AT: Final = "detail.stoppedAt"

    @staticmethod
    def container(index: int, field: str) -> str:
        """`name`, `reason` or `exitCode` of a container of the task."""
        return f"detail.containers.{index}.{field}"

    @staticmethod
    def group(service: str) -> str:
        """What `GROUP` holds for a task of an ECS service."""
        return f"service:{service}"


class DeploymentEvent:
    """Fields of EventBridge's event "ECS Deployment State Change", which names its service in `resources` only.

    Amazon ECS Developer Guide, "Amazon ECS service deployment state change events"
    (ecs_service_deployment_events.html).
    """

    KIND: Final = "detail-type"
    RESOURCE: Final = "resources.0"
    NAME: Final = "detail.eventName"
    REASON: Final = "detail.reason"


TASK_STOPPED: Final = "ECS Task State Change"
DEPLOYMENT_CHANGED: Final = "ECS Deployment State Change"
"""What `KIND` holds."""


@dataclass(frozen=True)
class TaskMetric:
    """A metric of an ECS task.

    `otel` is the name that the collector's `awsecscontainermetrics` receiver emits, `unit` the unit of its values,
    `cloudwatch` where the service pattern reads it.
    """

    otel: str
    unit: str
    cloudwatch: CloudWatchMetric

    @property
    def name(self) -> str:
        """The name in AMP."""
        return self.otel.replace(".", "_")


MEBIBYTE: Final = 1024 * 1024
CPU_UNITS_PER_VCPU: Final = 1024

CPU_UTILIZED: Final = TaskMetric(
    "ecs.task.cpu.utilized", "CPU units", CloudWatchMetric("CpuUtilized", "Average", "None")
)
CPU_RESERVED: Final = TaskMetric(
    "ecs.task.cpu.reserved", "CPU units", CloudWatchMetric("CpuReserved", "Average", "None")
)
CPU_VCPU: Final = TaskMetric(
    "ecs.task.cpu.usage.vcpu", "vCPU", CloudWatchMetric("CpuUtilized", "Average", "None", 1 / CPU_UNITS_PER_VCPU)
)
MEMORY_UTILIZED: Final = TaskMetric(
    "ecs.task.memory.utilized", "MiB", CloudWatchMetric("MemoryUtilized", "Average", "Megabytes")
)
MEMORY_RESERVED: Final = TaskMetric(
    "ecs.task.memory.reserved", "MiB", CloudWatchMetric("MemoryReserved", "Average", "Megabytes")
)
MEMORY_USAGE: Final = TaskMetric(
    "ecs.task.memory.usage", "bytes", CloudWatchMetric("MemoryUtilized", "Average", "Megabytes", MEBIBYTE)
)
"""For AWS's own dashboard AMP_ECS_Task_Monitoring, which may be imported; ours ask for `MEMORY_UTILIZED`."""
NETWORK_RX: Final = TaskMetric(
    "ecs.task.network.rate.rx", "bytes/s", CloudWatchMetric("NetworkRxBytes", "Average", "Bytes/Second")
)
NETWORK_TX: Final = TaskMetric(
    "ecs.task.network.rate.tx", "bytes/s", CloudWatchMetric("NetworkTxBytes", "Average", "Bytes/Second")
)
# Cumulative since the start of the task in both back ends, whatever CloudWatch's unit says (performance log events).
STORAGE_READ: Final = TaskMetric(
    "ecs.task.storage.read_bytes", "bytes", CloudWatchMetric("StorageReadBytes", "Average", "Bytes")
)
STORAGE_WRITE: Final = TaskMetric(
    "ecs.task.storage.write_bytes", "bytes", CloudWatchMetric("StorageWriteBytes", "Average", "Bytes")
)

TASK_METRICS: Final = (
    CPU_UTILIZED,
    CPU_RESERVED,
    CPU_VCPU,
    MEMORY_UTILIZED,
    MEMORY_RESERVED,
    MEMORY_USAGE,
    NETWORK_RX,
    NETWORK_TX,
    STORAGE_READ,
    STORAGE_WRITE,
)
"""Ten series for each task: the whole cost of the ECS dashboard. All else that the receiver emits is dropped."""

RUNNING_TASKS: Final = CloudWatchMetric("RunningTaskCount", "Average", "Count", dimensions=(BY_SERVICE,))
"""The service pattern's count of tasks; the sidecar pattern counts the series of `CPU_RESERVED`."""

DESIRED_TASKS: Final = CloudWatchMetric("DesiredTaskCount", "Average", "Count", dimensions=(BY_SERVICE,))
"""How many tasks a service should have; changed by deployments and by autoscaling."""

CPU_UTILIZATION: Final = CloudWatchMetric("TaskCpuUtilization", "Average", "Percent")
MEMORY_UTILIZATION: Final = CloudWatchMetric("TaskMemoryUtilization", "Average", "Percent")
"""Used of reserved, enhanced observability only; the sidecar pattern records the same ratios (`documents.rules`)."""

CLOUDWATCH_METRICS: Final = (
    *{metric.cloudwatch.name: metric.cloudwatch for metric in TASK_METRICS}.values(),
    RUNNING_TASKS,
    DESIRED_TASKS,
    CPU_UTILIZATION,
    MEMORY_UTILIZATION,
)
"""Everything that is read from Container Insights, each name once."""


@dataclass(frozen=True)
class ServiceMetric:
    """A metric that an AWS service publishes of itself, free of charge, where there is something to say: a metric that
    is missing is 0. `dimensions` are those whose values never change; the others are the caller's."""

    namespace: str
    name: str
    statistic: str
    unit: str
    dimensions: tuple[tuple[str, str], ...] = ()


class AmpDimension:
    """Dimension names of AMP's metrics of itself."""

    WORKSPACE: Final = "Workspace"
    REASON: Final = "Reason"
    """Why samples were discarded."""
    RESOURCE_ID: Final = "ResourceId"
    """The workspace, in the metrics of its usage."""


def _usage(resource: str, unit: str) -> ServiceMetric:
    """Amazon Managed Service for Prometheus User Guide, "Use CloudWatch metrics to monitor Amazon Managed Service for
    Prometheus resources" (AMP-CW-usage-metrics.html); dimensions as in AWS's own dashboards of a workspace
    (aws-observability/aws-observability-accelerator, artifacts/grafana-dashboards/amp)."""
    dimensions = (("Type", "Resource"), ("Service", "Prometheus"), ("Class", "None"), ("Resource", resource))
    return ServiceMetric("AWS/Usage", "ResourceCount", "Maximum", unit, dimensions)


def _of_workspace(name: str) -> ServiceMetric:
    """The same page."""
    return ServiceMetric("AWS/Prometheus", name, "Sum", "Count")


AMP_ACTIVE_SERIES: Final = _usage("ActiveSeries", "Count")
AMP_INGESTION_RATE: Final = _usage("IngestionRate", "Count/Second")
AMP_DISCARDED_SAMPLES: Final = _of_workspace("DiscardedSamples")
AMP_QUERY_SAMPLES: Final = _of_workspace("QuerySamplesProcessed")
AMP_RULE_FAILURES: Final = _of_workspace("RuleEvaluationFailures")
AMP_RULES_MISSED: Final = _of_workspace("RuleGroupIterationsMissed")
AMP_NOTIFICATIONS_FAILED: Final = _of_workspace("AlertManagerNotificationsFailed")
AMP_NOTIFICATIONS_THROTTLED: Final = _of_workspace("AlertManagerNotificationsThrottled")

SNS_PUBLISHED: Final = ServiceMetric("AWS/SNS", "NumberOfMessagesPublished", "Sum", "Count")
"""Amazon SNS Developer Guide, "Monitoring Amazon SNS topics using CloudWatch"."""

SNS_TOPIC: Final = "TopicName"
"""The dimension of SNS's metrics."""


SQS_VISIBLE: Final = ServiceMetric("AWS/SQS", "ApproximateNumberOfMessagesVisible", "Maximum", "Count")
"""Amazon SQS Developer Guide, "Available CloudWatch metrics for Amazon SQS": there is none of a queue in which nothing
has happened for six hours."""

SQS_QUEUE: Final = "QueueName"
"""The dimension of SQS's metrics."""


class BalancerDimension:
    """Dimension names of an Application Load Balancer's metrics; values are the ends of ARNs, `app/name/id` and
    `targetgroup/name/id`."""

    BALANCER: Final = "LoadBalancer"
    TARGET_GROUP: Final = "TargetGroup"


def _of_targets(name: str, statistic: str) -> ServiceMetric:
    """Elastic Load Balancing, Application Load Balancers, "CloudWatch metrics for your Application Load Balancer"."""
    return ServiceMetric("AWS/ApplicationELB", name, statistic, "Count")


TARGET_ERRORS: Final = _of_targets("HTTPCode_Target_5XX_Count", "Sum")
TARGET_REQUESTS: Final = _of_targets("RequestCount", "Sum")
UNHEALTHY_TARGETS: Final = _of_targets("UnHealthyHostCount", "Maximum")

AMP_MOST_SERIES: Final = 10_000_000
"""AMP's quota of active series in a workspace of which nobody said anything else: the smaller of the two figures that
copies of different age of "Amazon Managed Service for Prometheus service quotas" (AMP_quotas.html) give; the other is
50,000,000. A warning that comes early is cheaper than none."""


@dataclass(frozen=True)
class ApplicationMetric:
    """A histogram that an application's OpenTelemetry SDK emits. `name` is the base name in AMP, with its unit suffix,
    `bounds` are the upper bounds of its buckets in `unit`, without the last one, which has none."""

    otel: str
    name: str
    unit: str
    labels: tuple[str, ...]
    bounds: tuple[float, ...]

    @property
    def series(self) -> int:
        """Series for each combination of its labels: the buckets, their sum and their count."""
        return len(self.bounds) + 3


REQUEST_DURATION: Final = ApplicationMetric(
    "http.server.request.duration",
    "http_server_request_duration_seconds",
    "s",
    (Label.METHOD, Label.ROUTE, Label.STATUS),
    bounds=(0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10),
)
"""The stable HTTP semantic conventions' histogram: requests, errors and latency all come from it."""

CALL_DURATION: Final = ApplicationMetric(
    "http.client.request.duration",
    "http_client_request_duration_seconds",
    "s",
    (Label.METHOD, Label.PEER, Label.STATUS),
    bounds=REQUEST_DURATION.bounds,
)
"""The same for the calls that an application makes. A call that got no answer has no status.

Its series grow with the hosts that are called: an application that calls arbitrary ones should not report them.
"""


@dataclass(frozen=True)
class RuntimeMetric:
    """What an SDK says of its own process. `name` is the one in AMP, `unit` that of its values; `languages` are those
    whose OpenTelemetry instrumentation emits it by the pages of the semantic conventions on process and runtime
    metrics (opentelemetry.io/docs/specs/semconv). Only what the sample emits is proved, which is written in Python."""

    otel: str
    name: str
    unit: str
    languages: tuple[str, ...]

    @property
    def metric(self) -> str:
        """The metric that it belongs to: of a histogram only the count is looked at, and all of it is paid for."""
        return self.name.removesuffix("_count")


PROCESS_CPU: Final = (
    RuntimeMetric("process.cpu.time", "process_cpu_time_seconds_total", "s", ("Python", "Node.js")),
    RuntimeMetric("jvm.cpu.time", "jvm_cpu_time_seconds_total", "s", ("Java",)),
    RuntimeMetric("dotnet.process.cpu.time", "dotnet_process_cpu_time_seconds_total", "s", (".NET",)),
)
PROCESS_MEMORY: Final = (
    RuntimeMetric("process.memory.usage", "process_memory_usage_bytes", "bytes", ("Python", "Node.js")),
    RuntimeMetric("jvm.memory.used", "jvm_memory_used_bytes", "bytes", ("Java",)),
    RuntimeMetric("dotnet.process.memory.working_set", "dotnet_process_memory_working_set_bytes", "bytes", (".NET",)),
)
COLLECTIONS: Final = (
    RuntimeMetric("cpython.gc.collections", "cpython_gc_collections_total", "collections", ("Python",)),
    RuntimeMetric("jvm.gc.duration", "jvm_gc_duration_seconds_count", "collections", ("Java",)),
    RuntimeMetric("v8js.gc.duration", "v8js_gc_duration_seconds_count", "collections", ("Node.js",)),
    RuntimeMetric("dotnet.gc.collections", "dotnet_gc_collections_total", "collections", (".NET",)),
)

RUNTIME_METRICS: Final = (*PROCESS_CPU, *PROCESS_MEMORY, *COLLECTIONS)
"""Each process emits one of each kind. Garbage collection has a series for each generation or collector."""


class LogField:
    """Fields that CloudWatch Logs Insights finds in every log event (Amazon CloudWatch Logs User Guide, "Supported logs
    and discovered fields")."""

    TIME: Final = "@timestamp"
    STREAM: Final = "@logStream"
    """`<prefix>/<container>/<task>` of what ECS's log driver writes."""
    MESSAGE: Final = "@message"


SHARED_BY_TRACE_IDS: Final = 24
"""How many characters both forms of a trace's id end with: W3C's 32 hexadecimal digits as applications log them, and
`1-<8 digits>-<24 digits>` as X-Ray shows it (AWS X-Ray Developer Guide, "Tracing header")."""


COLLECTOR_SERVICE: Final = "collector"
"""`service.name` of every collector."""


@dataclass(frozen=True)
class CollectorMetric:
    """What a collector says of itself. `scraped` is the name on its telemetry port, `unit` that of its values."""

    scraped: str
    unit: str
    counter: bool = True

    @property
    def name(self) -> str:
        """The name in AMP."""
        return f"{self.scraped}_total" if self.counter else self.scraped


ACCEPTED_SPANS: Final = CollectorMetric("otelcol_receiver_accepted_spans", "spans")
ACCEPTED_POINTS: Final = CollectorMetric("otelcol_receiver_accepted_metric_points", "points")
ACCEPTED_RECORDS: Final = CollectorMetric("otelcol_receiver_accepted_log_records", "records")
REFUSED_SPANS: Final = CollectorMetric("otelcol_receiver_refused_spans", "spans")
REFUSED_POINTS: Final = CollectorMetric("otelcol_receiver_refused_metric_points", "points")
REFUSED_RECORDS: Final = CollectorMetric("otelcol_receiver_refused_log_records", "records")
SENT_SPANS: Final = CollectorMetric("otelcol_exporter_sent_spans", "spans")
SENT_POINTS: Final = CollectorMetric("otelcol_exporter_sent_metric_points", "points")
SENT_RECORDS: Final = CollectorMetric("otelcol_exporter_sent_log_records", "records")
FAILED_SPANS: Final = CollectorMetric("otelcol_exporter_send_failed_spans", "spans")
FAILED_POINTS: Final = CollectorMetric("otelcol_exporter_send_failed_metric_points", "points")
FAILED_RECORDS: Final = CollectorMetric("otelcol_exporter_send_failed_log_records", "records")
OVERFLOWN_SPANS: Final = CollectorMetric("otelcol_exporter_enqueue_failed_spans", "spans")
OVERFLOWN_POINTS: Final = CollectorMetric("otelcol_exporter_enqueue_failed_metric_points", "points")
OVERFLOWN_RECORDS: Final = CollectorMetric("otelcol_exporter_enqueue_failed_log_records", "records")
QUEUE_SIZE: Final = CollectorMetric("otelcol_exporter_queue_size", "bytes", counter=False)
QUEUE_CAPACITY: Final = CollectorMetric("otelcol_exporter_queue_capacity", "bytes", counter=False)
MEMORY: Final = CollectorMetric("otelcol_process_memory_rss", "bytes", counter=False)
UPTIME: Final = CollectorMetric("otelcol_process_uptime", "s")
UP: Final = CollectorMetric("up", "", counter=False)

COLLECTOR_METRICS: Final = (
    ACCEPTED_SPANS,
    ACCEPTED_POINTS,
    ACCEPTED_RECORDS,
    REFUSED_SPANS,
    REFUSED_POINTS,
    REFUSED_RECORDS,
    SENT_SPANS,
    SENT_POINTS,
    SENT_RECORDS,
    FAILED_SPANS,
    FAILED_POINTS,
    FAILED_RECORDS,
    OVERFLOWN_SPANS,
    OVERFLOWN_POINTS,
    OVERFLOWN_RECORDS,
    QUEUE_SIZE,
    QUEUE_CAPACITY,
    MEMORY,
    UPTIME,
    UP,
)
"""What dashboards and alerts on collectors ask for; all else that a collector says of itself stays with it."""


HISTOGRAMS: Final = (REQUEST_DURATION, CALL_DURATION)


def _parts(histogram: str) -> tuple[str, ...]:
    return tuple(f"{histogram}_{part}" for part in ("bucket", "count", "sum"))


SERIES_OF: Final[Mapping[str, tuple[str, ...]]] = {
    **{one.name: _parts(one.name) for one in HISTOGRAMS},
    **{one.metric: (one.name,) if one.metric == one.name else _parts(one.metric) for one in RUNTIME_METRICS},
    **{one.name: (one.name,) for one in (*COLLECTOR_METRICS, *TASK_METRICS)},
}
"""The names of the series of each metric in AMP."""

ALERTS: Final = "ALERTS"
"""What rules write of each alert while it is pending or firing: 1, with the alert's labels, its name and its state. No
series while nothing is wrong (Amazon Managed Service for Prometheus User Guide, "Rules and alert manager")."""


SCRAPE_METRICS: Final = (
    "scrape_duration_seconds",
    "scrape_samples_scraped",
    "scrape_samples_post_metric_relabeling",
    "scrape_series_added",
)
"""What Prometheus adds to each scrape of an application, beside `up`. `up` alone is kept: it tells an application that
does not answer from one that nobody asks, and the others would be four more series for each task."""

STATSD_COUNT: Final = "statsd.count"
"""Every counter that StatsD clients send: how often it was counted since the sample before."""

STATSD_COUNTER: Final = "counter"
"""The label of `STATSD_COUNT` with the client's name of the counter."""


OUT_OF_ORDER_SECONDS: Final = 600
"""How late a sample may come behind the newest of its series: the most that AMP allows, because a collector that was
killed delivers what waited on its disk after what it has received since."""
