"""Tasks that are no service: definitions, schedules, roles, and what is left out."""

from typing import Any

import pytest

from tests.components.variants import (
    INGRESS,
    ROLE,
    SERVICE,
    TASK,
    containers,
    environment,
    names_of,
    recorded,
    statements,
    untagged,
)

# Each test makes a whole program, which takes a second or two.
pytestmark = pytest.mark.slow

SCHEDULE = "aws:scheduler/schedule:Schedule"


def schedule(name: str, **more: Any) -> dict[str, Any]:
    return {
        "name": f"ecs-observability-dev-{name}",
        "groupName": "ecs-observability-dev",
        "description": f"Runs the task {name}",
        "state": "ENABLED",
        "scheduleExpressionTimezone": "UTC",
        "flexibleTimeWindow": {"mode": "OFF"},
        "target": {
            "arn": "<cluster-cluster.arn>",
            "roleArn": f"<{name}-scheduler.arn>",
            "retryPolicy": {"maximumRetryAttempts": 3, "maximumEventAgeInSeconds": 3600} | more.pop("retryPolicy", {}),
            "deadLetterConfig": {"arn": "<schedules-dead-letters.arn>"},
            "ecsParameters": {
                "taskDefinitionArn": f"<{name}-definition.arn>",
                "launchType": "FARGATE",
                "taskCount": 1,
                "networkConfiguration": {
                    "subnets": ["<network-public-0.id>", "<network-public-1.id>"],
                    "securityGroups": [f"<{name}-tasks.id>", "<cluster-applications.id>"],
                    "assignPublicIp": True,
                },
                "enableEcsManagedTags": True,
                "enableExecuteCommand": False,
                "propagateTags": "TASK_DEFINITION",
            },
        },
    } | more


def test_schedules() -> None:
    recording = recorded("tasks")
    assert {one.name: one.inputs for one in recording.of_type(SCHEDULE)} == {
        "nightly-schedule": schedule(
            "nightly",
            scheduleExpression="cron(30 2 * * ? *)",
            scheduleExpressionTimezone="Europe/Berlin",
            flexibleTimeWindow={"mode": "FLEXIBLE", "maximumWindowInMinutes": 15},
            retryPolicy={"maximumRetryAttempts": 5, "maximumEventAgeInSeconds": 7200},
        ),
        "sweep-schedule": schedule("sweep", scheduleExpression="rate(5 minutes)", state="DISABLED"),
    }
    # It is run by a role that may already run it, with roles that may already do what they are for.
    assert {"nightly-scheduler-policy", "nightly-task-policy", "nightly-execution-policy"} <= names_of(
        recording, recording.named(SCHEDULE, "nightly-schedule").dependencies
    )


def test_what_could_not_be_run_is_kept_for_two_weeks() -> None:
    queue = recorded("tasks").named("aws:sqs/queue:Queue", "schedules-dead-letters")
    assert untagged(queue) == {
        "name": "ecs-observability-dev-dead-letters",
        "messageRetentionSeconds": 1_209_600,
        "sqsManagedSseEnabled": True,
    }


def test_with_a_key_of_the_user_the_queue_has_it_and_schedules_may_use_it() -> None:
    recording = recorded("encrypted-tasks")
    queue = untagged(recording.named("aws:sqs/queue:Queue", "schedules-dead-letters"))
    assert queue == {
        "name": "ecs-observability-dev-dead-letters",
        "messageRetentionSeconds": 1_209_600,
        "kmsMasterKeyId": "<encryption-key.arn>",
    }
    assert statements(recording, "weekly-scheduler-policy")[-1] == {
        "Sid": "EncryptDeadLetters",
        "Effect": "Allow",
        "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
        "Resource": "<encryption-key.arn>",
        "Condition": {"StringEquals": {"kms:ViaService": "sqs.eu-west-1.amazonaws.com"}},
    }


def test_somebody_is_told_of_what_could_not_be_run() -> None:
    alarm = recorded("tasks").named("aws:cloudwatch/metricAlarm:MetricAlarm", "alerting-ScheduleNotRun-tasks")
    assert alarm.inputs["metricQueries"][0]["metric"]["dimensions"] == {
        "QueueName": "ecs-observability-dev-dead-letters"
    }
    assert alarm.inputs["alarmActions"] == ["<alerting-warning.arn>"]


