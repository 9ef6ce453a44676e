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

CPU_UTILIZATION: Final = CloudWatchMetric("TaskCpuUtilization", "Average", "Percent")
MEMORY_UTILIZATION: Final = CloudWatchMetric("TaskMemoryUtilization", "Average", "Percent")
"""Used of reserved, enhanced observability only; the sidecar pattern records the same ratios (`documents.rules`)."""

CLOUDWATCH_METRICS: Final = (
    *{metric.cloudwatch.name: metric.cloudwatch for metric in TASK_METRICS}.values(),
    RUNNING_TASKS,
    CPU_UTILIZATION,
    MEMORY_UTILIZATION,
)
"""Everything that is read from CloudWatch, each name once."""


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
