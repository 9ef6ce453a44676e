"""Names on AWS, derived from project, stack and the user's own names, and the lengths and letters that AWS allows.

Sources of the limits: IAM User Guide "IAM and STS quotas" (role name 64), Amazon ECS API Reference (family and service
255), AWS Cloud Map API Reference (a DNS label has at most 63 characters), Amazon ECR API Reference (repository 256),
Amazon EC2 API Reference (a security group's name has at most 255 characters and does not begin with `sg-`), AWS X-Ray
API Reference (a sampling rule's name has at most 32), Elastic Load Balancing API Reference (the name of a load balancer
or of a target group has at most 32, neither first nor last a hyphen).
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from documents.faults import Fault, wrong
from documents.origin import Origin

COLLECTOR: Final = "collector"
"""The name of the collector's container, and of its ECS service in the service pattern."""

FRONT: Final = "front"
"""The name of the container that takes what clients send to a collector service."""

DRAIN: Final = "drain"
"""The name of the container that holds a collector's stop back until its queues are empty."""

SCRAPER: Final = "scraper"
"""The name of the ECS service that scrapes applications in the service pattern."""

AGENT: Final = "auto-instrumentation"
"""The name of the container that copies an agent into the volume of this name."""

LOG_ROUTER: Final = "log-router"
"""The name of the container that takes an application's lines where FireLens routes them."""

_LONGEST_ROLE: Final = 64
_LONGEST_LABEL: Final = 63
_LONGEST_UID: Final = 40
_RULE_DIGEST: Final = 6
_SHORTEST_LIMIT: Final = 32
_SHORT_DIGEST: Final = 8
_NAME: Final = re.compile(r"[a-z]([a-z0-9-]*[a-z0-9])?")


def application_name(name: str) -> str:
    """The name itself if ECS, Cloud Map, ECR and IAM all take it."""
    if not _NAME.fullmatch(name):
        raise wrong(
            "is not a name that ECS, Cloud Map and IAM all accept",
            "use lower-case letters, digits and hyphens, a letter first, no hyphen last",
        )
    if name in (COLLECTOR, DRAIN, SCRAPER, AGENT, LOG_ROUTER):
        raise wrong("is the name of something of ours", "choose another name")
    if len(name) > _LONGEST_LABEL:
        raise wrong("is too long for a DNS name", f"use at most {_LONGEST_LABEL} characters")
    return name


def telemetry_log_group(prefix: str, signal: str) -> str:
    """The log group for a signal that collectors send to CloudWatch; no service's has a slash in its last part."""
    return f"/ecs/{prefix}/telemetry/{signal}"


