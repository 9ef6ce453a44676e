"""The dashboard "ECS tasks": what runs, how much of its CPU, memory, network and storage it uses, and why tasks stop.

It shows everything that AWS's AMP_ECS_Task_Monitoring dashboard shows. In the sidecar pattern its figures come from
AMP, in the service pattern from CloudWatch Container Insights: the same panels, titles and units, and in a stack with
both patterns both in each panel. CloudWatch has no dimension set with service and family in it, so its lines stand for
services; a service runs one family.

Stops and deployments come from ECS's own events in both patterns, since no collector can see them. Deployments are
marked in the graphs where AMP has the revisions of tasks; Grafana's CloudWatch data source makes marks of alarms only.
"""

from dataclasses import dataclass
from typing import Final

from documents import catalogue, events, rules
from documents.catalogue import (
    DEPLOYMENT_CHANGED,
    TASK_STOPPED,
    CloudWatchMetric,
    DeploymentEvent,
    Dimension,
    Label,
    StopEvent,
    TaskEvent,
    TaskMetric,
)
from documents.dashboards.folder import ECS_TASKS
from documents.dashboards.layout import Annotation, Line, Row, Variable, board, from_amp, known, known_one, one_from_amp
from documents.dashboards.model import Dashboard
from documents.dashboards.panels import About, AtLeast, Limits, PanelBuilder, column, graph, number, sheet
from documents.dashboards.queries import (
    CloudWatch,
    ContainerInsights,
    Query,
    fed,
    most,
    now,
    over_time,
    rows_of,
    top,
)
from documents.dashboards.sources import CLOUDWATCH, Source
from documents.observed import Observed

_CHOSEN: Final = f'{Label.CLUSTER}="$cluster", {Label.SERVICE}=~"$service", {Label.FAMILY}=~"$family"'
_BY_FAMILY: Final = f"by ({Label.FAMILY})"
_FAMILY: Final = f"{{{{{Label.FAMILY}}}}}"
_WINDOW: Final = "[$__rate_interval]"

_SERVICE_LABEL: Final = "${PROP('Dim.ServiceName')}"
_TASK_LABEL: Final = "${PROP('Dim.ServiceName')} ${PROP('Dim.TaskId')}"
_PER_MINUTE: Final = "raw / ($__period_auto / 60)"
"""A sum over a period, of one sample a minute from each task, becomes the total of all tasks."""

_SATURATION: Final = Limits(warning=80, bad=90)
"""Percent. AWS's recommended alarms stand at 80; at 90 a spike no longer fits."""

# CloudWatch charges for every metric of every query, and its figures are minutes old anyway.
_SLOWEST_REFRESH: Final = 300
_RULE_SECONDS: Final = 60
"""AMP evaluates rules once a minute."""


def dashboard(observed: Observed) -> Dashboard:
    """The dashboard, with the feeds that the patterns of a stack give it."""
    panels = _Panels(observed)
    return board(
        ECS_TASKS.uid,
        ECS_TASKS.title,
        "Running tasks, what they use of what they reserve, why they stop, and what was deployed.",
        refresh=_SLOWEST_REFRESH if observed.cloudwatch_services else observed.interval_seconds,
        variables=panels.variables(),
        annotations=panels.deployments_seen(),
        rows=(
            Row(101, "Now", (Line(4, (panels.running(), panels.memory_total(), panels.vcpu_total())),)),
            Row(
                102,
                "By task family",
                (
                    Line(8, (panels.cpu(), panels.memory())),
                    Line(8, (panels.network_in(), panels.network_out())),
                    Line(8, (panels.storage_read(), panels.storage_write())),
                ),
            ),
            Row(103, "By task", (Line(10, (panels.tasks(),)),)),
            Row(
                104,
                "Stops and deployments",
                (Line(8, (panels.stop_reasons(), panels.deployments())), Line(10, (panels.stops(),))),
            ),
        ),
    )


