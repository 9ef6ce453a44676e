"""What the real providers do, as far as a program can tell: replacements, computed outputs, answers, refusals.

Which change replaces a resource is documented in the schemas of the Terraform providers that Pulumi's are made from
(`ForceNew`, `RequiresReplace`: hashicorp/terraform-provider-aws, grafana/terraform-provider-grafana), and for
docker-build in `provider/internal/image.go` of pulumi/pulumi-docker-build, which never replaces.
"""

import hashlib
import json
import secrets
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from preview import existing
from tests.pulumi_cli.cloud import Thing

_VPC: Final = "aws:ec2/vpc:Vpc"
_WORKSPACE: Final = "aws:amp/workspace:Workspace"

ACCOUNT: Final = "123456789012"
EPOCH: Final = datetime.fromtimestamp(0, UTC)
EVERYTHING: Final = frozenset({"*"})
UNKNOWN: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""How the engine writes a text that is not known during a preview."""

Inputs = Mapping[str, Any]

_SCALED: Final = frozenset({"resourceId", "scalableDimension", "serviceNamespace"})

REPLACED_BY: Final[Mapping[str, frozenset[str]]] = {
    "aws:acm/certificate:Certificate": frozenset(
        {"domainName", "keyAlgorithm", "subjectAlternativeNames", "validationMethod"}
    ),
    "aws:acm/certificateValidation:CertificateValidation": frozenset({"certificateArn", "validationRecordFqdns"}),
    "aws:amp/alertManagerDefinition:AlertManagerDefinition": frozenset({"workspaceId"}),
    "aws:amp/ruleGroupNamespace:RuleGroupNamespace": frozenset({"name", "workspaceId"}),
    "aws:amp/workspace:Workspace": frozenset({"kmsKeyArn"}),
    "aws:amp/workspaceConfiguration:WorkspaceConfiguration": frozenset({"workspaceId"}),
    "aws:appautoscaling/policy:Policy": _SCALED | {"name"},
    "aws:appautoscaling/scheduledAction:ScheduledAction": _SCALED | {"name"},
    "aws:appautoscaling/target:Target": _SCALED,
    "aws:autoscaling/group:Group": frozenset({"name", "namePrefix"}),
    "aws:chatbot/slackChannelConfiguration:SlackChannelConfiguration": frozenset(),
    "aws:chatbot/teamsChannelConfiguration:TeamsChannelConfiguration": frozenset(),
    "aws:cloudwatch/eventRule:EventRule": frozenset({"eventBusName", "name", "namePrefix"}),
    "aws:cloudwatch/eventTarget:EventTarget": frozenset({"eventBusName", "rule", "targetId"}),
    "aws:cloudwatch/logGroup:LogGroup": frozenset({"name", "namePrefix", "logGroupClass"}),
    "aws:cloudwatch/logMetricFilter:LogMetricFilter": frozenset({"logGroupName", "name"}),
    "aws:cloudwatch/logResourcePolicy:LogResourcePolicy": frozenset({"policyName", "resourceArn"}),
    "aws:cloudwatch/metricAlarm:MetricAlarm": frozenset({"name"}),
    "aws:ec2/eip:Eip": frozenset({"address", "domain", "networkBorderGroup", "publicIpv4Pool"}),
    "aws:ec2/internetGateway:InternetGateway": frozenset(),
    "aws:ec2/launchTemplate:LaunchTemplate": frozenset({"name", "namePrefix"}),
    "aws:ec2/natGateway:NatGateway": frozenset({"allocationId", "connectivityType", "privateIp", "subnetId"}),
    "aws:ec2/routeTable:RouteTable": frozenset({"vpcId"}),
    "aws:ec2/routeTableAssociation:RouteTableAssociation": frozenset({"gatewayId", "subnetId"}),
    "aws:ec2/securityGroup:SecurityGroup": frozenset({"description", "name", "namePrefix", "vpcId"}),
    "aws:ec2/subnet:Subnet": frozenset({"availabilityZone", "availabilityZoneId", "cidrBlock", "vpcId"}),
    "aws:ec2/vpc:Vpc": frozenset({"cidrBlock", "ipv4IpamPoolId", "ipv4NetmaskLength"}),
    "aws:ec2/vpcEndpoint:VpcEndpoint": frozenset({"serviceName", "serviceRegion", "vpcEndpointType", "vpcId"}),
    "aws:ecr/lifecyclePolicy:LifecyclePolicy": frozenset({"policy", "repository"}),
    "aws:ecr/repository:Repository": frozenset({"encryptionConfigurations", "name"}),
    "aws:ecs/capacityProvider:CapacityProvider": frozenset({"autoScalingGroupProvider.autoScalingGroupArn", "name"}),
    "aws:ecs/cluster:Cluster": frozenset({"name"}),
    "aws:ecs/clusterCapacityProviders:ClusterCapacityProviders": frozenset({"clusterName"}),
    "aws:ecs/service:Service": frozenset(
        {"cluster", "deploymentController.type", "iamRole", "launchType", "name", "schedulingStrategy"}
    ),
    "aws:ecs/taskDefinition:TaskDefinition": EVERYTHING,
    "aws:grafana/roleAssociation:RoleAssociation": frozenset({"role", "workspaceId"}),
    "aws:grafana/workspace:Workspace": frozenset({"authenticationProviders", "kmsKeyId"}),
    "aws:grafana/workspaceSamlConfiguration:WorkspaceSamlConfiguration": frozenset({"workspaceId"}),
    "aws:grafana/workspaceServiceAccount:WorkspaceServiceAccount": EVERYTHING,
    "aws:grafana/workspaceServiceAccountToken:WorkspaceServiceAccountToken": EVERYTHING,
    "aws:iam/instanceProfile:InstanceProfile": frozenset({"name", "namePrefix", "path"}),
    "aws:iam/role:Role": frozenset({"name", "namePrefix", "path"}),
    "aws:iam/rolePolicy:RolePolicy": frozenset({"name", "namePrefix", "role"}),
    "aws:kms/alias:Alias": frozenset({"name", "namePrefix"}),
    "aws:kms/key:Key": frozenset({"customKeyStoreId", "customerMasterKeySpec", "keyUsage", "multiRegion", "xksKeyId"}),
    "aws:lb/listener:Listener": frozenset({"loadBalancerArn"}),
    "aws:lb/listenerRule:ListenerRule": frozenset({"listenerArn"}),
    "aws:lb/loadBalancer:LoadBalancer": frozenset({"internal", "loadBalancerType", "name", "namePrefix"}),
    "aws:lb/targetGroup:TargetGroup": frozenset(
        {"ipAddressType", "name", "namePrefix", "port", "protocol", "protocolVersion", "targetType", "vpcId"}
    ),
    "aws:route53/record:Record": frozenset({"name", "setIdentifier", "zoneId"}),
    "aws:s3/bucket:Bucket": frozenset({"bucket", "bucketPrefix", "objectLockEnabled"}),
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": frozenset({"bucket", "expectedBucketOwner"}),
    "aws:s3/bucketObjectv2:BucketObjectv2": frozenset({"bucket", "key"}),
    "aws:s3/bucketPolicy:BucketPolicy": frozenset({"bucket"}),
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": frozenset({"bucket"}),
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": frozenset(
        {"bucket", "expectedBucketOwner"}
    ),
    "aws:s3/bucketVersioning:BucketVersioning": frozenset({"bucket", "expectedBucketOwner"}),
    "aws:scheduler/schedule:Schedule": frozenset({"groupName", "name", "namePrefix"}),
    "aws:scheduler/scheduleGroup:ScheduleGroup": frozenset({"name", "namePrefix"}),
    "aws:servicediscovery/privateDnsNamespace:PrivateDnsNamespace": frozenset({"name", "vpc"}),
    "aws:servicediscovery/service:Service": frozenset(
        {"dnsConfig.namespaceId", "dnsConfig.routingPolicy", "healthCheckCustomConfig", "name", "namespaceId", "type"}
    ),
    "aws:sns/topic:Topic": frozenset({"fifoTopic", "name", "namePrefix"}),
    "aws:sns/topicPolicy:TopicPolicy": frozenset({"arn"}),
    "aws:sns/topicSubscription:TopicSubscription": frozenset({"endpoint", "protocol", "topic"}),
    "aws:sqs/queue:Queue": frozenset({"fifoQueue", "name", "namePrefix"}),
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": frozenset({"securityGroupId"}),
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": frozenset({"securityGroupId"}),
    "aws:xray/samplingRule:SamplingRule": frozenset({"ruleName"}),
    "docker-build:index:Image": frozenset(),
    "grafana:alerting/contactPoint:ContactPoint": frozenset({"orgId"}),
    "grafana:alerting/notificationPolicy:NotificationPolicy": frozenset({"orgId"}),
    "grafana:alerting/ruleGroup:RuleGroup": frozenset({"folderUid", "name", "orgId"}),
    "grafana:oss/dashboard:Dashboard": frozenset({"orgId"}),
    "grafana:oss/dataSource:DataSource": frozenset({"orgId", "uid"}),
    "grafana:oss/folder:Folder": frozenset({"orgId", "uid"}),
}
"""Paths of inputs by type; a path covers all that is below it. Every type that a stack makes is here, also one that is
never replaced: tests/components/test_every_stack.py holds that."""

KEPT: Final[Mapping[str, frozenset[str]]] = {
    "aws:ecs/service:Service": frozenset(
        {"alarms", "availabilityZoneRebalancing", "deploymentConfiguration", "launchType"}
    ),
}
"""Inputs that stay as they were where a program leaves them out (`Computed`, or a suppressed missing block)."""

NEVER_REPLACES: Final = frozenset({"tags", "tagsAll", "skipDestroy", "trackLatest"})
"""Exceptions from `EVERYTHING`."""

AUTONAMED: Final = frozenset({"aws:grafana/workspaceServiceAccountToken:WorkspaceServiceAccountToken"})
"""Types that get a name with a random end where the program gives none."""

KNOWN_AGAIN: Final = frozenset({"aws:sns/topicSubscription:TopicSubscription"})
"""Types of which a second one of the same name is the first: creating it changes nothing, deleting it removes it."""

GRAFANA_PLUGINS: Final = frozenset({"grafana-amazonprometheus-datasource", "grafana-x-ray-datasource"})
"""Kinds of data source that a workspace refuses until their plugin is installed."""

_NAMED: Final[Mapping[str, tuple[str, ...]]] = {
    "aws:amp/alertManagerDefinition:AlertManagerDefinition": ("workspaceId",),
    "aws:amp/ruleGroupNamespace:RuleGroupNamespace": ("workspaceId", "name"),
    "aws:amp/workspaceConfiguration:WorkspaceConfiguration": ("workspaceId",),
    "aws:appautoscaling/policy:Policy": ("resourceId", "name"),
    "aws:appautoscaling/scheduledAction:ScheduledAction": ("resourceId", "name"),
    "aws:appautoscaling/target:Target": ("resourceId",),
    "aws:autoscaling/group:Group": ("name",),
    # Amazon Q Developer takes one configuration of a channel in an account, whatever its name.
    "aws:chatbot/slackChannelConfiguration:SlackChannelConfiguration": ("slackTeamId", "slackChannelId"),
    "aws:chatbot/teamsChannelConfiguration:TeamsChannelConfiguration": ("teamId", "channelId"),
    "aws:cloudwatch/eventRule:EventRule": ("name",),
    "aws:cloudwatch/logGroup:LogGroup": ("name",),
    "aws:cloudwatch/logMetricFilter:LogMetricFilter": ("logGroupName", "name"),
    "aws:cloudwatch/logResourcePolicy:LogResourcePolicy": ("resourceArn",),
    "aws:cloudwatch/metricAlarm:MetricAlarm": ("name",),
    "aws:ecr/lifecyclePolicy:LifecyclePolicy": ("repository",),
    "aws:ecs/capacityProvider:CapacityProvider": ("name",),
    "aws:ecs/clusterCapacityProviders:ClusterCapacityProviders": ("clusterName",),
    "aws:ecr/repository:Repository": ("name",),
    "aws:grafana/roleAssociation:RoleAssociation": ("workspaceId", "role"),
    "aws:grafana/workspaceSamlConfiguration:WorkspaceSamlConfiguration": ("workspaceId",),
    "aws:grafana/workspaceServiceAccount:WorkspaceServiceAccount": ("workspaceId", "name"),
    "aws:grafana/workspaceServiceAccountToken:WorkspaceServiceAccountToken": ("workspaceId", "name"),
    "aws:iam/instanceProfile:InstanceProfile": ("name",),
    "aws:iam/role:Role": ("name",),
    "aws:iam/rolePolicy:RolePolicy": ("role", "name"),
    "aws:kms/alias:Alias": ("name",),
    "aws:route53/record:Record": ("zoneId", "name", "type"),
    "aws:s3/bucket:Bucket": ("bucket",),
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": ("bucket",),
    "aws:s3/bucketObjectv2:BucketObjectv2": ("bucket", "key"),
    "aws:s3/bucketPolicy:BucketPolicy": ("bucket",),
    "aws:scheduler/schedule:Schedule": ("groupName", "name"),
    "aws:scheduler/scheduleGroup:ScheduleGroup": ("name",),
    "aws:servicediscovery/privateDnsNamespace:PrivateDnsNamespace": ("vpc", "name"),
    "aws:servicediscovery/service:Service": ("dnsConfig.namespaceId", "name"),
    "aws:sns/topic:Topic": ("name",),
    "aws:sns/topicPolicy:TopicPolicy": ("arn",),
    "aws:sqs/queue:Queue": ("name",),
    "aws:xray/samplingRule:SamplingRule": ("ruleName",),
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
    "aws:ec2/eip:Eip": "eipalloc",
    "aws:ec2/internetGateway:InternetGateway": "igw",
    "aws:ec2/launchTemplate:LaunchTemplate": "lt",
    "aws:ec2/natGateway:NatGateway": "nat",
    "aws:ec2/routeTable:RouteTable": "rtb",
    "aws:ec2/routeTableAssociation:RouteTableAssociation": "rtbassoc",
    "aws:ec2/securityGroup:SecurityGroup": "sg",
    "aws:ec2/subnet:Subnet": "subnet",
    "aws:ec2/vpc:Vpc": "vpc",
    "aws:ec2/vpcEndpoint:VpcEndpoint": "vpce",
    "aws:grafana/workspace:Workspace": "g",
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": "sgr",
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": "sgr",
}


def identity(token: str, name: str, inputs: Inputs) -> str:
    """The id of a new thing: made of its names where these must be unique, otherwise a random one."""
    if token in _IDENTITIES:
        return _IDENTITIES[token](inputs)
    if token in _NAMED:
        return "/".join(str(_at(inputs, path)) for path in _NAMED[token]) or "the only one"
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


def refused_change(token: str, paths: Iterable[str], new: Inputs) -> str:
    """Why the provider plans no such change; empty if it does."""
    strategy = any(path.startswith("capacityProviderStrategies") for path in paths)
    if token == "aws:ecs/service:Service" and strategy and not new.get("forceNewDeployment"):
        return "force_new_deployment should be true when capacity_provider_strategy is being updated"
    return ""


def deletes_first(old: Inputs, new: Inputs) -> bool:
    """Whether a replacement must delete before it creates: Pulumi's providers do so for a name that stays."""
    return "name" in new and old.get("name") == new["name"]


