"""Keys: what they encrypt, who may use them, and what is refused because it would lose data."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from documents.encryption import log_groups
from documents.names import Names
from preview import placeholders
from preview.engine import Monitor
from preview.recorder import ProgramError, Recording
from preview.render import documents
from tests import judges
from tests.components.variants import KEY_ARN, VARIANTS, program, recorded, statements, untagged

pytestmark = pytest.mark.slow

KEY = "aws:kms/key:Key"
MADE = "<encryption-key.arn>"
ENCRYPTED = {
    "aws:amp/workspace:Workspace": "kmsKeyArn",
    "aws:cloudwatch/logGroup:LogGroup": "kmsKeyId",
    "aws:grafana/workspace:Workspace": "kmsKeyId",
    "aws:sns/topic:Topic": "kmsMasterKeyId",
}
"""What a stack stores, and the input that names its key."""


def answering(monkeypatch: pytest.MonkeyPatch, answers: Mapping[str, Mapping[str, Any]]) -> None:
    """AWS says this when it is asked by a function of that name."""
    offline = Monitor._invoked

    def invoked(self: Monitor, token: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        name = token.rpartition(":")[2]
        return answers[name] if name in answers else offline(self, token, arguments)

    monkeypatch.setattr(Monitor, "_invoked", invoked)


@pytest.mark.parametrize(("variant", "arn"), [("encrypted", MADE), ("encrypted-service", KEY_ARN)])
def test_everything_that_is_stored_is_encrypted(variant: str, arn: str) -> None:
    recording = recorded(variant)
    for resource in recording.resources:
        if resource.type in ENCRYPTED:
            assert resource.inputs[ENCRYPTED[resource.type]] == arn, resource.urn
    for bucket in recording.of_type(
        "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
    ):
        assert bucket.inputs["rules"] == [
            {
                "applyServerSideEncryptionByDefault": {"sseAlgorithm": "aws:kms", "kmsMasterKeyId": arn},
                "bucketKeyEnabled": True,
            }
        ]
    assert {resource.type for resource in recording.resources} >= set(ENCRYPTED)


def test_without_it_aws_encrypts_with_keys_of_its_own() -> None:
    recording = recorded("defaults")
    for resource in recording.resources:
        if resource.type in ENCRYPTED and "Topic" not in resource.type:
            assert ENCRYPTED[resource.type] not in resource.inputs, resource.urn
    assert [key.name for key in recording.of_type(KEY)] == ["alerting-key"]
    assert "encryptionKeyPolicy" not in recording.outputs


def test_the_key_that_is_made() -> None:
    recording = recorded("encrypted")
    [key] = recording.of_type(KEY)
    assert untagged(key) == {
        "description": "What ecs-observability-dev stores",
        "enableKeyRotation": True,
        "deletionWindowInDays": 30,
        "policy": recording.outputs["encryptionKeyPolicy"],
    }
    assert dict(recording.named("aws:kms/alias:Alias", "encryption-alias").inputs) == {
        "name": "alias/ecs-observability-dev",
        "targetKeyId": "<encryption-key.id>",
    }


def test_an_existing_key_is_not_changed() -> None:
    recording = recorded("encrypted-service")
    assert not [resource for resource in recording.resources if ":kms/" in resource.type]


def test_who_may_use_the_key() -> None:
    """The whole policy: CloudWatch Logs, AMP and AMG as AWS documents it, and those who send alerts."""
    account = {"kms:CallerAccount": "<account>"}
    through_grafana = {**account, "kms:ViaService": "grafana.eu-west-1.amazonaws.com"}
    of_account = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Resource": "*"}
    alerts = {
        "Effect": "Allow",
        "Action": ["kms:Decrypt", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext"],
        "Resource": "*",
    }
    groups = "arn:aws:logs:eu-west-1:<account>:log-group:"
    assert json.loads(recorded("encrypted").outputs["encryptionKeyPolicy"])["Statement"] == [
        {
            "Sid": "AccountManages",
            "Effect": "Allow",
            "Principal": {"AWS": "arn:aws:iam::<account>:root"},
            "Action": "kms:*",
            "Resource": "*",
        },
        {
            "Sid": "LogGroupsOfTheStack",
            "Effect": "Allow",
            "Principal": {"Service": "logs.eu-west-1.amazonaws.com"},
            "Action": [
                "kms:Decrypt",
                "kms:Encrypt",
                "kms:GenerateDataKey",
                "kms:GenerateDataKeyWithoutPlaintext",
                "kms:ReEncryptFrom",
                "kms:ReEncryptTo",
            ],
            "Resource": "*",
            "Condition": {
                "ArnLike": {
                    "kms:EncryptionContext:aws:logs:arn": [
                        f"{groups}/ecs/ecs-observability-dev/*",
                        f"{groups}/aws/vendedlogs/prometheus/ecs-observability-dev",
                        f"{groups}/aws/events/ecs-observability-dev/ecs",
                    ]
                }
            },
        },
        {
            "Sid": "MetricsThroughAmp",
            **of_account,
            "Action": ["kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"],
            "Condition": {"StringEquals": {**account, "kms:ViaService": "aps.eu-west-1.amazonaws.com"}},
        },
        {
            "Sid": "DashboardsThroughGrafana",
            **of_account,
            "Action": ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"],
            "Condition": {"StringEquals": through_grafana},
        },
        {
            "Sid": "GrantsToGrafana",
            **of_account,
            "Action": "kms:CreateGrant",
            "Condition": {
                "StringEquals": {**through_grafana, "kms:GrantConstraintType": "EncryptionContextSubset"},
                "ForAllValues:StringEquals": {
                    "kms:GrantOperations": [
                        "CreateGrant",
                        "Decrypt",
                        "DescribeKey",
                        "Encrypt",
                        "GenerateDataKey",
                        "GenerateDataKeyWithoutPlaintext",
                        "ReEncryptFrom",
                        "ReEncryptTo",
                        "RetireGrant",
                    ]
                },
            },
        },
        {
            "Sid": "AlertsOfTheWorkspace",
            "Principal": {"Service": "aps.amazonaws.com"},
            "Condition": {
                "StringEquals": {"aws:SourceAccount": "<account>"},
                "ArnLike": {"aws:SourceArn": "arn:aws:aps:eu-west-1:<account>:workspace/*"},
            },
            **alerts,
        },
        {
            "Sid": "AlarmsOfTheStack",
            "Principal": {"Service": "cloudwatch.amazonaws.com"},
            "Condition": {
                "StringEquals": {"aws:SourceAccount": "<account>"},
                "ArnLike": {"aws:SourceArn": "arn:aws:cloudwatch:eu-west-1:<account>:alarm:ecs-observability-dev-*"},
            },
            **alerts,
        },
    ]


@pytest.mark.parametrize("variant", ["encrypted", "encrypted-service"])
def test_the_policy_names_every_log_group(variant: str) -> None:
    """A log group that it does not name is refused by CloudWatch Logs."""
    patterns = [name.rstrip("*") for name in log_groups(Names("ecs-observability", "dev"))]
    for group in recorded(variant).of_type("aws:cloudwatch/logGroup:LogGroup"):
        assert any(group.inputs["name"].startswith(pattern) for pattern in patterns), group.inputs["name"]


@pytest.mark.parametrize("variant", ["encrypted", "encrypted-service"])
def test_judges_find_nothing_in_the_policy(variant: str) -> None:
    recording = recorded(variant)
    text = placeholders.fill(recording, documents(recording)["keys/encryption.json"])
    explained = (
        "RESOURCE_STAR",  # In a key's policy, the key itself.
        "PERMISSIONS_MANAGEMENT_ACTIONS",  # The account manages the key; AMP and AMG work by grants.
        "MISMATCHED_TYPE: Type mismatch: ArnLike",  # An encryption context is text, which for logs is an ARN.
    )
    assert [one for one in judges.policy(json.loads(text)) if not one.startswith(explained)] == []
    key = {"encryption": ("AWS::KMS::Key", {"KeyPolicy": json.loads(text)})}
    assert judges.cloud_formation(key, recording.region) == []


def test_who_reads_an_encrypted_configuration_may_decrypt_it_in_that_bucket() -> None:
    about = ("ReadConfigurations", "DecryptConfigurations")
    granted = statements(recorded("encrypted"), "storefront-task-policy")
    assert [one for one in granted if one["Sid"] in about] == [
        {
            "Sid": "ReadConfigurations",
            "Effect": "Allow",
            "Action": "s3:GetObject",
            "Resource": "<configurations-bucket.arn>/collector/ecs-observability-dev-storefront/*",
        },
        {
            "Sid": "DecryptConfigurations",
            "Effect": "Allow",
            "Action": "kms:Decrypt",
            "Resource": MADE,
            "Condition": {
                "StringEquals": {
                    "kms:EncryptionContext:aws:s3:arn": "<configurations-bucket.arn>",
                    "kms:ViaService": "s3.eu-west-1.amazonaws.com",
                }
            },
        },
    ]


def refused(config: Mapping[str, Any]) -> str:
    with pytest.raises(ProgramError) as caught:
        program(config)
    return str(caught.value)


def test_an_unfit_key_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    arn = KEY_ARN.replace("eu-west-1", "us-east-1")
    key = {"arn": arn, "enabled": False, "keyManager": "AWS", "keySpec": "RSA_2048", "keyUsage": "SIGN_VERIFY"}
    answering(monkeypatch, {"getKey": key})
    assert refused(VARIANTS["encrypted-service"]).splitlines() == [
        "this stack cannot be deployed:",
        f"  encryption.key: is a key of us-east-1, and the stack is in eu-west-1 (got {arn!r}); "
        "give one of the stack's region",
        f"  encryption.key: is a key that is not enabled (got {arn!r}); enable it, or give another",
        f"  encryption.key: is no symmetric key for encryption (got {arn!r}); "
        "give a key of the kind SYMMETRIC_DEFAULT for ENCRYPT_DECRYPT",
        "  encryption.key: is a key that AWS manages, whose policy cannot admit what the stack needs "
        f"(got {arn!r}); give a customer-managed key",
    ]


def running(key_arn: str, **more: Any) -> dict[str, Mapping[str, Any]]:
    """AMP has a workspace of this stack, with that key."""
    ours = {"pulumi:project": "ecs-observability", "pulumi:stack": "dev"}
    found = {
        "workspaceId": "ws-1",
        "alias": "ecs-observability-dev",
        "kmsKeyArn": key_arn,
        "tags": ours,
        "status": "ACTIVE",
    }
    return {"getWorkspaces": {"workspaceIds": ["ws-1"]}, "getWorkspace": found | more}


@pytest.mark.parametrize(
    ("variant", "has"),
    [
        ("encrypted", ""),
        ("encrypted-service", ""),
        ("defaults", KEY_ARN),
        ("encrypted-service", KEY_ARN[:-1] + "1"),
        ("encrypted", KEY_ARN),
    ],
    ids=["turned on", "given later", "turned off", "another key", "made instead"],
)
def test_a_workspace_that_runs_is_not_replaced(monkeypatch: pytest.MonkeyPatch, variant: str, has: str) -> None:
    answering(monkeypatch, running(has))
    assert refused(VARIANTS[variant]).splitlines()[1:] == [
        f"  encryption.key: is not the key of the workspace ws-1, which has {has or 'none'} and can never have another"
        "; restore what it was, or deploy a second stack with this key beside this one and destroy this one once its "
        "metrics are no longer needed"
    ]


@pytest.mark.parametrize(
    ("variant", "has", "more"),
    [
        ("defaults", "", {}),
        ("encrypted", MADE, {}),
        ("encrypted-service", KEY_ARN, {}),
        ("encrypted", "", {"alias": "ecs-observability-dev2"}),
        ("encrypted", "", {"tags": {"pulumi:project": "ecs-observability", "pulumi:stack": "other"}}),
    ],
)
def test_a_workspace_that_keeps_its_key_is_updated(
    monkeypatch: pytest.MonkeyPatch, variant: str, has: str, more: dict[str, Any]
) -> None:
    answering(monkeypatch, running(has, **more))
    recording: Recording = program(VARIANTS[variant])
    assert recording.of_type("aws:amp/workspace:Workspace")
