"""What the real providers do, as far as a program can tell: replacements, computed outputs, answers, refusals.

Which change replaces a resource is documented in the schemas of the Terraform providers that Pulumi's are made from
(`ForceNew`, `RequiresReplace`: hashicorp/terraform-provider-aws, grafana/terraform-provider-grafana), and for
docker-build in `provider/internal/image.go` of pulumi/pulumi-docker-build, which never replaces.
"""

import hashlib
import json
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

ACCOUNT: Final = "123456789012"
EVERYTHING: Final = frozenset({"*"})
UNKNOWN: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""How the engine writes a text that is not known during a preview."""

Inputs = Mapping[str, Any]

REPLACED_BY: Final[Mapping[str, frozenset[str]]] = {
    "aws:amp/alertManagerDefinition:AlertManagerDefinition": frozenset({"workspaceId"}),
    "aws:amp/ruleGroupNamespace:RuleGroupNamespace": frozenset({"name", "workspaceId"}),
    "aws:amp/workspace:Workspace": frozenset({"kmsKeyArn"}),
    "aws:amp/workspaceConfiguration:WorkspaceConfiguration": frozenset({"workspaceId"}),
    "aws:cloudwatch/eventRule:EventRule": frozenset({"eventBusName", "name", "namePrefix"}),
    "aws:cloudwatch/eventTarget:EventTarget": frozenset({"eventBusName", "rule", "targetId"}),
    "aws:cloudwatch/logGroup:LogGroup": frozenset({"name", "namePrefix", "logGroupClass"}),
    "aws:cloudwatch/logMetricFilter:LogMetricFilter": frozenset({"logGroupName", "name"}),
    "aws:cloudwatch/logResourcePolicy:LogResourcePolicy": frozenset({"policyName", "resourceArn"}),
    "aws:cloudwatch/metricAlarm:MetricAlarm": frozenset({"name"}),
    "aws:ec2/routeTable:RouteTable": frozenset({"vpcId"}),
    "aws:ec2/routeTableAssociation:RouteTableAssociation": frozenset({"gatewayId", "subnetId"}),
    "aws:ec2/securityGroup:SecurityGroup": frozenset({"description", "name", "namePrefix", "vpcId"}),
    "aws:ec2/subnet:Subnet": frozenset({"availabilityZone", "availabilityZoneId", "cidrBlock", "vpcId"}),
    "aws:ec2/vpc:Vpc": frozenset({"cidrBlock", "ipv4IpamPoolId"}),
    "aws:ecr/lifecyclePolicy:LifecyclePolicy": frozenset({"policy", "repository"}),
    "aws:ecr/repository:Repository": frozenset({"encryptionConfigurations", "name"}),
    "aws:ecs/cluster:Cluster": frozenset({"name"}),
    "aws:ecs/service:Service": frozenset(
        {"cluster", "deploymentController.type", "iamRole", "launchType", "name", "schedulingStrategy"}
    ),
    "aws:ecs/taskDefinition:TaskDefinition": EVERYTHING,
    "aws:grafana/roleAssociation:RoleAssociation": frozenset({"role", "workspaceId"}),
    "aws:grafana/workspace:Workspace": frozenset({"authenticationProviders", "kmsKeyId"}),
    "aws:grafana/workspaceServiceAccount:WorkspaceServiceAccount": EVERYTHING,
    "aws:grafana/workspaceServiceAccountToken:WorkspaceServiceAccountToken": EVERYTHING,
    "aws:iam/role:Role": frozenset({"name", "namePrefix", "path"}),
    "aws:iam/rolePolicy:RolePolicy": frozenset({"name", "namePrefix", "role"}),
    "aws:kms/alias:Alias": frozenset({"name", "namePrefix"}),
    "aws:kms/key:Key": frozenset({"customKeyStoreId", "customerMasterKeySpec", "keyUsage", "multiRegion", "xksKeyId"}),
    "aws:s3/bucket:Bucket": frozenset({"bucket", "bucketPrefix", "objectLockEnabled"}),
    "aws:s3/bucketObjectv2:BucketObjectv2": frozenset({"bucket", "key"}),
    "aws:s3/bucketPolicy:BucketPolicy": frozenset({"bucket"}),
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": frozenset({"bucket"}),
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": frozenset(
        {"bucket", "expectedBucketOwner"}
    ),
    "aws:s3/bucketVersioning:BucketVersioning": frozenset({"bucket", "expectedBucketOwner"}),
    "aws:servicediscovery/privateDnsNamespace:PrivateDnsNamespace": frozenset({"name", "vpc"}),
    "aws:servicediscovery/service:Service": frozenset(
        {"dnsConfig.namespaceId", "dnsConfig.routingPolicy", "healthCheckCustomConfig", "name", "namespaceId", "type"}
    ),
    "aws:sns/topic:Topic": frozenset({"fifoTopic", "name", "namePrefix"}),
    "aws:sns/topicPolicy:TopicPolicy": frozenset({"arn"}),
    "aws:sns/topicSubscription:TopicSubscription": frozenset({"endpoint", "protocol", "topic"}),
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": frozenset({"securityGroupId"}),
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": frozenset({"securityGroupId"}),
    "grafana:alerting/contactPoint:ContactPoint": frozenset({"orgId"}),
    "grafana:alerting/notificationPolicy:NotificationPolicy": frozenset({"orgId"}),
    "grafana:alerting/ruleGroup:RuleGroup": frozenset({"folderUid", "name", "orgId"}),
    "grafana:oss/dashboard:Dashboard": frozenset({"orgId"}),
    "grafana:oss/dataSource:DataSource": frozenset({"orgId", "uid"}),
    "grafana:oss/folder:Folder": frozenset({"orgId", "uid"}),
}
"""Paths of inputs by type; a path covers all that is below it."""

NEVER_REPLACES: Final = frozenset({"tags", "tagsAll", "skipDestroy", "trackLatest"})
"""Exceptions from `EVERYTHING`."""

AUTONAMED: Final = frozenset({"aws:grafana/workspaceServiceAccountToken:WorkspaceServiceAccountToken"})
"""Types that get a name with a random end where the program gives none."""

KNOWN_AGAIN: Final = frozenset({"aws:sns/topicSubscription:TopicSubscription"})
"""Types of which a second one of the same name is the first: creating it changes nothing, deleting it removes it."""

REFUSES_DELETION_WHILE_USED: Final = frozenset(
    {
        "aws:cloudwatch/eventRule:EventRule",
        "aws:ec2/securityGroup:SecurityGroup",
        "aws:ec2/subnet:Subnet",
        "aws:ec2/vpc:Vpc",
        "aws:ecs/cluster:Cluster",
        "aws:servicediscovery/privateDnsNamespace:PrivateDnsNamespace",
        "aws:servicediscovery/service:Service",
        "grafana:alerting/contactPoint:ContactPoint",
    }
)

GRAFANA_PLUGINS: Final = frozenset({"grafana-amazonprometheus-datasource", "grafana-x-ray-datasource"})
"""Kinds of data source that a workspace refuses until their plugin is installed."""

_NAMED: Final[Mapping[str, tuple[str, ...]]] = {
    "aws:amp/alertManagerDefinition:AlertManagerDefinition": ("workspaceId",),
    "aws:amp/ruleGroupNamespace:RuleGroupNamespace": ("workspaceId", "name"),
    "aws:amp/workspaceConfiguration:WorkspaceConfiguration": ("workspaceId",),
    # Amazon Q Developer takes one configuration of a channel in an account, whatever its name.
    "aws:chatbot/slackChannelConfiguration:SlackChannelConfiguration": ("slackTeamId", "slackChannelId"),
    "aws:chatbot/teamsChannelConfiguration:TeamsChannelConfiguration": ("teamId", "channelId"),
    "aws:cloudwatch/eventRule:EventRule": ("name",),
    "aws:cloudwatch/logGroup:LogGroup": ("name",),
    "aws:cloudwatch/logMetricFilter:LogMetricFilter": ("logGroupName", "name"),
    "aws:cloudwatch/logResourcePolicy:LogResourcePolicy": ("resourceArn",),
    "aws:cloudwatch/metricAlarm:MetricAlarm": ("name",),
    "aws:ecr/lifecyclePolicy:LifecyclePolicy": ("repository",),
    "aws:ecr/repository:Repository": ("name",),
    "aws:grafana/roleAssociation:RoleAssociation": ("workspaceId", "role"),
    "aws:grafana/workspaceServiceAccount:WorkspaceServiceAccount": ("workspaceId", "name"),
    "aws:grafana/workspaceServiceAccountToken:WorkspaceServiceAccountToken": ("workspaceId", "name"),
    "aws:iam/role:Role": ("name",),
    "aws:iam/rolePolicy:RolePolicy": ("role", "name"),
    "aws:kms/alias:Alias": ("name",),
    "aws:s3/bucket:Bucket": ("bucket",),
    "aws:s3/bucketObjectv2:BucketObjectv2": ("bucket", "key"),
    "aws:s3/bucketPolicy:BucketPolicy": ("bucket",),
    "aws:servicediscovery/privateDnsNamespace:PrivateDnsNamespace": ("vpc", "name"),
    "aws:servicediscovery/service:Service": ("dnsConfig.namespaceId", "name"),
    "aws:sns/topic:Topic": ("name",),
    "aws:sns/topicPolicy:TopicPolicy": ("arn",),
    "grafana:alerting/contactPoint:ContactPoint": ("name",),
    # Grafana has one policy.
    "grafana:alerting/notificationPolicy:NotificationPolicy": (),
    "grafana:alerting/ruleGroup:RuleGroup": ("folderUid", "name"),
    "grafana:oss/dataSource:DataSource": ("uid",),
    "grafana:oss/folder:Folder": ("uid",),
}
"""Inputs that name a thing: two with the same cannot be."""

_PREFIXES: Final[Mapping[str, str]] = {
    "aws:amp/workspace:Workspace": "ws",
    "aws:ec2/internetGateway:InternetGateway": "igw",
    "aws:ec2/routeTable:RouteTable": "rtb",
    "aws:ec2/routeTableAssociation:RouteTableAssociation": "rtbassoc",
    "aws:ec2/securityGroup:SecurityGroup": "sg",
    "aws:ec2/subnet:Subnet": "subnet",
    "aws:ec2/vpc:Vpc": "vpc",
    "aws:grafana/workspace:Workspace": "g",
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": "sgr",
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": "sgr",
}


def identity(token: str, name: str, inputs: Inputs) -> str:
    """The id of a new thing: made of its names where these must be unique, otherwise a random one."""
    if token == "aws:ecs/cluster:Cluster":
        return _arn("ecs", f"cluster/{inputs['name']}")
    if token == "aws:ecs/service:Service":
        return _arn("ecs", f"service/{inputs['cluster'].rpartition('/')[2]}/{inputs['name']}")
    if token == "aws:sns/topicSubscription:TopicSubscription":
        # An id is no secret, and the endpoint may be one.
        endpoint = hashlib.sha256(f"{inputs['protocol']} {inputs['endpoint']}".encode()).hexdigest()
        return f"{inputs['topic']}:{endpoint}"
    if token in _NAMED:
        return "/".join(str(_at(inputs, path)) for path in _NAMED[token]) or "the only one"
    if token == "grafana:oss/dashboard:Dashboard":
        return str(json.loads(inputs["configJson"])["uid"])
    return f"{_PREFIXES.get(token, name)}-{secrets.token_hex(6)}"


def is_replaced(token: str, path: str, old: Inputs, new: Inputs) -> bool:
    """Whether the change of an input at `path` (dots, without indexes) makes the provider replace the resource."""
    paths = REPLACED_BY.get(token, frozenset())
    if token == "grafana:oss/dashboard:Dashboard" and path == "configJson" and UNKNOWN not in new["configJson"]:
        return json.loads(old[path])["uid"] != json.loads(new[path])["uid"]
    if paths >= EVERYTHING:
        return path.partition(".")[0] not in NEVER_REPLACES
    if any(each.startswith(f"{path}.") for each in paths):
        # The engine asks what would be if all of a property were unknown, to find what must go with a replaced one.
        return new.get(path) == UNKNOWN
    return any(path == each or path.startswith(f"{each}.") for each in paths)


def deletes_first(old: Inputs, new: Inputs) -> bool:
    """Whether a replacement must delete before it creates: Pulumi's providers do so for a name that stays."""
    return "name" in new and old.get("name") == new["name"]