def computed(
    token: str, identity_: str, inputs: Inputs, *, grafana: str = "", revision: int = 0, now: datetime = EPOCH
) -> dict[str, Any]:
    """Outputs that are no inputs. `grafana` is the address at which workspaces answer."""
    outputs = _COMPUTED[token](identity_, {**inputs, "__grafana": grafana, "__revision": revision, "__now": now})
    return {name: value for name, value in outputs.items() if name not in inputs}


def answer(token: str, arguments: Inputs, region: str, things: Iterable[Thing]) -> Mapping[str, Any]:
    """What a function of the AWS provider returns, `things` being there. KeyError for one that the stand-in does not
    know."""
    if token in _LOOKED_UP and (found := _LOOKED_UP[token](arguments, things)):
        return found
    if token in _ANSWERS:
        return _ANSWERS[token](arguments, region)
    asked = existing.Asked(region, "aws", "amazonaws.com", arguments)
    return json.loads(json.dumps(existing.ANSWERS[token](asked)).replace("<account>", ACCOUNT))


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


def _below(arn: str, kind: str) -> str:
    """What a listener or a rule is called after what it stands on, whose ARN is given."""
    return _arn("elasticloadbalancing", f"{kind}/{arn.partition('/')[2]}/{secrets.token_hex(8)}")


