"""The load balancer: what is made of it, who may talk to whom, and what applications have behind it."""

import json
from typing import Any

import pytest

from preview.recorder import ProgramError, Recording
from tests.components.balancing import BALANCER, CERTIFICATE, LISTENER, RECORD, RULE, TARGET_GROUP
from tests.components.variants import CERTIFICATE as CERTIFICATE_ARN
from tests.components.variants import INGRESS, SECURITY_GROUP, SERVICE, containers, one, program, recorded, untagged
from tests.components.variants import LISTENER as LISTENER_ARN

# Each test makes whole programs, which takes a second or two.
pytestmark = pytest.mark.slow

EGRESS = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
BUCKET_POLICY = "aws:s3/bucketPolicy:BucketPolicy"


def every(recording: Recording, token: str) -> dict[str, dict[str, Any]]:
    """The inputs of all resources of a type, by name."""
    return {resource.name: untagged(resource) for resource in recording.of_type(token)}


def test_the_load_balancer() -> None:
    assert every(recorded("balanced"), BALANCER) == {
        "traffic-balancer": {
            "name": "ecs-observability-dev-b-3fe7772e",
            "loadBalancerType": "application",
            "internal": False,
            "securityGroups": ["<traffic-group.id>"],
            "subnets": ["<network-public-0.id>", "<network-public-1.id>"],
            "accessLogs": {"bucket": "ecs-observability-dev-access-<account>", "enabled": True},
            "dropInvalidHeaderFields": True,
            "enableDeletionProtection": True,
        }
    }
    assert recorded("balanced").outputs["loadBalancerDnsName"] == "<traffic-balancer.dnsName>"


def test_it_answers_with_tls_alone_and_only_for_applications() -> None:
    assert every(recorded("balanced"), LISTENER) == {
        "traffic-https": {
            "loadBalancerArn": "<traffic-balancer.arn>",
            "port": 443,
            "protocol": "HTTPS",
            "sslPolicy": "ELBSecurityPolicy-TLS13-1-2-2021-06",
            "certificateArn": CERTIFICATE_ARN,
            "defaultActions": [
                {"type": "fixed-response", "fixedResponse": {"contentType": "text/plain", "statusCode": "404"}}
            ],
        },
        "traffic-http": {
            "loadBalancerArn": "<traffic-balancer.arn>",
            "port": 80,
            "protocol": "HTTP",
            "defaultActions": [
                {"type": "redirect", "redirect": {"protocol": "HTTPS", "port": "443", "statusCode": "HTTP_301"}}
            ],
        },
    }


