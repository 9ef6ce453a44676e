"""Where containers' lines go: log groups that exist, and routers."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from documents import logs, task
from documents.faults import ConfigurationError
from documents.inputs import Application, Collector, checked, sidecar_fits
from documents.logs import FireLens, Logs
from tests import judges

WEB = {"name": "web", "image": "shop/web:1", "port": 8080}
PLAIN = {"logDriver": "awslogs", "options": {"awslogs-group": "/shop/web"}}
SECRET = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:router-AbCdEf"
STREAM = "arn:aws:firehose:eu-west-1:123456789012:deliverystream/shop"
FIREHOSE = {"Name": "firehose", "region": "eu-west-1", "delivery_stream": "shop"}
ALLOWED = {"actions": ["firehose:PutRecordBatch"], "resources": [STREAM]}


def written(value: Any) -> Logs:
    return checked(Application, WEB | {"logs": value}, "web").logs


def router(**values: Any) -> FireLens:
    found = written({"firelens": values}).firelens
    assert found
    return found


def routed(**values: Any) -> dict[str, Any]:
    return logs.routed(router(**values), group="/shop/web", region="eu-west-1", container="web")


def faults(value: Any, **more: Any) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        checked(Application, WEB | {"logs": value} | more, "web")
    return [str(fault) for fault in caught.value.faults]


def test_nothing_said_is_a_log_group_of_the_stack() -> None:
    assert (Logs().memory, Logs().images, Logs().secrets, Logs().statements) == (0, (), (), ())


def test_one_word_is_a_router_with_nothing_said_of_it() -> None:
    assert written("firelens") == Logs(firelens=FireLens()) == written({"firelens": {}})


def test_the_container_of_the_router() -> None:
    made = logs.router(router(), PLAIN)
    assert made == {
        "name": "log-router",
        "image": "public.ecr.aws/aws-observability/aws-for-fluent-bit:3.4.16",
        "essential": True,
        "cpu": 0,
        "memory": 128,
        "firelensConfiguration": {"type": "fluentbit"},
        "logConfiguration": PLAIN,
    }
    said = logs.router(router(memory=256, essential=False, configFile="/fluent-bit/shop.conf"), PLAIN)
    assert {key: value for key, value in said.items() if made[key] != value} == {
        "essential": False,
        "memory": 256,
        "firelensConfiguration": {
            "type": "fluentbit",
            "options": {"config-file-type": "file", "config-file-value": "/fluent-bit/shop.conf"},
        },
    }


def test_lines_go_to_the_log_group_as_awslogs_would_write_them() -> None:
    assert routed(options={"Retry_Limit": "5"}) == {
        "logDriver": "awsfirelens",
        "options": {
            "Name": "cloudwatch_logs",
            "region": "eu-west-1",
            "log_group_name": "/shop/web",
            "auto_create_group": "false",
            "log_stream_prefix": "web/",
            "log_key": "log",
            "Retry_Limit": "5",
        },
    }


def test_an_output_of_the_users_own_is_passed_on_as_it_is() -> None:
    assert routed(options=FIREHOSE, secretOptions={"external_id": SECRET}) == {
        "logDriver": "awsfirelens",
        "options": FIREHOSE,
        "secretOptions": [{"name": "external_id", "valueFrom": SECRET}],
    }
    assert routed(options={"name": "null"})["options"] == {"name": "null"}, "Fluent Bit takes it in any case"


def test_what_the_router_may_do() -> None:
    ours = {
        "Sid": "RouteLogs",
        "Effect": "Allow",
        "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
        "Resource": "arn:aws:logs:eu-west-1:123456789012:log-group:/shop/web:*",
    }
    given = {
        "Sid": "RouteLogs0",
        "Effect": "Allow",
        "Action": ["firehose:PutRecordBatch"],
        "Resource": [STREAM],
    }
    group = "arn:aws:logs:eu-west-1:123456789012:log-group:/shop/web"
    assert logs.route(router(), group) == [ours]
    assert logs.route(router(permissions=[ALLOWED]), group) == [ours, given]
    assert logs.route(router(options=FIREHOSE, permissions=[ALLOWED]), group) == [given]
    assert logs.route(router(options=FIREHOSE), group) == []


def test_ecs_takes_both_containers() -> None:
    wanted = router(options=FIREHOSE, secretOptions={"external_id": SECRET}, configFile="/shop.yaml")
    lines = logs.routed(wanted, group="/shop/web", region="eu-west-1", container="web")
    own = task.application_container(checked(Application, WEB, "web"), lines)
    made = task.instrument([own], "web", task.router_additions(wanted, PLAIN))
    assert [one["name"] for one in made] == ["web", "log-router"]
    assert made[0]["dependsOn"] == [{"containerName": "log-router", "condition": "START"}]
    definition = {"family": "web", "containerDefinitions": made}
    assert judges.request("ecs", "RegisterTaskDefinition", definition) == []


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("awslogs", "web.logs: has the wrong type (got 'awslogs'); give a map of keys and values"),
        (
            {"group": "arn:aws:logs:eu-west-1:123456789012:log-group:/shop"},
            "web.logs.group: is not the name of a log group (got "
            "'arn:aws:logs:eu-west-1:123456789012:log-group:/shop'); write it as /shop/storefront, which is no ARN",
        ),
        (
            {"firelens": {"options": {"Host": "https://me:secret@logs.example.com"}}},
            "web.logs.firelens.options: gives Host as plain text, which everyone who may read task definitions can "
            "see; move it to secretOptions with the ARN of a Secrets Manager secret or SSM parameter",
        ),
        (
            {"firelens": {"options": {"apikey": "x"}, "secretOptions": {"apikey": SECRET}}},
            "web.logs.firelens.options: gives apikey as plain text, which everyone who may read task definitions can "
            "see; move it to secretOptions with the ARN of a Secrets Manager secret or SSM parameter",
        ),
        (
            {"firelens": {"options": {"dd": "x"}, "secretOptions": {"dd": SECRET}}},
            "web.logs.firelens.secretOptions: has dd, which options has as well; keep one of the two",
        ),
        (
            {"firelens": {"secretOptions": {"apikey": "hunter2"}}},
            "web.logs.firelens.secretOptions.apikey: is not the ARN of a secret; store it in Secrets Manager or SSM "
            "Parameter Store and give the ARN, never the value",
        ),
        (
            {"firelens": {"options": {"a b": "x"}}},
            "web.logs.firelens.options: has the option 'a b'; use the words of Fluent Bit's manual",
        ),
        (
            {"firelens": {"memory": 32}},
            "web.logs.firelens.memory: is too small (got 32); give at least 64",
        ),
        (
            {"firelens": {"permissions": [{"actions": ["firehose:*"], "resources": [STREAM]}]}},
            "web.logs.firelens.permissions.0.actions.0: is not one action of IAM (got 'firehose:*'); write it as "
            "firehose:PutRecordBatch, without wildcards",
        ),
        (
            {"firelens": {"permissions": [{"actions": ["s3:PutObject"], "resources": ["*"]}]}},
            "web.logs.firelens.permissions.0.resources.0: is not the ARN of something (got '*'); write it as "
            "arn:aws:firehose:eu-west-1:123456789012:deliverystream/logs",
        ),
        (
            {
                "firelens": {
                    "permissions": [{"actions": ["s3:PutObject", "kms:Decrypt"], "resources": ["arn:aws:s3:::logs/*"]}]
                }
            },
            "web.logs.firelens.permissions.0.actions: has actions of more than one service (got a list); give each "
            "service a permission of its own",
        ),
        (
            {"firelens": {"configFile": "s3://logs/shop.conf"}},
            "web.logs.firelens.configFile: is not a configuration of Fluent Bit in the image (got "
            "'s3://logs/shop.conf'); write it as /fluent-bit/shop.conf",
        ),
        (
            {"firelens": {"memory": 1000}},
            "web.logs: gives the router 1000 MiB, and the task has 1024; leave the application at least 128 MiB",
        ),
    ],
)
def test_what_is_refused(value: Any, found: str) -> None:
    assert faults(value) == [found]


def test_no_value_of_an_option_is_ever_shown() -> None:
    [found] = faults({"firelens": {"options": {"Host": 5, "Port": "x"}}})
    assert found == "web.logs.firelens.options.Host: has the wrong type (got a number); give a text"


@given(some.text(alphabet=some.characters(codec="ascii"), min_size=1, max_size=80))
def test_a_group_is_what_cloudwatch_takes(name: str) -> None:
    allowed = all(one.isalnum() or one in "_./#-" for one in name) and not name.startswith("aws/")
    try:
        assert written({"group": name}).group == name
    except ConfigurationError:
        assert not allowed
    else:
        assert allowed


def test_a_sidecar_leaves_the_router_its_memory() -> None:
    routed = checked(Application, WEB | {"memory": 512, "logs": "firelens"}, "web")
    [found] = sidecar_fits(routed, Collector(memory=256), (), "web")
    assert "and 128 MiB of what else it asks for" in str(found)


def test_a_log_group_that_nobody_can_ask_is_refused() -> None:
    found = {"name": "/shop/web", "log_group_class": "STANDARD"}
    assert logs.group_faults(found, "web") == []
    [fault] = logs.group_faults(found | {"log_group_class": "DELIVERY"}, "web")
    assert str(fault) == (
        "web.logs.group: has the class DELIVERY, which nobody can ask (got '/shop/web'); give one of the class "
        "STANDARD or INFREQUENT_ACCESS"
    )


def test_lines_that_go_elsewhere_are_warned_of() -> None:
    assert logs.warnings(Logs(), "applications.0") == []
    assert logs.warnings(Logs(firelens=FireLens()), "applications.0") == []
    [found] = logs.warnings(Logs(firelens=FireLens(options={"Name": "http"})), "applications.0")
    assert found.startswith("applications.0.logs.firelens: its lines go where its options say")


def test_documents_are_json() -> None:
    assert json.loads(json.dumps([logs.router(router(), PLAIN), routed()]))