def computed(token: str, identity_: str, inputs: Inputs, *, grafana: str, revision: int) -> dict[str, Any]:
    """Outputs that are no inputs. `grafana` is the address at which workspaces answer."""
    outputs = _COMPUTED[token](identity_, {**inputs, "__grafana": grafana, "__revision": revision})
    return {name: value for name, value in outputs.items() if name not in inputs}


def answer(token: str, arguments: Inputs, region: str) -> dict[str, Any]:
    """What a function of the AWS provider returns. KeyError for one that the stand-in does not know."""
    return _ANSWERS[token](arguments, region)


def context_hash(inputs: Inputs) -> str:
    """A digest of everything in an image's build context."""
    folder = Path(inputs["context"]["location"])
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(f"{path.relative_to(folder)}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def _at(inputs: Inputs, path: str) -> Any:
    value: Any = inputs
    for part in path.split("."):
        value = value[part]
    return value


def _arn(service: str, resource: str, region: str = "eu-west-1") -> str:
    return f"arn:aws:{service}:{region}:{ACCOUNT}:{resource}"


def _image(_: str, inputs: Inputs) -> dict[str, Any]:
    content = context_hash(inputs)
    digest = "sha256:" + hashlib.sha256(f"{content}{inputs['platforms']}".encode()).hexdigest()
    return {"contextHash": content, "digest": digest, "ref": f"{inputs['tags'][0]}@{digest}"}


def _task_definition(_: str, inputs: Inputs) -> dict[str, Any]:
    arn = _arn("ecs", f"task-definition/{inputs['family']}")
    revision = inputs["__revision"]
    return {"arn": f"{arn}:{revision}", "arnWithoutRevision": arn, "revision": revision}


def _nothing(_: str, __: Inputs) -> dict[str, Any]:
    return {}


def _chat(_: str, inputs: Inputs) -> dict[str, Any]:
    return {"chatConfigurationArn": _arn("chatbot", f"chat-configuration/{inputs['configurationName']}")}


_COMPUTED: Final[Mapping[str, Callable[[str, Inputs], dict[str, Any]]]] = {
    "aws:amp/alertManagerDefinition:AlertManagerDefinition": _nothing,
    "aws:amp/ruleGroupNamespace:RuleGroupNamespace": lambda id_, _: {"arn": _arn("aps", f"rulegroupsnamespace/{id_}")},
    "aws:amp/workspace:Workspace": lambda id_, _: {
        "arn": _arn("aps", f"workspace/{id_}"),
        "prometheusEndpoint": f"https://aps-workspaces.eu-west-1.amazonaws.com/workspaces/{id_}/",
    },
    "aws:amp/workspaceConfiguration:WorkspaceConfiguration": _nothing,
    "aws:chatbot/slackChannelConfiguration:SlackChannelConfiguration": _chat,
    "aws:chatbot/teamsChannelConfiguration:TeamsChannelConfiguration": _chat,
    "aws:cloudwatch/eventRule:EventRule": lambda id_, _: {"arn": _arn("events", f"rule/{id_}")},
    "aws:cloudwatch/eventTarget:EventTarget": lambda id_, _: {"targetId": id_},
    "aws:cloudwatch/logGroup:LogGroup": lambda id_, _: {"arn": _arn("logs", f"log-group:{id_}")},
    "aws:cloudwatch/logMetricFilter:LogMetricFilter": _nothing,
    "aws:cloudwatch/logResourcePolicy:LogResourcePolicy": lambda _, __: {
        "policyScope": "RESOURCE",
        "revisionId": secrets.token_hex(4),
    },
    "aws:cloudwatch/metricAlarm:MetricAlarm": lambda id_, _: {"arn": _arn("cloudwatch", f"alarm:{id_}")},
    "aws:ec2/internetGateway:InternetGateway": lambda id_, _: {"arn": _arn("ec2", f"internet-gateway/{id_}")},
    "aws:ec2/routeTable:RouteTable": lambda id_, _: {"arn": _arn("ec2", f"route-table/{id_}")},
    "aws:ec2/routeTableAssociation:RouteTableAssociation": _nothing,
    "aws:ec2/securityGroup:SecurityGroup": lambda id_, _: {"arn": _arn("ec2", f"security-group/{id_}")},
    "aws:ec2/subnet:Subnet": lambda id_, _: {"arn": _arn("ec2", f"subnet/{id_}")},
    "aws:ec2/vpc:Vpc": lambda id_, _: {"arn": _arn("ec2", f"vpc/{id_}"), "defaultSecurityGroupId": f"sg-{id_}"},
    "aws:ecr/lifecyclePolicy:LifecyclePolicy": lambda _, __: {"registryId": ACCOUNT},
    "aws:ecr/repository:Repository": lambda id_, _: {
        "arn": _arn("ecr", f"repository/{id_}"),
        "registryId": ACCOUNT,
        "repositoryUrl": f"{ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com/{id_}",
    },
    "aws:ecs/cluster:Cluster": lambda id_, _: {"arn": id_},
    "aws:ecs/service:Service": lambda id_, _: {"arn": id_},
    "aws:ecs/taskDefinition:TaskDefinition": _task_definition,
    "aws:grafana/roleAssociation:RoleAssociation": _nothing,
    "aws:grafana/workspace:Workspace": lambda id_, inputs: {
        "arn": _arn("grafana", f"/workspaces/{id_}"),
        "endpoint": f"{inputs['__grafana']}/{id_}",
    },
    "aws:grafana/workspaceServiceAccount:WorkspaceServiceAccount": lambda _, __: {"serviceAccountId": "42"},
    "aws:grafana/workspaceServiceAccountToken:WorkspaceServiceAccountToken": lambda _, __: {
        "createdAt": "2026-01-01T00:00:00Z",
        "expiresAt": "2026-01-31T00:00:00Z",
        "key": f"glsa_{secrets.token_hex(20)}",
        "serviceAccountTokenId": secrets.token_hex(4),
    },
    "aws:iam/role:Role": lambda id_, _: {"arn": f"arn:aws:iam::{ACCOUNT}:role/{id_}", "uniqueId": f"AROA{id_}"},
    "aws:iam/rolePolicy:RolePolicy": _nothing,
    "aws:kms/alias:Alias": lambda id_, _: {"arn": _arn("kms", id_)},
    "aws:kms/key:Key": lambda id_, _: {"arn": _arn("kms", f"key/{id_}"), "keyId": id_},
    "aws:s3/bucket:Bucket": lambda id_, _: {"arn": f"arn:aws:s3:::{id_}"},
    "aws:s3/bucketObjectv2:BucketObjectv2": lambda id_, _: {"arn": f"arn:aws:s3:::{id_}"},
    "aws:s3/bucketPolicy:BucketPolicy": _nothing,
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": _nothing,
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": _nothing,
    "aws:s3/bucketVersioning:BucketVersioning": _nothing,
    "aws:servicediscovery/privateDnsNamespace:PrivateDnsNamespace": lambda id_, _: {
        "arn": _arn("servicediscovery", f"namespace/{id_}"),
        "hostedZone": "Z0123456789",
    },
    "aws:servicediscovery/service:Service": lambda id_, _: {"arn": _arn("servicediscovery", f"service/{id_}")},
    "aws:sns/topic:Topic": lambda id_, _: {"arn": _arn("sns", id_)},
    "aws:sns/topicPolicy:TopicPolicy": lambda _, __: {"owner": ACCOUNT},
    "aws:sns/topicSubscription:TopicSubscription": lambda id_, _: {"arn": id_},
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": lambda id_, _: {"securityGroupRuleId": id_},
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": lambda id_, _: {"securityGroupRuleId": id_},
    "docker-build:index:Image": _image,
    "grafana:alerting/contactPoint:ContactPoint": _nothing,
    "grafana:alerting/notificationPolicy:NotificationPolicy": _nothing,
    "grafana:alerting/ruleGroup:RuleGroup": _nothing,
    "grafana:oss/dashboard:Dashboard": lambda id_, _: {"uid": id_, "url": f"/d/{id_}", "version": 1},
    "grafana:oss/dataSource:DataSource": _nothing,
    "grafana:oss/folder:Folder": lambda id_, _: {"url": f"/dashboards/f/{id_}"},
}
"""A type that is missing here is one that the program began to use: its creation fails and says so."""


def _login(_: Inputs, region: str) -> dict[str, Any]:
    # Another password at every call, as ECR gives: nothing may be deployed anew because of it.
    return {
        "id": region,
        "authorizationToken": secrets.token_hex(8),
        "expiresAt": "2026-01-01T12:00:00Z",
        "password": secrets.token_hex(8),
        "proxyEndpoint": f"https://{ACCOUNT}.dkr.ecr.{region}.amazonaws.com",
        "userName": "AWS",
    }


_ANSWERS: Final[Mapping[str, Callable[[Inputs, str], dict[str, Any]]]] = {
    "aws:ecr/getAuthorizationToken:getAuthorizationToken": _login,
    "aws:index/getAvailabilityZones:getAvailabilityZones": lambda _, region: {
        "id": region,
        "groupNames": [region],
        "names": [f"{region}{letter}" for letter in "abc"],
        "zoneIds": [f"euw1-az{number}" for number in (1, 2, 3)],
    },
    "aws:index/getCallerIdentity:getCallerIdentity": lambda _, __: {
        "id": ACCOUNT,
        "accountId": ACCOUNT,
        "arn": f"arn:aws:iam::{ACCOUNT}:user/deployer",
        "userId": "AIDA",
    },
    "aws:amp/getWorkspaces:getWorkspaces": lambda _, region: {
        "id": region,
        "region": region,
        "aliases": [],
        "arns": [],
        "workspaceIds": [],
    },
    "aws:index/getPartition:getPartition": lambda _, __: {
        "id": "aws",
        "dnsSuffix": "amazonaws.com",
        "partition": "aws",
        "reverseDnsPrefix": "com.amazonaws",
    },
    "aws:index/getRegion:getRegion": lambda _, region: {
        "id": region,
        "description": region,
        "endpoint": f"ec2.{region}.amazonaws.com",
        "name": region,
        "region": region,
    },
}
