"""FOR JUDGES ONLY: well-formed stand-ins for what AWS knows only after deployment.

cfn-lint, botocore and parliament refuse `<metrics.arn>` where an ARN must stand. Nothing that is rendered, written or
deployed goes through here.
"""

import hashlib
import re
from typing import Final

from preview.recording import Recording, Resource
from preview.wiring import PLACEHOLDER, aws_name

ACCOUNT: Final = "123456789012"
"""AWS's own example account."""

_FORMS: Final = {
    "aws:amp/workspace:Workspace": {
        "arn": "arn:aws:aps:{region}:{account}:workspace/ws-{uuid}",
        "id": "ws-{uuid}",
        "prometheusEndpoint": "https://aps-workspaces.{region}.amazonaws.com/workspaces/ws-{uuid}/",
    },
    "aws:autoscaling/group:Group": {
        "arn": "arn:aws:autoscaling:{region}:{account}:autoScalingGroup:{uuid}:autoScalingGroupName/{name}",
    },
    "aws:cloudwatch/eventRule:EventRule": {"arn": "arn:aws:events:{region}:{account}:rule/{name}", "id": "{name}"},
    "aws:cloudwatch/logGroup:LogGroup": {"arn": "arn:aws:logs:{region}:{account}:log-group:{name}", "id": "{name}"},
    "aws:ec2/eip:Eip": {"id": "eipalloc-{hex17}"},
    "aws:ec2/internetGateway:InternetGateway": {"id": "igw-{hex17}"},
    "aws:ec2/launchTemplate:LaunchTemplate": {"id": "lt-{hex17}", "latestVersion": "1"},
    "aws:ec2/natGateway:NatGateway": {"id": "nat-{hex17}"},
    "aws:ec2/routeTable:RouteTable": {"id": "rtb-{hex17}"},
    "aws:ec2/securityGroup:SecurityGroup": {
        "arn": "arn:aws:ec2:{region}:{account}:security-group/sg-{hex17}",
        "id": "sg-{hex17}",
    },
    "aws:ec2/subnet:Subnet": {"id": "subnet-{hex17}"},
    "aws:ec2/vpc:Vpc": {"arn": "arn:aws:ec2:{region}:{account}:vpc/vpc-{hex17}", "id": "vpc-{hex17}"},
    "aws:ecr/repository:Repository": {
        "arn": "arn:aws:ecr:{region}:{account}:repository/{name}",
        "repositoryUrl": "{account}.dkr.ecr.{region}.amazonaws.com/{name}",
        "registryId": "{account}",
    },
    "aws:ecs/cluster:Cluster": {
        "arn": "arn:aws:ecs:{region}:{account}:cluster/{name}",
        "id": "arn:aws:ecs:{region}:{account}:cluster/{name}",
    },
    "aws:ecs/service:Service": {
        "arn": "arn:aws:ecs:{region}:{account}:service/{name}",
        "id": "arn:aws:ecs:{region}:{account}:service/{name}",
    },
    "aws:ecs/taskDefinition:TaskDefinition": {
        "arn": "arn:aws:ecs:{region}:{account}:task-definition/{name}:1",
        "arnWithoutRevision": "arn:aws:ecs:{region}:{account}:task-definition/{name}",
        "revision": "1",
    },
    "aws:grafana/workspace:Workspace": {
        "arn": "arn:aws:grafana:{region}:{account}:/workspaces/g-{hex10}",
        "endpoint": "g-{hex10}.grafana-workspace.{region}.amazonaws.com",
        "id": "g-{hex10}",
    },
    "aws:iam/instanceProfile:InstanceProfile": {"arn": "arn:aws:iam::{account}:instance-profile/{name}"},
    "aws:iam/policy:Policy": {
        "arn": "arn:aws:iam::{account}:policy/{name}",
        "id": "arn:aws:iam::{account}:policy/{name}",
    },
    "aws:iam/role:Role": {"arn": "arn:aws:iam::{account}:role/{name}", "id": "{name}"},
    "aws:kms/key:Key": {
        "arn": "arn:aws:kms:{region}:{account}:key/{uuid}",
        "id": "{uuid}",
    },
    "aws:lb/listener:Listener": {
        "arn": "arn:aws:elasticloadbalancing:{region}:{account}:listener/app/balancer/{hex16}/{hex16}",
    },
    "aws:lb/listenerRule:ListenerRule": {
        "arn": "arn:aws:elasticloadbalancing:{region}:{account}:listener-rule/app/balancer/{hex16}/{hex16}/{hex16}",
    },
    "aws:lb/loadBalancer:LoadBalancer": {
        "arn": "arn:aws:elasticloadbalancing:{region}:{account}:loadbalancer/app/{name}/{hex16}",
        "arnSuffix": "app/{name}/{hex16}",
        "dnsName": "{name}-{hex10}.{region}.elb.amazonaws.com",
        "zoneId": "Z{hex10}",
    },
    "aws:lb/targetGroup:TargetGroup": {
        "arn": "arn:aws:elasticloadbalancing:{region}:{account}:targetgroup/{name}/{hex16}",
        "arnSuffix": "targetgroup/{name}/{hex16}",
    },
    "aws:acm/certificate:Certificate": {"arn": "arn:aws:acm:{region}:{account}:certificate/{uuid}"},
    "aws:scheduler/scheduleGroup:ScheduleGroup": {
        "arn": "arn:aws:scheduler:{region}:{account}:schedule-group/{name}",
        "id": "{name}",
        "name": "{name}",
    },
    "aws:s3/bucket:Bucket": {"arn": "arn:aws:s3:::{name}"},
    "aws:servicediscovery/privateDnsNamespace:PrivateDnsNamespace": {
        "arn": "arn:aws:servicediscovery:{region}:{account}:namespace/ns-{hex16}",
        "id": "ns-{hex16}",
    },
    "aws:servicediscovery/httpNamespace:HttpNamespace": {
        "arn": "arn:aws:servicediscovery:{region}:{account}:namespace/ns-{hex16}",
        "id": "ns-{hex16}",
    },
    "aws:servicediscovery/service:Service": {
        "arn": "arn:aws:servicediscovery:{region}:{account}:service/srv-{hex16}",
        "id": "srv-{hex16}",
    },
    "aws:sns/topic:Topic": {
        "arn": "arn:aws:sns:{region}:{account}:{name}",
        "id": "arn:aws:sns:{region}:{account}:{name}",
    },
    "docker-build:index:Image": {
        "digest": "sha256:{hex64}",
        "ref": "{account}.dkr.ecr.{region}.amazonaws.com/{name}@sha256:{hex64}",
    },
}
"""Forms by type and output (Service Authorization Reference, "Resource types defined by ...")."""