def test_the_lines_of_a_task_are_routed_as_those_of_an_application() -> None:
    found = containers(recorded("encrypted-tasks"), "weekly-definition")
    assert list(found) == ["weekly", "log-router", "drain", "collector"]
    assert found["weekly"]["logConfiguration"]["logDriver"] == "awsfirelens"


def test_the_role_of_a_schedule_is_for_its_own_task() -> None:
    recording = recorded("tasks")
    trust = recording.named(ROLE, "nightly-scheduler").inputs["assumeRolePolicy"]
    assert "<schedules-group.arn>" in trust
    assert recording.named(ROLE, "nightly-scheduler").inputs["name"] == "ecs-observability-dev-nightly-schedule"
    assert [(one["Sid"], one["Resource"]) for one in statements(recording, "nightly-scheduler-policy")] == [
        ("RunTask", "<nightly-definition.arnWithoutRevision>:*"),
        ("PassRoles", ["<nightly-task.arn>", "<nightly-execution.arn>"]),
        ("TagTask", "arn:aws:ecs:eu-west-1:<account>:task/ecs-observability-dev/*"),
        ("LeaveDeadLetters", "<schedules-dead-letters.arn>"),
    ]


def test_a_task_has_a_sidecar_also_where_the_stack_has_the_service_pattern() -> None:
    recording = recorded("tasks")
    for name in ("nightly", "sweep", "migrate"):
        found = containers(recording, f"{name}-definition")
        assert list(found) == [name, "drain", "collector"]
        # The drain gets its SIGTERM when the task's own container has ended, and the collector when that has.
        assert found[name]["dependsOn"] == [
            {"containerName": "collector", "condition": "START"},
            {"containerName": "drain", "condition": "START"},
        ]
        assert found["drain"]["dependsOn"] == [{"containerName": "collector", "condition": "START"}]
        assert found[name]["essential"] is True
        assert found[name]["portMappings"] == []
        assert environment(found[name])["OTEL_EXPORTER_OTLP_ENDPOINT"] == "http://localhost:4318"
        assert environment(found[name])["OTEL_SERVICE_NAME"] == name
    assert containers(recording, "nightly-definition")["nightly"]["command"] == ["report", "--yesterday"]


def test_nothing_of_a_service_is_made() -> None:
    recording = recorded("tasks")
    assert {one.name for one in recording.of_type(SERVICE)} == {"storefront-service", "collector-service"}
    assert not [one for one in recording.of_type(INGRESS) if one.name.startswith(("nightly", "sweep", "migrate"))]
    assert not [one for one in recording.resources if one.name == "migrate-schedule"]
    assert untagged(recording.named(TASK, "nightly-definition"))["ephemeralStorage"] == {"sizeInGib": 40}


def test_the_outputs_tell_how_to_run_each() -> None:
    outputs = recorded("tasks").outputs
    assert sorted(outputs["runTask"]) == ["migrate", "nightly", "sweep"]
    assert outputs["runTask"]["migrate"] == (
        "aws ecs run-task --region eu-west-1 --cluster ecs-observability-dev "
        "--task-definition ecs-observability-dev-migrate --launch-type FARGATE --propagate-tags TASK_DEFINITION "
        "--network-configuration 'awsvpcConfiguration={subnets=[<network-public-0.id>,<network-public-1.id>],"
        "securityGroups=[<migrate-tasks.id>,<cluster-applications.id>],assignPublicIp=ENABLED}' "
        "--enable-ecs-managed-tags --enable-execute-command"
    )
    assert outputs["deadLetters"] == "<schedules-dead-letters.url>"


def test_a_stack_without_tasks_has_nothing_of_them() -> None:
    recording = recorded("defaults")
    assert not {"runTask", "deadLetters"} & set(recording.outputs)
    assert not [one for one in recording.resources if one.type.startswith(("aws:scheduler", "aws:sqs"))]