@dataclass(frozen=True)
class _Panels:
    observed: Observed

    @property
    def _cloudwatch(self) -> ContainerInsights | None:
        """Queries to CloudWatch, if any service needs them.

        Container Insights sees the whole cluster. Where AMP has some of its services, the others have a variable of
        their own, or those of AMP would appear twice.
        """
        if not self.observed.cloudwatch_services:
            return None
        return ContainerInsights(self.observed.region, "cloudwatch_service" if self.observed.sidecar else "service")

    def variables(self) -> list[Variable]:
        cloudwatch = self._cloudwatch
        services = self.observed.cloudwatch_services
        if not self.observed.sidecar:
            return [known_one("cluster", "Cluster", self.observed.cluster), known("service", "Service", services)]
        metric = catalogue.CPU_RESERVED.name
        in_cluster = f'{Label.CLUSTER}="$cluster"'
        found = [
            one_from_amp("cluster", "Cluster", metric, Label.CLUSTER, self.observed.cluster),
            from_amp("service", "Service", metric, Label.SERVICE, in_cluster),
            from_amp("family", "Task family", metric, Label.FAMILY, f'{in_cluster}, {Label.SERVICE}=~"$service"'),
        ]
        return found if cloudwatch is None else [*found, known(cloudwatch.services, "Service (CloudWatch)", services)]

    def running(self) -> PanelBuilder:
        tasks = f"count by ({Label.TASK}) ({_of(catalogue.CPU_RESERVED)})"
        return number(
            About(
                1,
                "Running tasks",
                "Tasks that report at this moment. Fewer than desired: tasks fail to start or stop; look at the "
                "service's events and at the stopped tasks' reasons in the ECS console.",
            ),
            self._queries(
                now(f"count({tasks})", step=self._step, legend="Tasks"),
                self._service_metric(catalogue.RUNNING_TASKS),
            ),
            source=self._source,
            unit="short",
            decimals=0,
            judgement=AtLeast(1),
        )

    def memory_total(self) -> PanelBuilder:
        return number(
            About(
                2,
                "Memory in use",
                "Memory of all running tasks together, without page cache. A rise without more tasks is a leak or a "
                "larger working set: find its task in the table below.",
            ),
            self._queries(
                now(f"sum({_of(catalogue.MEMORY_UTILIZED)})", step=self._step, legend="Memory"),
                self._total(catalogue.MEMORY_UTILIZED.cloudwatch, "Memory"),
            ),
            source=self._source,
            unit="mbytes",
            decimals=0,
        )

    def vcpu_total(self) -> PanelBuilder:
        return number(
            About(
                3,
                "vCPU in use",
                "Processor time of all running tasks together, in vCPU. A rise without more requests is work that "
                "nobody asked for: compare with the request rate on the dashboard Application.",
            ),
            self._queries(
                now(f"sum({_of(catalogue.CPU_VCPU)})", step=self._step, legend="vCPU"),
                self._total(catalogue.CPU_VCPU.cloudwatch, "vCPU"),
            ),
            source=self._source,
            unit="suffix: vCPU",
            decimals=2,
        )

    def cpu(self) -> PanelBuilder:
        return self._utilization(
            About(
                4,
                "CPU of reservation",
                "Mean over the tasks of a family. Above 80 % requests start to wait, at 100 % tasks are throttled: "
                "add tasks or CPU units, or find what burns them.",
            ),
            rules.CPU_UTILIZATION,
            catalogue.CPU_UTILIZATION,
        )

    def memory(self) -> PanelBuilder:
        return self._utilization(
            About(
                5,
                "Memory of reservation",
                "Mean over the tasks of a family. At 100 % the kernel kills a container and the task stops: raise the "
                "task's memory, or look for a leak if the line only ever climbs.",
            ),
            rules.MEMORY_UTILIZATION,
            catalogue.MEMORY_UTILIZATION,
        )

    def network_in(self) -> PanelBuilder:
        return self._network(
            About(
                6,
                "Network in",
                "Received by all tasks of a family together. Much more than usual: a burst of requests, or large "
                "answers from a dependency. Nothing at all: nobody reaches the tasks; check security groups and "
                "target health.",
            ),
            catalogue.NETWORK_RX,
        )

    def network_out(self) -> PanelBuilder:
        return self._network(
            About(
                7,
                "Network out",
                "Sent by all tasks of a family together, telemetry included. Much more than usual: large answers, "
                "retries against a failing dependency, or verbose telemetry; compare with the requests on "
                "the dashboard Application. It is what data transfer costs.",
            ),
            catalogue.NETWORK_TX,
        )

    def storage_read(self) -> PanelBuilder:
        return self._storage(
            About(
                8,
                "Storage read",
                "Read from disk, by family (from CloudWatch: by task). Steady reading in a service that should work "
                "in memory means too little memory for the page cache.",
            ),
            catalogue.STORAGE_READ,
        )

    def storage_write(self) -> PanelBuilder:
        return self._storage(
            About(
                9,
                "Storage write",
                "Written to disk, by family (from CloudWatch: by task). Steady writing fills the task's ephemeral "
                "storage (20 GiB unless set otherwise): look for log or temporary files.",
            ),
            catalogue.STORAGE_WRITE,
        )

    def tasks(self) -> PanelBuilder:
        kept = f"by ({Label.TASK}, {Label.FAMILY}, {Label.SERVICE}, {Label.REVISION})"
        cpu, memory = (f"100 * max {kept} ({recorded.name}{{{_CHOSEN}}})" for recorded in rules.TASKS)
        used = f"max {kept} ({_of(catalogue.MEMORY_UTILIZED)})"
        received = f"max {kept} ({_of(catalogue.NETWORK_RX)})"
        sent = f"max {kept} ({_of(catalogue.NETWORK_TX)})"
        # The collector starts before the application and, while its task lives, restarts only after a crash.
        # The tasks of the collectors' own service say so as well, and have no other figures here.
        age = f"max {kept} ({catalogue.UPTIME.name}{{{_CHOSEN}}}) and on ({Label.TASK}) {_of(catalogue.CPU_RESERVED)}"
        asked = {"A": cpu, "B": memory, "C": used, "D": received, "E": sent, "F": age}
        from_amp = [rows_of(expr, step=self._step, ref=ref) for ref, expr in asked.items()]
        cloudwatch = self._cloudwatch
        return sheet(
            About(
                10,
                "Tasks",
                "Every task as it is now; from CloudWatch, every task of the chosen time with its latest figures. One "
                "task far above the others of its family: uneven load or a stuck task; stop it and ECS starts "
                "another. Two revisions side by side: a deployment is under way, or hangs. Only young tasks: read "
                "below why they stop. Age is that of the task's collector, which starts first; from "
                "CloudWatch there is none.",
            ),
            [
                *(from_amp if self.observed.sidecar else ()),
                *((cloudwatch.performance(_latest_events(cloudwatch.services)),) if cloudwatch else ()),
            ],
            source=self._source,
            names={
                Label.TASK: "Task",
                Label.FAMILY: "Family",
                Label.SERVICE: "Service",
                Label.REVISION: "Revision",
                "Value #A": "CPU",
                "Value #B": "Memory",
                "Value #C": "Memory used",
                "Value #D": "Network in",
                "Value #E": "Network out",
                "Value #F": "Age",
                **_EVENT_COLUMNS,
            },
            columns=(
                column("CPU", "percent", 1, _SATURATION),
                column("Memory", "percent", 1, _SATURATION),
                column("Memory used", "mbytes", 0),
                column("Network in", "Bps", 1),
                column("Network out", "Bps", 1),
                column("Age", "s", 0),
            ),
            sort_by="CPU",
        )

    def stop_reasons(self) -> PanelBuilder:
        return self._events(
            About(
                11,
                "Why tasks stopped",
                "Stopped tasks of the chosen time by reason. OutOfMemoryError: raise the task's memory or look for a "
                "leak. Failed health checks: the application answers too late or not at all, read its logs. "
                "ServiceSchedulerInitiated alone is a deployment or scaling and no reason to act.",
            ),
            (
                f"| fields {_reason()} as reason",
                f"| stats count_distinct({StopEvent.TASK}) as stops by service, {StopEvent.STOP_CODE}, reason",
                "| sort stops desc",
                "| limit 50",
            ),
            {"service": "Service", "reason": "Reason", StopEvent.STOP_CODE: "Code", "stops": "Tasks"},
            sort_by="Tasks",
        )

    def deployments(self) -> PanelBuilder:
        return self._deployments(
            About(
                12,
                "Deployments",
                "What ECS says of deployments, the last first. SERVICE_DEPLOYMENT_FAILED: the circuit breaker has "
                "taken the old revision back; read on the left why the new tasks stopped. IN_PROGRESS for long without "
                "COMPLETED: new tasks do not become healthy, look at the service's events in the ECS console.",
            )
        )

    def stops(self) -> PanelBuilder:
        return self._events(
            About(
                13,
                "Stopped tasks",
                "The last 100 tasks that stopped in the chosen time, with what ECS says of them and of the first of "
                "their containers that has a reason. Started and stopped within minutes again and again: a restart "
                "loop, read the log of that task. An empty start: the task never ran, look at image, secrets and "
                "network.",
            ),
            (
                f'| parse {StopEvent.TASK} "task/*/*" as in_cluster, task',
                f'| parse {StopEvent.DEFINITION} "task-definition/*" as revision',
                f"| fields {StopEvent.STOPPED_AT} as stopped, {StopEvent.STARTED_AT} as started,"
                f" {StopEvent.STOP_CODE} as code, {StopEvent.STOPPED_REASON} as reason, {_reason()} as container",
                "| sort @timestamp desc",
                "| limit 100",
                "| display stopped, service, task, revision, code, reason, container, started",
            ),
            {
                "stopped": "Stopped",
                "service": "Service",
                "task": "Task",
                "revision": "Revision",
                "code": "Code",
                "reason": "Reason",
                "container": "Container",
                "started": "Started",
            },
            sort_by="Stopped",
        )

    def deployments_seen(self) -> list[Annotation]:
        """A mark where a revision of a family has tasks and had none before; only AMP knows revisions at any time."""
        if not self.observed.sidecar:
            return []
        told = f"{Label.FAMILY}, {Label.REVISION}"
        reserved = _of(catalogue.CPU_RESERVED)
        before = f"{reserved} offset {rules.window(self.observed)}"
        return [
            Annotation(
                "Deployment",
                f"count by ({told}) ({reserved}) unless on ({told}) {before}",
                f"{_FAMILY} revision {{{{{Label.REVISION}}}}}",
                self._step,
            )
        ]

    def _events(self, about: About, query: tuple[str, ...], names: dict[str, str], *, sort_by: str) -> PanelBuilder:
        asked = (
            f'filter `{StopEvent.KIND}` = "{TASK_STOPPED}"',
            f'| parse {StopEvent.GROUP} "{StopEvent.group("*")}" as service',
            f"| filter service like /^({self._services})$/",
            *query,
        )
        return self._log_sheet(about, asked, names, sort_by=sort_by)

    def _deployments(self, about: About) -> PanelBuilder:
        asked = (
            f'filter `{DeploymentEvent.KIND}` = "{DEPLOYMENT_CHANGED}"',
            f'| parse {DeploymentEvent.RESOURCE} "service/*/*" as in_cluster, service',
            f"| filter service like /^({self._services})$/",
            f"| fields {DeploymentEvent.NAME} as event, {DeploymentEvent.REASON} as reason",
            "| sort @timestamp desc",
            "| limit 50",
            "| display @timestamp, service, event, reason",
        )
        names = {"@timestamp": "Time", "service": "Service", "event": "Event", "reason": "Reason"}
        return self._log_sheet(about, asked, names, sort_by="Time")

    def _log_sheet(self, about: About, query: tuple[str, ...], names: dict[str, str], *, sort_by: str) -> PanelBuilder:
        group = events.log_group(self.observed.names)
        return sheet(
            about,
            [CloudWatch(self.observed.region).logs(group, "\n".join(query))],
            source=CLOUDWATCH,
            names=names,
            columns=(),
            sort_by=sort_by,
        )

    @property
    def _services(self) -> str:
        """The chosen services as alternatives of a regular expression, which "All" is as well."""
        cloudwatch = self._cloudwatch
        names = ["service", *([cloudwatch.services] if cloudwatch and self.observed.sidecar else [])]
        return "|".join(f"${{{name}:pipe}}" for name in names)

    def _utilization(self, about: About, recorded: rules.Recorded, metric: CloudWatchMetric) -> PanelBuilder:
        mean = f"avg {_BY_FAMILY} (avg_over_time({recorded.name}{{{_CHOSEN}}}{_WINDOW}))"
        return graph(
            about,
            self._queries(
                over_time(top(f"100 * {mean}"), _FAMILY, step=max(self._step, _RULE_SECONDS)),
                self._service_metric(metric),
            ),
            source=self._source,
            unit="percent",
            decimals=1,
            judgement=_SATURATION,
        )

    def _network(self, about: About, metric: TaskMetric) -> PanelBuilder:
        total = f"sum {_BY_FAMILY} (avg_over_time({_of(metric)}{_WINDOW}))"
        return graph(
            about,
            self._queries(
                over_time(top(total), _FAMILY, step=self._step),
                self._service_metric(metric.cloudwatch, statistic="Sum", expression=_PER_MINUTE),
            ),
            source=self._source,
            unit="Bps",
            decimals=1,
        )

    def _storage(self, about: About, metric: TaskMetric) -> PanelBuilder:
        # Cumulative for each task: the sum over tasks would fall whenever one of them stops.
        total = f"sum {_BY_FAMILY} (rate({_of(metric)}{_WINDOW}))"
        return graph(
            about,
            self._queries(
                over_time(top(total), _FAMILY, step=self._step),
                self._task_metric(metric.cloudwatch, _TASK_LABEL, most("RATE(raw)")),
            ),
            source=self._source,
            unit="Bps",
            decimals=1,
        )

    def _service_metric(
        self, metric: CloudWatchMetric, *, statistic: str = "", expression: str = ""
    ) -> tuple[Query, ...]:
        cloudwatch = self._cloudwatch
        if cloudwatch is None:
            return ()
        dimensions = {Dimension.CLUSTER: "$cluster", Dimension.SERVICE: f"${cloudwatch.services}"}
        return cloudwatch.metric(metric, dimensions, _SERVICE_LABEL, statistic=statistic, expression=expression)

    def _task_metric(self, metric: CloudWatchMetric, label: str, expression: str) -> tuple[Query, ...]:
        cloudwatch = self._cloudwatch
        if cloudwatch is None:
            return ()
        dimensions = {
            Dimension.CLUSTER: "$cluster",
            Dimension.SERVICE: f"${cloudwatch.services}",
            Dimension.TASK: "*",
        }
        return cloudwatch.metric(metric, dimensions, label, expression=expression)

    def _total(self, metric: CloudWatchMetric, label: str) -> tuple[Query, ...]:
        scale = "" if metric.scale == 1 else f" * {metric.scale}"
        return self._task_metric(metric, label, f"SUM(raw){scale}")

    def _queries(self, amp: Query, cloudwatch: tuple[Query, ...]) -> list[Query]:
        return [*((amp,) if self.observed.sidecar else ()), *cloudwatch]

    @property
    def _source(self) -> Source:
        return fed(amp=self.observed.sidecar, container_insights=bool(self.observed.cloudwatch_services))

    @property
    def _step(self) -> int:
        return self.observed.interval_seconds


