"""What AWS would say of things that exist already: that each of them is as a stack needs it.

A preview has nobody to ask. Whether they are so is found out by `pulumi preview`, before anything is changed.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from documents import grafana

Answer = Mapping[str, Any]


@dataclass(frozen=True)
class Asked:
    """Where a function of the provider is asked, and its arguments."""

    region: str
    partition: str
    suffix: str
    arguments: Mapping[str, Any]

    def arn(self, service: str, resource: str) -> str:
        """The ARN of something in this account."""
        return f"arn:{self.partition}:{service}:{self.region}:<account>:{resource}"


def _cluster(asked: Asked) -> Answer:
    name = str(asked.arguments["clusterName"]).rpartition("/")[2]
    arn = asked.arn("ecs", f"cluster/{name}")
    insights = [{"name": "containerInsights", "value": "enhanced"}]
    return {"id": arn, "arn": arn, "clusterName": name, "status": "ACTIVE", "settings": insights}


def _key(asked: Asked) -> Answer:
    fit = {"enabled": True, "keyManager": "CUSTOMER", "keySpec": "SYMMETRIC_DEFAULT", "keyUsage": "ENCRYPT_DECRYPT"}
    return {"id": asked.arguments["keyId"], "arn": asked.arguments["keyId"], **fit}


def _log_group(asked: Asked) -> Answer:
    name = asked.arguments["name"]
    return {"id": name, "name": name, "arn": asked.arn("logs", f"log-group:{name}"), "logGroupClass": "STANDARD"}


def _metrics(asked: Asked) -> Answer:
    id_ = asked.arguments["workspaceId"]
    endpoint = f"https://aps-workspaces.{asked.region}.{asked.suffix}/workspaces/{id_}/"
    arn = asked.arn("aps", f"workspace/{id_}")
    return {"id": id_, "workspaceId": id_, "arn": arn, "status": "ACTIVE", "prometheusEndpoint": endpoint}


def _none(asked: Asked) -> Answer:
    """As of a stack that is deployed for the first time."""
    return {"id": asked.region, "aliases": [], "arns": [], "ids": [], "workspaceIds": []}


def _grafana(asked: Asked) -> Answer:
    id_ = asked.arguments["workspaceId"]
    endpoint = f"{id_}.grafana-workspace.{asked.region}.{asked.suffix}"
    role = f"arn:{asked.partition}:iam::<account>:role/grafana"
    known = {"id": id_, "workspaceId": id_, "status": "ACTIVE", "grafanaVersion": "12.4"}
    return {**known, "endpoint": endpoint, "roleArn": role}


def _role(asked: Asked) -> Answer:
    name = asked.arguments["name"]
    trust = {"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    return {"id": name, "name": name, "assumeRolePolicy": policy}


def _endpoint(asked: Asked) -> Answer:
    """As of the only service that an endpoint is looked up for."""
    return {**asked.arguments, "serviceName": f"com.amazonaws.{asked.region}.{grafana.ENDPOINT}"}


def _prefix_list(asked: Asked) -> Answer:
    return {**asked.arguments, "entries": [{"cidr": "192.0.2.0/24", "description": ""}]}


def _subnet(asked: Asked) -> Answer:
    """In a zone of its own."""
    return {**asked.arguments, "availabilityZone": f"<{asked.arguments['id']}.availabilityZone>"}


def _vpc(asked: Asked) -> Answer:
    return {**asked.arguments, "enableDnsSupport": True, "enableDnsHostnames": True}


ANSWERS: Final[Mapping[str, Callable[[Asked], Answer]]] = {
    "aws:amp/getWorkspace:getWorkspace": _metrics,
    "aws:amp/getWorkspaces:getWorkspaces": _none,
    "aws:cloudwatch/getLogGroup:getLogGroup": _log_group,
    "aws:ec2/getManagedPrefixList:getManagedPrefixList": _prefix_list,
    "aws:ec2/getSubnet:getSubnet": _subnet,
    "aws:ec2/getVpc:getVpc": _vpc,
    "aws:ec2/getVpcs:getVpcs": _none,
    "aws:ec2/getVpcEndpoint:getVpcEndpoint": _endpoint,
    "aws:ecs/getCluster:getCluster": _cluster,
    "aws:grafana/getWorkspace:getWorkspace": _grafana,
    "aws:iam/getRole:getRole": _role,
    "aws:kms/getKey:getKey": _key,
}
"""By the token of the function."""
