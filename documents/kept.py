"""What holds data: the types of resources that a stack protects where its file says `protect`."""

from collections.abc import Mapping
from typing import Final

HOLDS_DATA: Final[Mapping[str, str]] = {
    "aws:amp/workspace:Workspace": "metrics",
    "aws:cloudwatch/logGroup:LogGroup": "logs",
    "aws:ec2/vpc:Vpc": "the network that everything stands in",
    "aws:ecr/repository:Repository": "images that tasks start from",
    "aws:grafana/workspace:Workspace": "dashboards, users and preferences",
    "aws:kms/key:Key": "the key to what is stored",
    "aws:s3/bucket:Bucket": "access logs",
    "aws:servicediscovery/privateDnsNamespace:PrivateDnsNamespace": "the names by which services find each other",
    "aws:sns/topic:Topic": "subscriptions that people have confirmed",
    "aws:sqs/queue:Queue": "what schedules could not run",
    "grafana:oss/folder:Folder": "dashboards that people have saved into it",
}
"""What goes with a resource of each type, that no later `up` brings back. A component says `protect=False` of a
resource of such a type that it can make again as it was."""
