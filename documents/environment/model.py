"""The environment that a stack file describes, as one strict model."""

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Annotated, Any, Final

from pydantic import AfterValidator, Discriminator, Tag, field_validator

from documents import inputs, instances, signals, tasks
from documents.alerting.inputs import Alerts, ApplicationAlerts
from documents.catalogue import Pattern
from documents.central import Accounts
from documents.encryption import Encryption
from documents.existing import Existing
from documents.faults import BUILD, REFERENCE, wrong
from documents.network import Network
from documents.objectives import Objectives
from documents.traffic import LoadBalancer


def _relative(path: str) -> str:
    if not path or PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts:
        raise wrong("is not a folder of this project", "give a path below the project, for example ./sample")
    return path


class Build(inputs.Model):
    """An image that `pulumi up` builds from a folder with a Dockerfile and pushes to a repository of the stack."""

    build: Annotated[str, AfterValidator(_relative)]
    """A folder of the project with a Dockerfile."""


def _kind_of_image(value: object) -> str:
    return BUILD if isinstance(value, dict | Build) else REFERENCE


StackImage = Annotated[
    Annotated[inputs.ImageReference, Tag(REFERENCE)] | Annotated[Build, Tag(BUILD)], Discriminator(_kind_of_image)
]


class StackApplication(inputs.Application):
    """An application of a stack: its image may be built, it may choose another pattern than the stack's, and it may
    have objectives and alerts of its own."""

    image: StackImage  # pyright: ignore[reportIncompatibleVariableOverride] - a stack may build it
    """`repository:tag` or `repository@sha256:...`, or `{ build: ./folder }` to build one and push it."""
    pattern: Pattern | None = None
    """The pattern of this application; left out, the stack's."""
    objectives: Objectives | None = None
    """What it promises its callers; docs/objectives.md."""
    alerts: ApplicationAlerts = ApplicationAlerts()
    """Where its alerts fire, and those that it does not want."""


class StackTask(tasks.Task):
    """A task of a stack: its image may be built."""

    image: StackImage  # pyright: ignore[reportIncompatibleVariableOverride] - a stack may build it
    """`repository:tag` or `repository@sha256:...`, or `{ build: ./folder }` to build one and push it."""
    pattern: Pattern = Pattern.SIDECAR
    """A task has a sidecar in every stack."""

    @field_validator("pattern")
    @classmethod
    def _sidecar(cls, pattern: Pattern) -> Pattern:
        if pattern is not Pattern.SIDECAR:
            raise wrong(
                "is not for a task, which is no ECS service: Service Connect takes no client that RunTask has started, "
                "and CloudWatch has the figures that this pattern reads by service",
                "leave it out: a task has a sidecar in every stack",
            )
        return pattern


def asked_of(workload: StackApplication | StackTask) -> dict[str, Any]:
    """What the component of an application or a task takes of its settings; the others are the stack's."""
    model = tasks.Task if isinstance(workload, StackTask) else inputs.Application
    return {name: getattr(workload, name) for name in model.model_fields}


class StackCollector(inputs.Collector):
    """The collector of a stack, and what all of its collectors take besides OTLP and have of the user's own."""

    receivers: frozenset[signals.Receiver] = frozenset()
    """What collectors take besides OTLP; docs/signals.md#x-rays-sdk-statsd-zipkin."""
    additions: signals.Additions = signals.Additions()
    """A piece of configuration in the collector's own words, merged into ours; docs/collector.md#own-additions."""

    def signals(self, traces: signals.Traces, destinations: tuple[signals.Destination, ...]) -> signals.Signals:
        """What collectors take, and where it goes."""
        return signals.Signals(
            receivers=self.receivers, traces=traces, destinations=destinations, additions=self.additions
        )


class StackMetrics(inputs.Metrics):
    """The workspace of a stack, and whether CloudWatch is sent metrics as well."""

    to_cloudwatch: bool = False
    """Whether CloudWatch is sent a few metrics of each application as well;
    docs/destinations.md#metrics-in-cloudwatch."""