def fill(recording: Recording, text: str, *, account: str = ACCOUNT) -> str:
    """`text` with every placeholder of `recording` replaced; what the user has to fill in stays."""
    owners: dict[str, list[Resource]] = {}
    for resource in recording.resources:
        owners.setdefault(resource.name, []).append(resource)

    def value(match: re.Match[str]) -> str:
        candidates = owners.get(match[1], [])
        fitting = [resource for resource in candidates if match[2] in _FORMS.get(resource.type, {})]
        found = next(iter(fitting or candidates), None)
        return _value(found, match[2], recording.region, account) if found else match[0]

    filled = PLACEHOLDER.sub(value, text)
    for mine in ("<account>", "<your account>"):
        filled = filled.replace(mine, account)
    return filled.replace("<caller.arn>", f"arn:aws:iam::{account}:user/judge")


def _value(resource: Resource, output: str, region: str, account: str) -> str:
    digits = hashlib.sha256(resource.urn.encode()).hexdigest()
    form = _FORMS.get(resource.type, {}).get(output)
    if form is None:
        service = resource.type.partition(":")[2].partition("/")[0]
        form = f"arn:aws:{service}:{{region}}:{{account}}:{{name}}" if output == "arn" else f"{{name}}-{output}"
    return form.format(
        region=region,
        account=account,
        name=re.sub(r"[<>]", "", aws_name(resource)),
        uuid=f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:32]}",
        hex10=digits[:10],
        hex16=digits[:16],
        hex17=digits[:17],
        hex64=digits,
    )
