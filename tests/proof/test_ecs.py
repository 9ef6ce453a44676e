"""The stand-in for the ECS API: what it lists, how it describes it, and whom it refuses."""

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotoCredentials

from proof.ecs import Ecs, Listed
from proof.metadata import TaskIdentity
from proof.sigv4 import Credentials
from proof.web import Request, fetch

CREDENTIALS = Credentials("ASIAABCDEFGHIJKLMNOP", "secret", "token")
LABELS = {"ECS_PROMETHEUS_EXPORTER_PORT": "9464"}
DEFINITION = {
    "family": "shop-dev-web",
    "cpu": "256",
    "memory": "512",
    "containerDefinitions": [
        {
            "name": "web",
            "dockerLabels": LABELS,
            "portMappings": [
                {"containerPort": 8080, "hostPort": 8080},
                {"containerPort": 9464, "hostPort": 9464},
            ],
        },
        {"name": "drain"},
    ],
}
PREFIX = "arn:aws:ecs:eu-west-1:123456789012"


def listed(task: str, port: int, definition: dict[str, Any] = DEFINITION) -> Listed:
    identity = TaskIdentity(
        region="eu-west-1", cluster="shop-dev", service="web", id=task, started=datetime.now(UTC), definition=definition
    )
    return Listed(identity, {9464: port})


def signed(port: int, operation: str, body: Any, secret: str) -> Request:
    content = json.dumps(body).encode()
    headers = {"X-Amz-Target": f"AmazonEC2ContainerServiceV20141113.{operation}"}
    request = AWSRequest("POST", f"http://127.0.0.1:{port}/", headers=headers, data=content)
    known = BotoCredentials(CREDENTIALS.access_key, secret, CREDENTIALS.session_token)
    SigV4Auth(known, "ecs", "eu-west-1").add_auth(request)
    return Request("POST", "/", dict(request.headers.items()), content)


def ask(ecs: Ecs, *questions: tuple[str, Any], secret: str = CREDENTIALS.secret_key) -> list[tuple[int, Any]]:
    async def answers() -> list[tuple[int, Any]]:
        found: list[tuple[int, Any]] = []
        async with ecs.open() as port:
            for operation, body in questions:
                answer = await fetch(port, signed(port, operation, body, secret))
                found.append((answer.status, json.loads(answer.body)))
        return found

    return asyncio.run(answers())


def made() -> Ecs:
    ecs = Ecs({CREDENTIALS.access_key: CREDENTIALS}, "eu-west-1", "shop-dev")
    ecs.add(listed("one", 20001))
    ecs.add(listed("two", 20002))
    return ecs


def test_tasks_are_found_with_a_port_of_their_own_each() -> None:
    arns = [f"{PREFIX}:task/shop-dev/{one}" for one in ("one", "two")]
    [lists, services, (_, described)] = ask(
        made(), ("ListTasks", {}), ("ListServices", {}), ("DescribeTasks", {"tasks": [*arns, "gone"]})
    )
    assert lists == (200, {"taskArns": arns})
    assert services == (200, {"serviceArns": [f"{PREFIX}:service/shop-dev/web"]})
    definitions = [one["taskDefinitionArn"] for one in described["tasks"]]
    assert definitions == [f"{PREFIX}:task-definition/shop-dev-web:{number}" for number in (1, 2)]
    assert {one["group"] for one in described["tasks"]} == {"service:web"}
    for number, (status, answer) in enumerate(
        ask(made(), *(("DescribeTaskDefinition", {"taskDefinition": one}) for one in definitions)), start=1
    ):
        web, drain = answer["taskDefinition"]["containerDefinitions"]
        assert status == 200
        assert web["dockerLabels"] == LABELS
        assert [(one["containerPort"], one["hostPort"]) for one in web["portMappings"]] == [
            (8080, 8080),
            (9464, 20000 + number),
        ]
        assert drain == {"name": "drain", "dockerLabels": {}, "portMappings": []}


def test_a_task_that_has_gone_is_not_listed() -> None:
    ecs = made()
    ecs.remove("one")
    assert ask(ecs, ("ListTasks", {})) == [(200, {"taskArns": [f"{PREFIX}:task/shop-dev/two"]})]


def test_who_signs_wrongly_or_asks_for_more_is_refused() -> None:
    [(status, answer)] = ask(made(), ("ListTasks", {}), secret="wrong")
    assert (status, answer["__type"]) == (400, "AccessDeniedException")
    [(status, answer)] = ask(made(), ("StopTask", {}))
    assert (status, answer["message"]) == (400, "StopTask is not known here")


def test_a_task_on_an_instance_leads_to_that_instance() -> None:
    ecs = made()
    ecs.add(listed("three", 20003, DEFINITION | {"requiresCompatibilities": ["EC2"]}))
    arns = [f"{PREFIX}:task/shop-dev/{one}" for one in ("one", "three")]
    [(_, described)] = ask(ecs, ("DescribeTasks", {"tasks": arns}))
    on_fargate, on_instance = described["tasks"]
    assert (on_fargate["launchType"], on_instance["launchType"]) == ("FARGATE", "EC2")
    assert "containerInstanceArn" not in on_fargate
    arn = on_instance["containerInstanceArn"]
    [(_, instances)] = ask(ecs, ("DescribeContainerInstances", {"containerInstances": [arn]}))
    assert instances == {"containerInstances": [{"containerInstanceArn": arn, "ec2InstanceId": "i-0123456789abcdef0"}]}