class Settings(inputs.Model):
    """Everything that a stack file may say."""

    pattern: Pattern = Pattern.SIDECAR
    """How the collector is deployed: in every task, or as a service of its own; docs/choose-a-pattern.md."""
    applications: tuple[StackApplication, ...]
    """The ECS services to run and observe."""
    tasks: tuple[StackTask, ...] = ()
    """Tasks that are no service, run by the clock or once; docs/tasks.md."""
    collector: StackCollector = StackCollector()
    """The collector; docs/collector.md."""
    metrics: StackMetrics = StackMetrics()
    """The AMP workspace, and how often metrics are collected."""
    traces: signals.Traces = signals.Traces()
    """Where traces go, and which of them are kept; docs/signals.md."""
    destinations: tuple[signals.Destination, ...] = ()
    """Back ends of partners that take OTLP as well; docs/destinations.md."""
    alerts: Alerts = Alerts()
    """When alerts fire, and who is told; docs/alerts.md."""
    grafana: inputs.Grafana = inputs.Grafana()
    """The AMG workspace; docs/grafana.md."""
    identity: inputs.Identity = inputs.Identity()
    """What every IAM role has; docs/permissions.md."""
    network: Network = Network()
    """The VPC and its way out; docs/networks.md."""
    ec2: instances.Ec2 = instances.Ec2()
    """EC2 instances for what says `compute: ec2`; docs/compute.md."""
    load_balancer: LoadBalancer = LoadBalancer()
    """Where requests from outside come in; docs/traffic.md."""
    logs: inputs.Logs = inputs.Logs()
    """The log groups; docs/logs.md."""
    encryption: Encryption = Encryption()
    """A KMS key for what the stack stores; docs/encryption.md."""
    existing: Existing = Existing()
    """What is there already; docs/existing.md."""
    accounts: Accounts = Accounts()
    """Other accounts that store this stack's metrics, or write to it; docs/accounts.md."""
    protect: bool = False
    """Whether what holds data can be neither deleted nor replaced; docs/protection.md."""
    tags: Mapping[str, str] = {}
    """Tags for every resource, beside project and stack; at most 47."""

    def pattern_of(self, application: StackApplication) -> Pattern:
        """The pattern that observes an application."""
        return application.pattern or self.pattern

    @property
    def signals(self) -> signals.Signals:
        """What the stack's collectors take, and where it goes."""
        return self.collector.signals(self.traces, self.destinations).model_copy(
            update={
                "metrics_to_cloudwatch": self.metrics.to_cloudwatch,
                "logs_to_cloudwatch": self.logs.from_applications,
                "central": self.accounts.central,
            }
        )

    @property
    def owns_rules(self) -> bool:
        """Whether rules and Alertmanager definition of the AMP workspace are the stack's."""
        return self.accounts.central is None and (not self.existing.metrics or self.existing.rules)

    @property
    def patterns(self) -> frozenset[Pattern]:
        """Every pattern that the stack needs."""
        return frozenset(self.pattern_of(application) for application in self.applications)

    @property
    def scraped(self) -> bool:
        """Whether the service pattern has an application that exposes metrics, and so needs a scraper."""
        return any(one.metrics and self.pattern_of(one) is Pattern.SERVICE for one in self.applications)


KEYS: Final = frozenset(field.alias or name for name, field in Settings.model_fields.items())
"""The keys of a stack file."""


def by_key(
    applications: Mapping[int, StackApplication], own_tasks: Mapping[int, StackTask]
) -> dict[str, StackApplication | StackTask]:
    """All that the user runs, by where it stands."""
    return {
        **{f"applications.{index}": one for index, one in applications.items()},
        **{f"tasks.{index}": one for index, one in own_tasks.items()},
    }


def workloads(settings: Settings) -> dict[str, StackApplication | StackTask]:
    """All that the user runs, by where it stands in the stack file."""
    return by_key(dict(enumerate(settings.applications)), dict(enumerate(settings.tasks)))
