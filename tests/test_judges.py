"""The judges find faults: one that cannot is none."""

from typing import Any

import pytest

from tests import judges

TASK: dict[str, Any] = {
    "family": "shop",
    "requiresCompatibilities": ["FARGATE"],
    "networkMode": "awsvpc",
    "cpu": "256",
    "memory": "512",
    "executionRoleArn": "arn:aws:iam::123456789012:role/execution",
    "containerDefinitions": [{"name": "shop", "image": "shop:1", "essential": True}],
}


@pytest.mark.parametrize(
    ("fault", "finding"),
    [
        ({"networkMode": "awsvpcc"}, "'awsvpcc' is none of bridge, host, awsvpc, none"),
        ({"familly": "x"}, 'Unknown parameter in input: "familly"'),
        ({"containerDefinitions": [{"dependsOn": [{"containerName": "x", "condition": "READY"}]}]}, "'READY' is none"),
        ({"containerDefinitions": [{"memory": "1"}]}, "Invalid type for parameter containerDefinitions[0].memory"),
        ({"tags": [{"key": "a", "value": 1}]}, "Invalid type for parameter tags[0].value"),
    ],
)
def test_botocore(fault: dict[str, Any], finding: str) -> None:
    assert judges.request("ecs", "RegisterTaskDefinition", TASK) == []
    [found] = judges.request("ecs", "RegisterTaskDefinition", TASK | fault)
    assert finding in found


def test_cfn_lint() -> None:
    trust = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Alow", "Principal": {"Service": "x"}, "Action": "sts:AssumeRole"}],
    }
    found = judges.cloud_formation(
        {
            "good": ("AWS::ECS::TaskDefinition", judges.pascal(TASK)),
            "pair": ("AWS::ECS::TaskDefinition", judges.pascal(TASK | {"memory": "9999"})),
            "trust": ("AWS::IAM::Role", {"AssumeRolePolicyDocument": trust}),
        },
        "eu-west-1",
    )
    assert found == [
        "pair : E3047 Cpu '256' is not compatible with memory '9999'",
        "trust AssumeRolePolicyDocument.Statement.0.Effect: E3530 'Alow' is not one of ['Allow', 'Deny']",
    ]


def test_parliament() -> None:
    def judged(action: str, resource: str) -> list[str]:
        return judges.policy(
            {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": resource}]}
        )

    workspace = "arn:aws:aps:eu-west-1:123456789012:workspace/ws-1"
    assert judged("aps:RemoteWrite", workspace) == []
    assert judged("aps:RemoteWrit", workspace)
    assert judged("aps:RemoteWrite", "arn:aws:s3:::bucket")
