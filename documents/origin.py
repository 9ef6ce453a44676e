"""Who emits telemetry."""

from dataclasses import dataclass

from documents.catalogue import SERVICE_NAMESPACE


@dataclass(frozen=True)
class Origin:
    """Who emits telemetry: the identity that every signal of an application carries."""

    namespace: str
    environment: str
    cluster: str
    service: str
    family: str

    @property
    def stack(self) -> str:
        """What the names of everything in the stack begin with."""
        return f"{self.namespace}-{self.environment}"

    @property
    def attributes(self) -> dict[str, str]:
        """Resource attributes by name."""
        return {
            SERVICE_NAMESPACE: self.namespace,
            "deployment.environment.name": self.environment,
            "aws.ecs.cluster.name": self.cluster,
            "aws.ecs.service.name": self.service,
            "aws.ecs.task.family": self.family,
        }