def _subscription(inputs: Inputs) -> str:
    # An id is no secret, and the endpoint may be one.
    endpoint = hashlib.sha256(f"{inputs['protocol']} {inputs['endpoint']}".encode()).hexdigest()
    return f"{inputs['topic']}:{endpoint}"


_IDENTITIES: Final[Mapping[str, Callable[[Inputs], str]]] = {
    "aws:acm/certificate:Certificate": lambda _: _arn("acm", f"certificate/{secrets.token_hex(16)}"),
    "aws:ecs/cluster:Cluster": lambda inputs: _arn("ecs", f"cluster/{inputs['name']}"),
    "aws:ecs/service:Service": lambda inputs: _arn(
        "ecs", f"service/{inputs['cluster'].rpartition('/')[2]}/{inputs['name']}"
    ),
    "aws:lb/listener:Listener": lambda inputs: _below(inputs["loadBalancerArn"], "listener"),
    "aws:lb/listenerRule:ListenerRule": lambda inputs: _below(inputs["listenerArn"], "listener-rule"),
    "aws:lb/loadBalancer:LoadBalancer": lambda inputs: _arn(
        "elasticloadbalancing", f"loadbalancer/app/{inputs['name']}/{_digits(inputs['name'])}"
    ),
    "aws:lb/targetGroup:TargetGroup": lambda inputs: _arn(
        "elasticloadbalancing", f"targetgroup/{inputs['name']}/{_digits(inputs['name'])}"
    ),
    "aws:sns/topicSubscription:TopicSubscription": _subscription,
    "grafana:oss/dashboard:Dashboard": lambda inputs: str(json.loads(inputs["configJson"])["uid"]),
}
"""Ids that are not made of `_NAMED` alone."""


