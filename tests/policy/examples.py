"""What each rule of the policy pack takes and refuses: resources of one stack, and what it says of them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from policy.rules import Resource

Json = Mapping[str, Any]

ACCOUNT = "123456789012"
TOPIC = f"arn:aws:sns:eu-west-1:{ACCOUNT}:alerts"
QUEUE = f"arn:aws:sqs:eu-west-1:{ACCOUNT}:orders"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/shop-task"


@dataclass(frozen=True)
class Example:
    """Resources, by name, and the texts of the rule about them, by name; none where it passes."""

    resources: Mapping[str, Resource]
    says: Mapping[str, Sequence[str]]


def example(says: Mapping[str, Sequence[str]] | None = None, /, **resources: tuple[str, Json]) -> Example:
    """The resources by name, each of a type and with inputs; a reference is `<name>`."""
    return Example(
        {name: Resource(type_, f"urn:{name}", inputs, f"<{name}>") for name, (type_, inputs) in resources.items()},
        says or {},
    )


def allow(action: str | list[str], resource: str | list[str], **more: Any) -> Json:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def document(*statements: Json) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def role_policy(*statements: Json) -> tuple[str, Json]:
    return "aws:iam/rolePolicy:RolePolicy", {"role": "<role>", "policy": document(*statements)}


def trust(service: str, **condition: Json) -> tuple[str, Json]:
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return "aws:iam/role:Role", {
        "assumeRolePolicy": document(statement | ({"Condition": condition} if condition else {}))
    }


def inline(*documents: str) -> tuple[str, Json]:
    """A role with policies of its own; one without a text takes away what was added elsewhere."""
    type_, inputs = trust("ec2.amazonaws.com")
    return type_, {**inputs, "inlinePolicies": [{"name": "own", "policy": text} for text in documents] + [{}]}


def topic_policy(statement: Json) -> tuple[str, Json]:
    return "aws:sns/topicPolicy:TopicPolicy", {"arn": TOPIC, "policy": document(statement)}


def key_policy(statement: Json) -> tuple[str, Json]:
    return "aws:kms/key:Key", {"policy": document(statement), "enableKeyRotation": True}


def task(*containers: Json, **more: Any) -> tuple[str, Json]:
    return "aws:ecs/taskDefinition:TaskDefinition", {"containerDefinitions": json.dumps(containers), **more}


def ingress(group: str, port: int, cidr: str) -> tuple[str, Json]:
    ends = {"securityGroupId": f"<{group}>", "fromPort": port, "toPort": port, "ipProtocol": "tcp"}
    return "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", {**ends, "cidrIpv4": cidr}


def balancer(*groups: str, internal: bool = False) -> tuple[str, Json]:
    inputs = {"internal": internal, "securityGroups": [f"<{group}>" for group in groups]}
    return "aws:lb/loadBalancer:LoadBalancer", inputs | {"dropInvalidHeaderFields": True}


def instances(**changed: Any) -> tuple[str, Json]:
    return "aws:ec2/launchTemplate:LaunchTemplate", {
        "networkInterfaces": [{"associatePublicIpAddress": "false"}],
        "metadataOptions": {"httpTokens": "required", "httpPutResponseHopLimit": 1},
        "blockDeviceMappings": [{"deviceName": "/dev/xvda", "ebs": {"encrypted": "true"}}],
    } | changed


BLOCK = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
ONLY_TLS = {
    "Effect": "Deny",
    "Principal": "*",
    "Action": "s3:*",
    "Resource": "arn:aws:s3:::shop/*",
    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
}


def bucket(**without: bool) -> dict[str, tuple[str, Json]]:
    """A bucket with all that it needs but for what is `without`."""
    of_bucket = {"bucket": "<bucket>"}
    every = {
        "block": (
            "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
            {**of_bucket, **dict.fromkeys(BLOCK, True)},
        ),
        "encryption": (
            "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
            {**of_bucket, "rules": [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "AES256"}}]},
        ),
        "policy": ("aws:s3/bucketPolicy:BucketPolicy", {**of_bucket, "policy": document(ONLY_TLS)}),
    }
    return {"bucket": ("aws:s3/bucket:Bucket", {}), **{key: one for key, one in every.items() if key not in without}}


def redirect(protocol: str) -> Json:
    return {"type": "redirect", "redirect": {"protocol": protocol, "port": "443", "statusCode": "HTTP_301"}}


LISTENER = "aws:lb/listener:Listener"
TLS13 = "ELBSecurityPolicy-TLS13-1-2-2021-06"
OF_ACCOUNT = {"StringEquals": {"aws:SourceAccount": ACCOUNT}}
WORLD = "admits the whole internet; only the ports 80 and 443 of an internet-facing load balancer may"
PUBLIC = "tasks have public addresses, which they need to reach AWS from a public subnet; private subnets need none"

EXAMPLES: Mapping[str, Sequence[Example]] = {
    "least-privilege": [
        # AWS has no narrower resource; a whole name; a name of the stack; a condition that names what no ARN can.
        example(one=role_policy(allow(["xray:PutTraceSegments", "ecr:GetAuthorizationToken"], "*"))),
        example(one=role_policy(allow("cloudwatch:ListMetrics", "*"))),
        example(one=role_policy(allow("sns:Publish", TOPIC))),
        example(one=role_policy(allow("logs:PutLogEvents", f"arn:aws:logs:eu-west-1:{ACCOUNT}:log-group:/shop/*"))),
        example(one=role_policy(allow("ecs:DescribeTasks", f"arn:aws:ecs:eu-west-1:{ACCOUNT}:task/shop/*"))),
        example(
            one=role_policy(
                allow("ecs:ListTasks", "*", Condition={"ArnEquals": {"ecs:cluster": "arn:aws:ecs:::cluster/shop"}})
            )
        ),
        example(
            one=key_policy(
                {
                    "Effect": "Allow",
                    "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
                    "Action": "kms:*",
                    "Resource": "*",
                }
            )
        ),
        example(one=topic_policy({"Effect": "Deny", "Principal": "*", "Action": "sns:*", "Resource": "*"})),
        example(
            {"one": ["sns:Publish is allowed on *, although AWS knows what to narrow it to: topic"]},
            one=role_policy(allow("sns:Publish", "*")),
        ),
        example(one=inline(document(allow("sns:Publish", TOPIC)))),
        example(
            {"one": ["sns:Publish is allowed on *", "sns:Shout is no action that AWS knows"]},
            one=inline(document(allow("sns:Publish", "*")), document(allow("sns:Shout", TOPIC))),
        ),
        example(
            {"one": ["ecs:TagResource is allowed on *, although AWS knows what to narrow it to: "]},
            one=role_policy(allow("ecs:TagResource", "*")),
        ),
        example(
            # The cluster may be any, so that the condition narrows nothing.
            {"one": ["ecs:ListTasks is allowed on *, although AWS knows what to narrow it to: container-instance"]},
            one=role_policy(allow("ecs:ListTasks", "*", Condition={"ArnEquals": {"ecs:cluster": "*"}})),
        ),
        example(
            {"one": ["kms:Decrypt is allowed on *, although AWS knows what to narrow it to: key"]},
            one=role_policy(
                allow("kms:Decrypt", "*", Condition={"StringEquals": {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}})
            ),
        ),
        example(
            {"one": ["names no resource before its wildcard"]},
            one=role_policy(allow("ecs:DescribeTasks", f"arn:aws:ecs:eu-west-1:{ACCOUNT}:task/*")),
        ),
        example(
            {"one": ["names no resource before its wildcard"]},
            one=role_policy(allow("sns:Publish", "arn:aws:sns:eu-west-1:*:alerts")),
        ),
        example(
            {"one": ["sns:* allows every action of that name, also those that are not there yet; list them"]},
            one=role_policy(allow("sns:*", TOPIC)),
        ),
        example(
            {"one": ["kms:* allows every action of that name, also those that are not there yet; list them"]},
            one=key_policy({"Effect": "Allow", "Principal": {"AWS": ROLE}, "Action": "kms:*", "Resource": "*"}),
        ),
        example(
            {"one": ["sns:Shout is no action that AWS knows"]},
            one=role_policy(allow("sns:Shout", TOPIC)),
        ),
        example(
            {"one": ["NotAction allows whatever it does not name"]},
            one=role_policy({"Effect": "Allow", "NotAction": "iam:PassRole", "Resource": TOPIC}),
        ),
    ],
    "no-confused-deputy": [
        example(one=trust("ecs-tasks.amazonaws.com", **OF_ACCOUNT)),
        example(
            one=trust("scheduler.amazonaws.com", ArnLike={"aws:SourceArn": f"arn:aws:scheduler:eu-west-1:{ACCOUNT}:*"})
        ),
        example(one=trust("ec2.amazonaws.com")),
        example(
            {"one": ["ecs-tasks.amazonaws.com may act for anybody: add aws:SourceAccount or aws:SourceArn"]},
            one=trust("ecs-tasks.amazonaws.com"),
        ),
        example(
            {"one": ["ecs-tasks.amazonaws.com may act for anybody: add aws:SourceAccount or aws:SourceArn"]},
            one=trust("ecs-tasks.amazonaws.com", ArnLike={"aws:SourceArn": "arn:aws:ecs:*:*:*"}),
        ),
        example(
            # What a set says that may be empty says nothing.
            {"one": ["sns.amazonaws.com may act for anybody: add aws:SourceAccount or aws:SourceArn"]},
            one=trust("sns.amazonaws.com", **{"ForAllValues:StringEquals": {"aws:SourceAccount": ACCOUNT}}),
        ),
        example(
            # Everybody but us; whoever does not say; anybody.
            {name: ["sns.amazonaws.com may act for anybody"] for name in ("others", "silent", "anybody")},
            others=trust("sns.amazonaws.com", StringNotEquals={"aws:SourceAccount": ACCOUNT}),
            silent=trust("sns.amazonaws.com", StringEqualsIfExists={"aws:SourceAccount": ACCOUNT}),
            anybody=trust("sns.amazonaws.com", StringLike={"aws:SourceAccount": "*"}),
        ),
        example(
            {"one": ["logdelivery.elasticloadbalancing.amazonaws.com may act for anybody"]},
            one=(
                "aws:s3/bucketPolicy:BucketPolicy",
                {
                    "policy": document(
                        allow(
                            "s3:PutObject",
                            "arn:aws:s3:::shop-logs/*",
                            Principal={"Service": "logdelivery.elasticloadbalancing.amazonaws.com"},
                        )
                    )
                },
            ),
        ),
    ],
    "no-strangers": [
        example(
            one=topic_policy(
                allow("sns:Publish", TOPIC, Principal="*", Condition={"StringEquals": {"aws:PrincipalOrgID": "o-shop"}})
            )
        ),
        example(
            {"one": ["everybody on AWS is the principal: name it, or its account by a condition"]},
            one=topic_policy(allow("sns:Publish", TOPIC, Principal={"AWS": "*"})),
        ),
        example(
            {name: ["everybody on AWS is the principal: name it"] for name in ("topic", "queue")},
            topic=("aws:sns/topic:Topic", {"policy": document(allow("sns:Publish", TOPIC, Principal="*"))}),
            queue=("aws:sqs/queue:Queue", {"policy": document(allow("sqs:SendMessage", QUEUE, Principal="*"))}),
            silent=("aws:sqs/queue:Queue", {}),
        ),
        example(
            {"one": ["everybody on AWS is the principal: name it, or its account by a condition"]},
            one=topic_policy(
                allow(
                    "sns:Publish", TOPIC, Principal="*", Condition={"StringNotEquals": {"aws:PrincipalOrgID": "o-shop"}}
                )
            ),
        ),
        example(
            {"one": ["everybody on AWS is the principal: name it, or its account by a condition"]},
            one=topic_policy(
                allow("sns:Publish", TOPIC, Principal="*", Condition={"Bool": {"aws:SecureTransport": "true"}})
            ),
        ),
    ],
    "no-privilege-escalation": [
        example(
            one=role_policy(
                allow("ecs:RunTask", f"arn:aws:ecs:eu-west-1:{ACCOUNT}:task-definition/shop:*"),
                allow(
                    "iam:PassRole", ROLE, Condition={"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}
                ),
                allow("sts:AssumeRole", ROLE),
            )
        ),
        example(
            {"one": ["iam:PutRolePolicy is a way to more permissions"]},
            one=role_policy(allow("iam:putrolepolicy", ROLE)),
        ),
        example(
            # Two policies of one role.
            {"one": ["iam:PassRole on * passes on roles that it does not name, and with ecs:RunTask runs as them"]},
            one=role_policy(allow("ecs:RunTask", "*")),
            other=role_policy(
                allow(
                    "iam:PassRole", "*", Condition={"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}
                )
            ),
        ),
        example(
            # A policy of a role, and another that is the role's own.
            {"one": ["iam:PassRole on * passes on roles that it does not name, and with ecs:RunTask runs as them"]},
            one=role_policy(allow("ecs:RunTask", "*")),
            role=inline(
                document(
                    allow(
                        "iam:PassRole",
                        "*",
                        Condition={"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}},
                    )
                )
            ),
        ),
        example(
            {"one": ["iam:PutRolePolicy is a way to more permissions"]},
            one=inline(document(allow("iam:PutRolePolicy", ROLE))),
        ),
        example(
            {"one": ["iam:PassRole passes on roles to any service: add iam:PassedToService"]},
            one=role_policy(allow("iam:PassRole", ROLE)),
        ),
        example(
            {"one": ["iam:PassRole passes on roles to any service: add iam:PassedToService"]},
            one=role_policy(allow("iam:PassRole", ROLE, Condition={"StringLike": {"iam:PassedToService": "*"}})),
        ),
        example(
            {name: ["iam:PutUserPolicy is a way to more permissions"] for name in ("managed", "user")},
            managed=("aws:iam/policy:Policy", {"policy": document(allow("iam:PutUserPolicy", ROLE))}),
            user=(
                "aws:iam/userPolicy:UserPolicy",
                {"user": "me", "policy": document(allow("iam:PutUserPolicy", ROLE))},
            ),
        ),
        example(
            {"one": ["sts:AssumeRole on arn:aws:iam::123456789012:role/* becomes any role that trusts the account"]},
            one=role_policy(allow("sts:AssumeRole", f"arn:aws:iam::{ACCOUNT}:role/*")),
        ),
        example(
            {"one": ["AdministratorAccess has every permission"]},
            one=(
                "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
                {"role": "<role>", "policyArn": "arn:aws:iam::aws:policy/AdministratorAccess"},
            ),
        ),
    ],
    "not-open-to-the-world": [
        example(one=ingress("front", 443, "0.0.0.0/0"), front=balancer("front")),
        example(one=ingress("back", 8080, "10.0.0.0/8")),
        example({"one": [WORLD]}, one=ingress("back", 443, "0.0.0.0/0"), front=balancer("front")),
        example({"one": [WORLD]}, one=ingress("front", 443, "0.0.0.0/0"), front=balancer("front", internal=True)),
        example({"one": [WORLD]}, one=ingress("front", 22, "0.0.0.0/0"), front=balancer("front")),
        example(
            {"one": [WORLD]},
            one=(
                "aws:ec2/securityGroup:SecurityGroup",
                {"ingress": [{"fromPort": 22, "toPort": 22, "ipv6CidrBlocks": ["::/0"]}]},
            ),
        ),
        example(
            {"one": [WORLD]},
            one=(
                "aws:ec2/securityGroupRule:SecurityGroupRule",
                {
                    "type": "ingress",
                    "securityGroupId": "<back>",
                    "fromPort": 0,
                    "toPort": 0,
                    "cidrBlocks": ["0.0.0.0/0"],
                },
            ),
        ),
    ],
    "no-public-access": [
        example(one=instances(), two=("aws:ec2/subnet:Subnet", {"cidrBlock": "10.0.0.0/20"})),
        example(
            {"one": ["gives a public address to everything in it"]},
            one=("aws:ec2/subnet:Subnet", {"mapPublicIpOnLaunch": True}),
        ),
        example(
            {"one": ["gives instances a public address, or leaves that to their subnet"]},
            one=instances(networkInterfaces=[{"associatePublicIpAddress": "true"}]),
        ),
        example(
            {"one": ["gives instances a public address, or leaves that to their subnet"]},
            one=instances(networkInterfaces=[]),
        ),
        example({"one": ["is publicly accessible"]}, one=("aws:rds/instance:Instance", {"publiclyAccessible": True})),
        example(
            {"one": ["has a public address"]}, one=("aws:ec2/instance:Instance", {"associatePublicIpAddress": True})
        ),
    ],
    "no-public-address-of-tasks": [
        example(one=("aws:ecs/service:Service", {"networkConfiguration": {"assignPublicIp": False}})),
        example({"one": [PUBLIC]}, one=("aws:ecs/service:Service", {"networkConfiguration": {"assignPublicIp": True}})),
        example(
            {"one": [PUBLIC]},
            one=(
                "aws:scheduler/schedule:Schedule",
                {"target": {"ecsParameters": {"networkConfiguration": {"assignPublicIp": True}}}},
            ),
        ),
    ],
    "encrypted-in-transit": [
        example(
            https=(LISTENER, {"protocol": "HTTPS", "sslPolicy": TLS13}),
            http=(LISTENER, {"protocol": "HTTP", "defaultActions": [redirect("HTTPS")]}),
            web=("aws:sns/topicSubscription:TopicSubscription", {"protocol": "https"}),
            task=task(volumes=[{"name": "data", "efsVolumeConfiguration": {"transitEncryption": "ENABLED"}}]),
            grafana=("pulumi:providers:grafana", {"url": "https://grafana.example.com"}),
        ),
        example(
            {"one": ["admits TLS older than 1.2 by its policy 'ELBSecurityPolicy-2016-08'"]},
            one=(LISTENER, {"protocol": "HTTPS", "sslPolicy": "ELBSecurityPolicy-2016-08"}),
        ),
        example(
            {"one": ["serves HTTP; redirect it to HTTPS"]},
            one=(LISTENER, {"protocol": "HTTP", "defaultActions": [{"type": "forward"}]}),
        ),
        example(
            {"one": ["serves HTTP; redirect it to HTTPS"]},
            one=(LISTENER, {"protocol": "HTTP", "defaultActions": [redirect("HTTP")]}),
        ),
        example(
            {"one": ["sends messages in the clear; give an address with https"]},
            one=("aws:sns/topicSubscription:TopicSubscription", {"protocol": "http"}),
        ),
        example(
            {"one": ["mounts data without TLS; set transitEncryption"]},
            one=task(volumes=[{"name": "data", "efsVolumeConfiguration": {"fileSystemId": "fs-1"}}]),
        ),
        example(
            {"one": ["talks to Grafana in the clear"]},
            one=("pulumi:providers:grafana", {"url": "http://grafana.example.com"}),
        ),
    ],
    "no-malformed-headers": [
        example(one=balancer("front")),
        example(
            {"one": ["passes malformed headers on, by which requests are smuggled; set dropInvalidHeaderFields"]},
            one=("aws:lb/loadBalancer:LoadBalancer", {}),
        ),
    ],
    "endpoints-have-policies": [
        example(
            one=("aws:ec2/vpcEndpoint:VpcEndpoint", {"policy": document(allow("s3:GetObject", "arn:aws:s3:::shop/a"))})
        ),
        example(
            {"one": ["lets everything pass to every account; give it a policy"]},
            one=("aws:ec2/vpcEndpoint:VpcEndpoint", {}),
        ),
    ],
    "instance-metadata-v2": [
        example(one=instances()),
        example(
            {
                "one": [
                    "answers IMDSv1, which hands a role's credentials to whoever makes the instance fetch an address",
                    "answers its metadata over more than one hop; set httpPutResponseHopLimit to 1",
                ]
            },
            one=instances(metadataOptions={"httpTokens": "optional", "httpPutResponseHopLimit": 2}),
        ),
    ],
    "no-privileged-containers": [
        example(one=task({"name": "shop"})),
        example({"one": ["shop is privileged"]}, one=task({"name": "shop", "privileged": True})),
    ],
    "encrypted-at-rest": [
        example(
            topic=("aws:sns/topic:Topic", {"kmsMasterKeyId": "<key>"}),
            queue=("aws:sqs/queue:Queue", {"sqsManagedSseEnabled": True}),
            other=("aws:sqs/queue:Queue", {"kmsMasterKeyId": "<key>"}),
            instances=instances(),
            files=("aws:efs/fileSystem:FileSystem", {"encrypted": True}),
            images=("aws:ecr/repository:Repository", {"imageScanningConfiguration": {"scanOnPush": True}}),
            key=("aws:kms/key:Key", {"enableKeyRotation": True}),
        ),
        example(
            {
                "topic": ["stores messages in the clear; give it a key"],
                "queue": ["stores messages in the clear; set sqsManagedSseEnabled or give it a key"],
                "instances": ["disk /dev/xvda is not encrypted"],
                "files": ["is not encrypted"],
                "images": ["images are not scanned; set scanOnPush"],
                "key": ["never changes its material; set enableKeyRotation"],
            },
            topic=("aws:sns/topic:Topic", {}),
            queue=("aws:sqs/queue:Queue", {}),
            instances=instances(blockDeviceMappings=[{"deviceName": "/dev/xvda", "ebs": {}}]),
            files=("aws:efs/fileSystem:FileSystem", {}),
            images=("aws:ecr/repository:Repository", {}),
            key=("aws:kms/key:Key", {}),
        ),
    ],
    "no-secrets-in-the-clear": [
        example(one=task({"name": "shop", "environment": [{"name": "LEVEL"}], "secrets": [{"name": "DB_PASSWORD"}]})),
        example(
            {"one": ["shop has DB_PASSWORD in the clear; name it among `secrets` by its ARN"]},
            one=task({"name": "shop", "environment": [{"name": "DB_PASSWORD", "value": "hunter2"}]}),
        ),
    ],
    "private-buckets": [
        example(**bucket()),
        example(
            {"bucket": ["may be made public: add a public access block with all four settings"]}, **bucket(block=True)
        ),
        example({"bucket": ["does not say how it is encrypted"]}, **bucket(encryption=True)),
        example(
            {"bucket": ["takes requests without TLS: deny them in its policy by aws:SecureTransport"]},
            **bucket(policy=True),
        ),
        example(
            # To read without TLS is refused, and to write is not.
            {"bucket": ["takes requests without TLS: deny them in its policy by aws:SecureTransport"]},
            **bucket()
            | {
                "policy": (
                    "aws:s3/bucketPolicy:BucketPolicy",
                    {"bucket": "<bucket>", "policy": document(ONLY_TLS | {"Action": "s3:GetObject"})},
                )
            },
        ),
    ],
}