@dataclass(frozen=True)
class Names:
    """Every name of one stack."""

    project: str
    stack: str
    shared_cluster: str | None = None
    """The name of the cluster, where it is not the stack's own."""

    @property
    def prefix(self) -> str:
        """Cluster, workspace, namespace and the beginning of everything else."""
        return f"{self.project}-{self.stack}"

    @property
    def cluster(self) -> str:
        """The ECS cluster in which the stack's services run."""
        return self.shared_cluster or self.prefix

    @property
    def namespace(self) -> str:
        """The private DNS namespace in which applications and collector find each other."""
        return f"{self.stack}.{self.project}.internal"

    def family(self, name: str) -> str:
        """The task definition family of an application or of the collector service."""
        return f"{self.prefix}-{name}"

    def origin(self, service: str) -> Origin:
        """Who emits the telemetry of an ECS service of this stack."""
        return Origin(
            namespace=self.project,
            environment=self.stack,
            cluster=self.cluster,
            service=service,
            family=self.family(service),
        )

    def bucket(self, account: str) -> str:
        """The bucket for what does not fit into a task definition; S3 knows one of a name in all accounts."""
        return f"{self.prefix}-config-{account}"

    def sampling_rule(self, name: str) -> str:
        """A sampling rule of X-Ray, which takes 32 characters and knows one of a name in all stacks of an account."""
        return f"{name}-{hashlib.sha256(self.prefix.encode()).hexdigest()[:_RULE_DIGEST]}"

    def access_logs(self, account: str) -> str:
        """The bucket for the access logs of the load balancer."""
        return f"{self.prefix}-access-{account}"

    @property
    def load_balancer(self) -> str:
        """The load balancer; its name has at most 32 characters and is one of all stacks of an account."""
        return self._short("balancer")

    def target_group(self, application: str, colour: str) -> str:
        """A target group of an application, of whose name the same is true."""
        return self._short(application, colour)

    def _short(self, *words: str) -> str:
        """A name for what takes 32 characters: as many as fit, and what tells it from others."""
        name = "-".join((self.prefix, *words))
        digest = hashlib.sha256(name.encode()).hexdigest()[:_SHORT_DIGEST]
        return f"{name[: _SHORTEST_LIMIT - 1 - _SHORT_DIGEST].rstrip('-')}-{digest}"

    @property
    def capacity_provider(self) -> str:
        """The capacity provider of the stack's instances. ECS refuses a name that begins with `ecs`, as ours does."""
        return f"instances-{self.prefix}"

    def rollback_alarm(self, what: str, application: str, colour: str) -> str:
        """A CloudWatch alarm that ECS looks at while it deploys an application."""
        return f"{self.prefix}-{what}-{application}-{colour}"

    def role(self, name: str, use: str) -> str:
        """An IAM role; `use` is `task`, `execution` or `schedule`, or `workspace` for Grafana's."""
        return f"{self.prefix}-{name}-{use}"

    def task_roles(self, partition: str, account: str, path: str) -> str:
        """The ARN that stands for the task roles of all services and tasks of the stack, which are below a path."""
        return f"arn:{partition}:iam::{account}:role{path}{self.role('*', 'task')}"

    @property
    def writer_role(self) -> str:
        """The role that collectors of other accounts assume to write to the stack's workspace."""
        return f"{self.prefix}-writer"

    @property
    def dead_letters(self) -> str:
        """The queue of what EventBridge Scheduler could not run."""
        return f"{self.prefix}-dead-letters"

    def log_group(self, name: str) -> str:
        """The log group of one ECS service."""
        return f"/ecs/{self.prefix}/{name}"

    @property
    def workspace_log_group(self) -> str:
        """The log group of the AMP workspace. CloudWatch's policy for delivered logs does not grow with each log group
        under this prefix."""
        return f"/aws/vendedlogs/prometheus/{self.prefix}"

    def alarms_arn(self, partition: str, region: str, account: str) -> str:
        """The ARN that stands for all CloudWatch alarms of the stack."""
        return f"arn:{partition}:cloudwatch:{region}:{account}:alarm:{self.prefix}-*"

    def topic(self, name: str) -> str:
        """The SNS topic of those who are told of alerts of a severity, or `heartbeat`."""
        return f"{self.prefix}-{name}"

    def address(self, name: str) -> str:
        """The DNS name of an ECS service of this stack."""
        return f"{name}.{self.namespace}"

    def faults(self, applications: Mapping[int, str]) -> list[Fault]:
        """What AWS would refuse later, in the names of the stack and of its applications by their place in the list."""
        found: list[Fault] = []
        if not _NAME.fullmatch(self.prefix) or self.prefix.startswith("sg-"):
            found.append(
                Fault(
                    "stack",
                    "project and stack make a name that AWS refuses",
                    "use lower-case letters, digits and hyphens, a letter first and not sg-",
                    self.prefix,
                )
            )
        # Also where Grafana is off: turning it on is one word and must not fail. Our own roles fit with it.
        if len(self.prefix) > _LONGEST_UID:
            found.append(
                Fault(
                    "stack",
                    f"makes a name of {len(self.prefix)} characters, and a Grafana folder takes {_LONGEST_UID}",
                    f"shorten it by {len(self.prefix) - _LONGEST_UID}",
                    self.prefix,
                )
            )
        for index, application in applications.items():
            found += self.application_faults(application, f"applications.{index}")
        return found

    def application_faults(self, application: str, key: str) -> list[Fault]:
        """What AWS would refuse later in the names of one application, which stands under `key`."""
        role = self.role(application, "execution")
        if len(role) <= _LONGEST_ROLE:
            return []
        return [
            Fault(
                f"{key}.name",
                f"makes the role name {role!r} of {len(role)} characters, and IAM takes {_LONGEST_ROLE}",
                f"shorten it by {len(role) - _LONGEST_ROLE}",
                application,
            )
        ]