def _digits(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:16]


def _certificate(id_: str, inputs: Inputs) -> dict[str, Any]:
    names = {inputs["domainName"], *inputs.get("subjectAlternativeNames", [])}
    plain = {name: name.removeprefix("*.") for name in names}
    return {
        "arn": id_,
        "domainValidationOptions": [
            {
                "domainName": name,
                "resourceRecordName": f"_{_digits(plain[name])}.{plain[name]}.",
                "resourceRecordType": "CNAME",
                "resourceRecordValue": f"_{_digits(plain[name])}.acm-validations.aws.",
            }
            for name in sorted(names)
        ],
    }


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
    "aws:acm/certificate:Certificate": _certificate,
    "aws:acm/certificateValidation:CertificateValidation": _nothing,
    "aws:amp/alertManagerDefinition:AlertManagerDefinition": _nothing,
    "aws:amp/ruleGroupNamespace:RuleGroupNamespace": lambda id_, _: {"arn": _arn("aps", f"rulegroupsnamespace/{id_}")},
    "aws:amp/workspace:Workspace": lambda id_, _: {
        "arn": _arn("aps", f"workspace/{id_}"),
        "prometheusEndpoint": f"https://aps-workspaces.eu-west-1.amazonaws.com/workspaces/{id_}/",
    },
    "aws:amp/workspaceConfiguration:WorkspaceConfiguration": _nothing,
    "aws:appautoscaling/policy:Policy": lambda id_, _: {"arn": _arn("autoscaling", f"scalingPolicy:{id_}")},
    "aws:appautoscaling/scheduledAction:ScheduledAction": lambda id_, _: {
        "arn": _arn("autoscaling", f"scheduledAction:{id_}")
    },
    "aws:appautoscaling/target:Target": lambda id_, _: {
        "arn": _arn("application-autoscaling", f"scalable-target/{_digits(id_)}")
    },
    "aws:autoscaling/group:Group": lambda id_, _: {"arn": _arn("autoscaling", f"autoScalingGroup:{_digits(id_)}")},
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
    "aws:ec2/eip:Eip": lambda id_, _: {"allocationId": id_, "publicIp": "198.51.100.7"},
    "aws:ec2/internetGateway:InternetGateway": lambda id_, _: {"arn": _arn("ec2", f"internet-gateway/{id_}")},
    "aws:ec2/launchTemplate:LaunchTemplate": lambda id_, _: {
        "arn": _arn("ec2", f"launch-template/{id_}"),
        "latestVersion": 1,
    },
    "aws:ec2/natGateway:NatGateway": lambda _, __: {"publicIp": "198.51.100.7"},
    "aws:ec2/routeTable:RouteTable": lambda id_, _: {"arn": _arn("ec2", f"route-table/{id_}")},
    "aws:ec2/routeTableAssociation:RouteTableAssociation": _nothing,
    "aws:ec2/securityGroup:SecurityGroup": lambda id_, _: {"arn": _arn("ec2", f"security-group/{id_}")},
    "aws:ec2/subnet:Subnet": lambda id_, _: {"arn": _arn("ec2", f"subnet/{id_}")},
    "aws:ec2/vpc:Vpc": lambda id_, _: {"arn": _arn("ec2", f"vpc/{id_}"), "defaultSecurityGroupId": f"sg-{id_}"},
    "aws:ec2/vpcEndpoint:VpcEndpoint": lambda id_, _: {"arn": _arn("ec2", f"vpc-endpoint/{id_}"), "state": "available"},
    "aws:ecr/lifecyclePolicy:LifecyclePolicy": lambda _, __: {"registryId": ACCOUNT},
    "aws:ecr/repository:Repository": lambda id_, _: {
        "arn": _arn("ecr", f"repository/{id_}"),
        "registryId": ACCOUNT,
        "repositoryUrl": f"{ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com/{id_}",
    },
    "aws:ecs/capacityProvider:CapacityProvider": lambda id_, _: {"arn": _arn("ecs", f"capacity-provider/{id_}")},
    "aws:ecs/cluster:Cluster": lambda id_, _: {"arn": id_},
    "aws:ecs/clusterCapacityProviders:ClusterCapacityProviders": _nothing,
    "aws:ecs/service:Service": lambda id_, _: {"arn": id_},
    "aws:ecs/taskDefinition:TaskDefinition": _task_definition,
    "aws:grafana/roleAssociation:RoleAssociation": _nothing,
    "aws:grafana/workspace:Workspace": lambda id_, inputs: {
        "arn": _arn("grafana", f"/workspaces/{id_}"),
        "endpoint": f"{inputs['__grafana']}/{id_}",
    },
    "aws:grafana/workspaceSamlConfiguration:WorkspaceSamlConfiguration": _nothing,
    "aws:grafana/workspaceServiceAccount:WorkspaceServiceAccount": lambda _, __: {"serviceAccountId": "42"},
    "aws:grafana/workspaceServiceAccountToken:WorkspaceServiceAccountToken": lambda _, inputs: {
        "createdAt": inputs["__now"].isoformat(),
        "expiresAt": (inputs["__now"] + timedelta(seconds=inputs["secondsToLive"])).isoformat(),
        "key": f"glsa_{secrets.token_hex(20)}",
        "serviceAccountTokenId": secrets.token_hex(4),
    },
    "aws:iam/instanceProfile:InstanceProfile": lambda id_, _: {"arn": f"arn:aws:iam::{ACCOUNT}:instance-profile/{id_}"},
    "aws:iam/role:Role": lambda id_, _: {"arn": f"arn:aws:iam::{ACCOUNT}:role/{id_}", "uniqueId": f"AROA{id_}"},
    "aws:iam/rolePolicy:RolePolicy": _nothing,
    "aws:kms/alias:Alias": lambda id_, _: {"arn": _arn("kms", id_)},
    "aws:kms/key:Key": lambda id_, _: {"arn": _arn("kms", f"key/{id_}"), "keyId": id_},
    "aws:lb/listener:Listener": lambda id_, _: {"arn": id_},
    "aws:lb/listenerRule:ListenerRule": lambda id_, _: {"arn": id_},
    "aws:lb/loadBalancer:LoadBalancer": lambda id_, inputs: {
        "arn": id_,
        "arnSuffix": id_.partition("loadbalancer/")[2],
        "dnsName": f"{inputs['name']}.eu-west-1.elb.amazonaws.com",
        "zoneId": "Z32O12XQLNTSW2",
    },
    "aws:lb/targetGroup:TargetGroup": lambda id_, _: {"arn": id_, "arnSuffix": id_.rpartition(":")[2]},
    "aws:route53/record:Record": lambda _, inputs: {"fqdn": inputs["name"].rstrip(".")},
    "aws:s3/bucket:Bucket": lambda id_, _: {"arn": f"arn:aws:s3:::{id_}"},
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": _nothing,
    "aws:s3/bucketObjectv2:BucketObjectv2": lambda id_, _: {"arn": f"arn:aws:s3:::{id_}"},
    "aws:s3/bucketPolicy:BucketPolicy": _nothing,
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": _nothing,
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": _nothing,
    "aws:s3/bucketVersioning:BucketVersioning": _nothing,
    "aws:scheduler/schedule:Schedule": lambda id_, _: {"arn": _arn("scheduler", f"schedule/{id_}")},
    "aws:scheduler/scheduleGroup:ScheduleGroup": lambda id_, _: {"arn": _arn("scheduler", f"schedule-group/{id_}")},
    "aws:servicediscovery/privateDnsNamespace:PrivateDnsNamespace": lambda id_, _: {
        "arn": _arn("servicediscovery", f"namespace/{id_}"),
        "hostedZone": "Z0123456789",
    },
    "aws:servicediscovery/service:Service": lambda id_, _: {"arn": _arn("servicediscovery", f"service/{id_}")},
    "aws:sns/topic:Topic": lambda id_, _: {"arn": _arn("sns", id_)},
    "aws:sns/topicPolicy:TopicPolicy": lambda _, __: {"owner": ACCOUNT},
    "aws:sns/topicSubscription:TopicSubscription": lambda id_, _: {"arn": id_},
    "aws:sqs/queue:Queue": lambda id_, _: {
        "arn": _arn("sqs", id_),
        "url": f"https://sqs.eu-west-1.amazonaws.com/{ACCOUNT}/{id_}",
    },
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": lambda id_, _: {"securityGroupRuleId": id_},
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": lambda id_, _: {"securityGroupRuleId": id_},
    "aws:xray/samplingRule:SamplingRule": lambda id_, _: {"arn": _arn("xray", f"sampling-rule/{id_}")},
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


