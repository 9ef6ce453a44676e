"""The part of the ECS API that finds tasks: what runs in a proof, as ECS would list and describe it; and as much of
EC2's as tells of the instance that tasks are on.

Form of requests and answers: Amazon ECS API Reference, ListTasks, DescribeTasks, DescribeTaskDefinition, ListServices,
DescribeContainerInstances; Amazon EC2 API Reference, DescribeInstances.
"""

import json
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import parse_qs

from proof import sigv4
from proof.metadata import ACCOUNT, TaskIdentity
from proof.web import LOOPBACK, Answer, Request, serve

_TARGET: Final = "AmazonEC2ContainerServiceV20141113."
_INSTANCE: Final = "i-0123456789abcdef0"
_INSTANCES: Final = f"""\
<DescribeInstancesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><reservationSet><item>
<reservationId>r-0123456789abcdef0</reservationId><instancesSet><item><instanceId>{_INSTANCE}</instanceId>
<instanceType>m7g.large</instanceType><privateIpAddress>{LOOPBACK}</privateIpAddress>
<subnetId>subnet-0123456789abcdef0</subnetId><vpcId>vpc-0123456789abcdef0</vpcId></item></instancesSet></item>
</reservationSet></DescribeInstancesResponse>"""
"""One instance has all tasks."""


@dataclass(frozen=True)
class Listed:
    """A task that runs. `ports` says at which loopback port each port of its definition is reached."""

    task: TaskIdentity
    ports: Mapping[int, int]


class Ecs:
    """ECS for one cluster. Tasks share this machine's address, so each has a revision of its own, with its ports."""

    def __init__(self, known: Mapping[str, sigv4.Credentials], region: str, cluster: str) -> None:
        self._known = known
        self._scopes = {service: sigv4.Scope(region, service) for service in ("ecs", "ec2")}
        self._prefix = f"arn:aws:ecs:{region}:{ACCOUNT}"
        self._cluster = cluster
        self._tasks: dict[str, Listed] = {}
        self._definitions: dict[str, Listed] = {}
        self.asked: Final[set[str]] = set()

    def add(self, listed: Listed) -> None:
        """From now on a task is running."""
        revision = len(self._definitions) + 1
        self._tasks[f"{self._prefix}:task/{self._cluster}/{listed.task.id}"] = listed
        self._definitions[f"{self._prefix}:task-definition/{listed.task.family}:{revision}"] = listed

    def remove(self, task: str) -> None:
        """From now on the task of that id is not running any more."""
        self._tasks.pop(f"{self._prefix}:task/{self._cluster}/{task}")

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[int]:
        """Listens on a free loopback port, which is what the context gives, until the context ends."""
        async with serve(self._handle) as port:
            yield port

    async def _handle(self, request: Request) -> Answer:
        service = "ecs" if "x-amz-target" in request.headers else "ec2"
        try:
            sigv4.verify(request, self._known, self._scopes[service])
        except sigv4.RefusedError as error:
            return _refused("AccessDeniedException", str(error))
        return self._ecs(request) if service == "ecs" else self._ec2(request)

    def _ec2(self, request: Request) -> Answer:
        asked = parse_qs(request.body.decode())
        if asked.get("Action") != ["DescribeInstances"] or asked.get("InstanceId.1") != [_INSTANCE]:
            return Answer(HTTPStatus.BAD_REQUEST)
        self.asked.add("DescribeInstances")
        return Answer(HTTPStatus.OK, _INSTANCES.encode(), "text/xml")

    def _ecs(self, request: Request) -> Answer:
        operation = request.headers["x-amz-target"].removeprefix(_TARGET)
        answers: Mapping[str, Callable[[Mapping[str, Any]], Any]] = {
            "ListTasks": lambda _: {"taskArns": list(self._tasks)},
            "ListServices": lambda _: {"serviceArns": sorted(self._services())},
            "DescribeTasks": lambda asked: {
                "tasks": [self._described(arn) for arn in asked["tasks"] if arn in self._tasks]
            },
            "DescribeTaskDefinition": lambda asked: {"taskDefinition": self._definition(str(asked["taskDefinition"]))},
            "DescribeContainerInstances": lambda asked: {
                "containerInstances": [
                    {"containerInstanceArn": arn, "ec2InstanceId": _INSTANCE} for arn in asked["containerInstances"]
                ]
            },
        }
        if operation not in answers:
            return _refused("InvalidParameterException", f"{operation or request.path} is not known here")
        self.asked.add(operation)
        return _answer(HTTPStatus.OK, answers[operation](json.loads(request.body)))

    def _services(self) -> set[str]:
        return {f"{self._prefix}:service/{self._cluster}/{one.task.service}" for one in self._tasks.values()}

    def _described(self, arn: str) -> dict[str, Any]:
        listed = self._tasks[arn]
        return {
            "taskArn": arn,
            "taskDefinitionArn": next(key for key, one in self._definitions.items() if one is listed),
            "clusterArn": f"{self._prefix}:cluster/{self._cluster}",
            **self._place(listed.task),
            "lastStatus": "RUNNING",
            "healthStatus": "HEALTHY",
            "group": f"service:{listed.task.service}",
            "startedBy": "ecs-svc/1",
            "tags": [],
            "attachments": [
                {
                    "type": "ElasticNetworkInterface",
                    "status": "ATTACHED",
                    "details": [{"name": "privateIPv4Address", "value": LOOPBACK}],
                }
            ],
        }

    def _place(self, task: TaskIdentity) -> dict[str, str]:
        if not task.on_instances:
            return {"launchType": "FARGATE"}
        return {
            "launchType": "EC2",
            "containerInstanceArn": f"{self._prefix}:container-instance/{self._cluster}/{'0' * 32}",
        }

    def _definition(self, arn: str) -> dict[str, Any]:
        listed = self._definitions[arn]
        return {
            "taskDefinitionArn": arn,
            "family": listed.task.family,
            "revision": int(arn.rpartition(":")[2]),
            "networkMode": "awsvpc",
            "containerDefinitions": [
                {
                    "name": container["name"],
                    "dockerLabels": container.get("dockerLabels", {}),
                    "portMappings": [
                        {**mapping, "hostPort": listed.ports.get(mapping["containerPort"], mapping["hostPort"])}
                        for mapping in container.get("portMappings", ())
                    ],
                }
                for container in listed.task.containers
            ],
        }


def _refused(kind: str, message: str) -> Answer:
    return _answer(HTTPStatus.BAD_REQUEST, {"__type": kind, "message": message})


def _answer(status: HTTPStatus, body: Mapping[str, Any]) -> Answer:
    return Answer(status, json.dumps(body).encode(), "application/x-amz-json-1.1")