def _of(metric: TaskMetric) -> str:
    return f"{metric.name}{{{_CHOSEN}}}"


_EVENT_COLUMNS: Final = {
    TaskEvent.TASK: "Task",
    "family": "Family",
    "service": "Service",
    "revision": "Revision",
    "cpu": "CPU",
    "memory": "Memory",
    "memory_used": "Memory used",
    "network_in": "Network in",
    "network_out": "Network out",
}


_CONTAINERS: Final = 5
"""The containers of a task whose reasons are looked at: the application's, and all of ours."""


def _reason() -> str:
    """The reason of the first container that has one, else the task's: a lack of memory is said of a container only."""
    reasons = (StopEvent.container(index, "reason") for index in range(_CONTAINERS))
    return f"coalesce({', '.join((*reasons, StopEvent.STOPPED_REASON))})"


def _latest_events(services: str) -> str:
    event = TaskEvent
    return "\n".join(
        (
            f'filter {event.TYPE} = "Task" and {event.SERVICE} in [${{{services}:doublequote}}]',
            f"| fields 100 * {event.CPU_UTILIZED} / {event.CPU_RESERVED} as cpu_percent,"
            f" 100 * {event.MEMORY_UTILIZED} / {event.MEMORY_RESERVED} as memory_percent",
            f"| stats latest({event.FAMILY}) as family, latest({event.SERVICE}) as service,"
            f" latest({event.REVISION}) as revision, latest(cpu_percent) as cpu, latest(memory_percent) as memory,"
            f" latest({event.MEMORY_UTILIZED}) as memory_used, latest({event.NETWORK_RX}) as network_in,"
            f" latest({event.NETWORK_TX}) as network_out by {event.TASK}",
        )
    )