def _workspaces(arguments: Inputs, things: Iterable[Thing]) -> dict[str, Any]:
    found = [
        thing
        for thing in things
        if thing.type == _WORKSPACE and str(thing.inputs["alias"]).startswith(arguments["aliasPrefix"])
    ]
    return {
        "aliases": [thing.inputs["alias"] for thing in found],
        "arns": [thing.outputs["arn"] for thing in found],
        "workspaceIds": [thing.id for thing in found],
    }


def _workspace(arguments: Inputs, things: Iterable[Thing]) -> dict[str, Any]:
    """Nothing for one that the stack has not made."""
    for thing in things:
        if thing.type == _WORKSPACE and thing.id == arguments["workspaceId"]:
            return {"kmsKeyArn": "", "tags": {}, **thing.outputs, "workspaceId": thing.id, "status": "ACTIVE"}
    return {}


def _vpcs(arguments: Inputs, things: Iterable[Thing]) -> dict[str, Any]:
    wanted = arguments["tags"].items()
    return {"ids": [thing.id for thing in things if thing.type == _VPC and wanted <= thing.inputs["tags"].items()]}


def _vpc(arguments: Inputs, things: Iterable[Thing]) -> dict[str, Any]:
    """Nothing for one that the stack has not made."""
    found = [thing for thing in things if thing.type == _VPC and thing.id == arguments["id"]]
    return dict(found[0].outputs) if found else {}


_LOOKED_UP: Final[Mapping[str, Callable[[Inputs, Iterable[Thing]], dict[str, Any]]]] = {
    "aws:amp/getWorkspace:getWorkspace": _workspace,
    "aws:amp/getWorkspaces:getWorkspaces": _workspaces,
    "aws:ec2/getVpc:getVpc": _vpc,
    "aws:ec2/getVpcs:getVpcs": _vpcs,
}
"""Functions that look at what the stack itself has made."""

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