def test_access_logs_can_be_written_before_they_are_asked_for() -> None:
    recording = recorded("balanced")
    policy = recording.named(BUCKET_POLICY, "traffic-access-policy")
    bucket = "<traffic-access-bucket.arn>"
    assert json.loads(policy.inputs["policy"])["Statement"] == [
        {
            "Sid": "DeliverAccessLogs",
            "Effect": "Allow",
            "Principal": {"Service": "logdelivery.elasticloadbalancing.amazonaws.com"},
            "Action": "s3:PutObject",
            "Resource": f"{bucket}/AWSLogs/<account>/*",
        },
        {
            "Sid": "OnlyWithTls",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": [bucket, f"{bucket}/*"],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        },
    ]
    assert policy.urn in recording.named(BALANCER, "traffic-balancer").dependencies
    (lifecycle,) = recording.of_type("aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration")
    assert lifecycle.inputs["rules"] == [
        {"id": "retention", "status": "Enabled", "filter": {"prefix": ""}, "expiration": {"days": 30}}
    ]


def test_without_access_logs_there_is_no_bucket() -> None:
    recording = recorded("balanced-in-a-zone")
    assert recording.of_type("aws:s3/bucket:Bucket") == ()
    assert "accessLogs" not in recording.named(BALANCER, "traffic-balancer").inputs


def test_who_may_talk_to_whom() -> None:
    """Clients to the load balancer, and it to each application on its port and nowhere else."""
    recording = recorded("balanced")
    admitted = {
        (rule["securityGroupId"], rule.get("cidrIpv4") or rule["referencedSecurityGroupId"], rule["fromPort"])
        for rule in every(recording, INGRESS).values()
        if "traffic-group" in repr(rule)
    }
    assert admitted == {
        ("<traffic-group.id>", "0.0.0.0/0", 443),
        ("<traffic-group.id>", "0.0.0.0/0", 80),
        ("<storefront-tasks.id>", "<traffic-group.id>", 8080),
        ("<inventory-tasks.id>", "<traffic-group.id>", 9090),
    }
    sends = [rule for rule in every(recording, EGRESS).values() if rule["securityGroupId"] == "<traffic-group.id>"]
    assert sends == [
        {
            "securityGroupId": "<traffic-group.id>",
            "referencedSecurityGroupId": f"<{name}-tasks.id>",
            "ipProtocol": "tcp",
            "fromPort": port,
            "toPort": port,
        }
        for name, port in (("inventory", 9090), ("storefront", 8080))
    ]
    assert untagged(recording.named(SECURITY_GROUP, "traffic-group")) == {
        "namePrefix": "ecs-observability-dev-balancer-",
        "description": "The load balancer",
        "vpcId": "<network-vpc.id>",
    }


def test_an_application_has_a_target_group_and_a_rule() -> None:
    recording = recorded("balanced")
    assert every(recording, TARGET_GROUP)["inventory-blue"] == {
        "name": "ecs-observability-dev-i-09355f44",
        "port": 80,
        "protocol": "HTTP",
        "targetType": "ip",
        "vpcId": "<network-vpc.id>",
        "deregistrationDelay": 5,
        "healthCheck": {
            "path": "/healthz",
            "matcher": "200-299",
            "interval": 30,
            "timeout": 5,
            "healthyThreshold": 2,
            "unhealthyThreshold": 3,
        },
    }
    assert every(recording, RULE)["inventory-steady"] == {
        "listenerArn": "<traffic-https.arn>",
        "priority": recording.named(RULE, "inventory-steady").inputs["priority"],
        "conditions": [
            {"hostHeader": {"values": ["*.example.com"]}},
            {"pathPattern": {"values": ["/stock/*", "/stock"]}},
        ],
        "actions": [{"type": "forward", "targetGroupArn": "<inventory-blue.arn>"}],
    }
    assert "ignore_changes" not in recording.named(RULE, "inventory-steady").options


def test_its_service_registers_there_once_it_can_be_reached() -> None:
    recording = recorded("balanced")
    service = recording.named(SERVICE, "inventory-service")
    assert service.inputs["loadBalancers"] == [
        {"containerName": "inventory", "containerPort": 9090, "targetGroupArn": "<inventory-blue.arn>"}
    ]
    assert service.inputs["healthCheckGracePeriodSeconds"] == 120
    waits = {recording.by_urn(urn).name for urn in service.dependencies}
    assert {"inventory-steady", "inventory-tasks-balancer-in", "inventory-tasks-balancer-out"} <= waits


@pytest.mark.parametrize("stack", ["balanced", "balanced-in-a-zone", "balanced-by-another", "rollouts"])
def test_a_target_is_a_port_of_the_application(stack: str) -> None:
    recording = recorded(stack)
    behind = [service for service in recording.of_type(SERVICE) if "loadBalancers" in service.inputs]
    assert behind
    for service in behind:
        (target,) = service.inputs["loadBalancers"]
        container = containers(recording, service.name.replace("-service", "-definition"))[target["containerName"]]
        assert target["containerName"] == service.inputs["name"]
        assert target["containerPort"] in [port["containerPort"] for port in container["portMappings"]]


def test_the_collector_is_never_a_target() -> None:
    recording = recorded("balanced")
    assert set(every(recording, TARGET_GROUP)) == {"storefront-blue", "inventory-blue"}
    assert "loadBalancers" not in recording.named(SERVICE, "collector-service").inputs


def test_a_priority_does_not_depend_on_who_else_is_there() -> None:
    storefront = {"name": "storefront", "image": "shop/storefront:1.4.2", "port": 8080}
    alone = program(
        {
            "loadBalancer": {"certificateArn": CERTIFICATE_ARN},
            "applications": [storefront | {"traffic": {"hosts": ["shop.example.com"]}}],
        }
    )
    first, second = (each.named(RULE, "storefront-steady").inputs["priority"] for each in (alone, recorded("balanced")))
    assert first == second


def test_a_certificate_is_valid_before_a_listener_has_it() -> None:
    recording = recorded("balanced-in-a-zone")
    assert every(recording, CERTIFICATE) == {
        "traffic-certificate": {
            "domainName": "example.com",
            "subjectAlternativeNames": ["*.example.com", "example.org"],
            "validationMethod": "DNS",
        }
    }
    records = every(recording, RECORD)
    assert set(records) == {
        "traffic-certificate-example-com",
        "traffic-certificate-example-org",
        "storefront-host-shop-example-com",
    }
    assert records["traffic-certificate-example-org"] == {
        "zoneId": "Z0123456789ABCDEFGHIJ",
        "name": "<traffic-certificate.domainValidationOptions.resourceRecordName>",
        "type": "<traffic-certificate.domainValidationOptions.resourceRecordType>",
        "records": ["<traffic-certificate.domainValidationOptions.resourceRecordValue>"],
        "ttl": 300,
        "allowOverwrite": True,
    }
    listener = recording.named(LISTENER, "traffic-https")
    waits = {recording.by_urn(urn).name for urn in listener.dependencies}
    assert waits == {"traffic-balancer", "traffic-certificate", "traffic-certificate-valid"}


def test_hosts_point_to_it_where_there_is_a_zone() -> None:
    assert every(recorded("balanced-in-a-zone"), RECORD)["storefront-host-shop-example-com"] == {
        "zoneId": "Z0123456789ABCDEFGHIJ",
        "name": "shop.example.com",
        "type": "A",
        "aliases": [
            {
                "name": "<traffic-balancer.dnsName>",
                "zoneId": "<traffic-balancer.zoneId>",
                "evaluateTargetHealth": True,
            }
        ],
    }
    assert every(recorded("balanced"), RECORD) == {}


def test_an_internal_one_admits_whom_it_is_told() -> None:
    recording = recorded("balanced-in-a-zone")
    assert recording.named(BALANCER, "traffic-balancer").inputs["internal"] is True
    assert {rule["cidrIpv4"] for rule in every(recording, INGRESS).values() if "cidrIpv4" in rule} == {
        "10.1.0.0/16",
        "10.2.0.0/16",
    }


def test_behind_nat_tasks_are_private_and_the_load_balancer_is_not() -> None:
    stack = {"loadBalancer": {"certificateArn": CERTIFICATE_ARN}, "network": {"private": True}, **one(traffic={})}
    recording = program(stack)
    public = ["<network-public-0.id>", "<network-public-1.id>"]
    assert recording.named(BALANCER, "traffic-balancer").inputs["subnets"] == public
    service = recording.named(SERVICE, "storefront-service")
    assert service.inputs["networkConfiguration"]["subnets"] == ["<network-private-0.id>", "<network-private-1.id>"]
    inside = program(stack | {"loadBalancer": {"certificateArn": CERTIFICATE_ARN, "internal": True}})
    assert inside.named(BALANCER, "traffic-balancer").inputs["subnets"] == [
        "<network-private-0.id>",
        "<network-private-1.id>",
    ]


def test_an_existing_one_is_given_rules_and_not_changed() -> None:
    recording = recorded("balanced-by-another")
    assert recording.of_type(BALANCER) == recording.of_type(LISTENER) == recording.of_type(RECORD) == ()
    assert every(recording, RULE)["storefront-shifted"]["listenerArn"] == LISTENER_ARN
    assert every(recording, RULE)["storefront-shifted"]["priority"] == 101
    assert [rule for rule in every(recording, EGRESS).values() if "sg-0" in rule["securityGroupId"]] == []
    assert untagged(recording.named(INGRESS, "storefront-tasks-balancer-in")) == {
        "securityGroupId": "<storefront-tasks.id>",
        "referencedSecurityGroupId": "sg-0123456789abcdef0",
        "ipProtocol": "tcp",
        "fromPort": 8080,
        "toPort": 8080,
    }


def test_traffic_comes_from_a_load_balancer() -> None:
    with pytest.raises(ProgramError, match=r"applications\.0\.traffic: has no load balancer to come from"):
        program(one(traffic={}))


def test_a_share_of_the_requests_of_another() -> None:
    """A rule before the other's plain one, with both target groups; without it the other has everything again."""
    recording = recorded("split")
    rules = every(recording, RULE)
    assert set(rules) == {"storefront-steady", "inventory-split"}
    plain, shared = rules["storefront-steady"], rules["inventory-split"]
    assert shared["conditions"] == plain["conditions"]
    assert shared["priority"] == plain["priority"] - 1
    assert shared["actions"] == [
        {
            "type": "forward",
            "forward": {
                "targetGroups": [
                    {"arn": "<storefront-blue.arn>", "weight": 90},
                    {"arn": "<inventory-blue.arn>", "weight": 10},
                ]
            },
        }
    ]
    assert "ignore_changes" not in recording.named(RULE, "inventory-split").options
    service = recording.named(SERVICE, "inventory-service")
    assert "inventory-split" in {recording.by_urn(urn).name for urn in service.dependencies}
    assert every(recording, TARGET_GROUP)["inventory-blue"]["deregistrationDelay"] == 10
