"""The load balancer that the applications of a stack share, and what each of them has behind it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypedDict

import pulumi
import pulumi_aws as aws

from components import fargate
from components.fargate import Place
from components.network import Network
from components.private_bucket import private_bucket
from components.site import Site
from documents import policies
from documents.traffic import TARGET_PORT, TLS_POLICY, Certificate, LoadBalancer, Traffic

_HTTPS = 443
_HTTP = 80


@dataclass(frozen=True)
class Address:
    """Where a load balancer is found: its name, the zone of Elastic Load Balancing that the name is in, and `zone`, the
    hosted zone in which hosts of applications may point to it, if there is one."""

    dns_name: pulumi.Output[str]
    dns_zone: pulumi.Output[str]
    zone: str | None


@dataclass(frozen=True)
class Balancer:
    """A load balancer that applications may stand behind. `arn_suffix` is its name in CloudWatch, `app/name/id`. One
    that a stack has made has an `address`; one of somebody else has none, and nothing of it is changed: its listener is
    given rules, its security group is let in."""

    listener_arn: pulumi.Input[str]
    security_group_id: pulumi.Input[str]
    arn_suffix: pulumi.Input[str]
    address: Address | None = None


@dataclass(frozen=True)
class Entrance:
    """Where the requests of an application come in: the conditions of its listener rules, the first of its priorities,
    and its target group."""

    conditions: Sequence[Any]
    first: int
    target_group_arn: pulumi.Output[str]


def shared_balancer(name: str, site: Site, network: Network, wanted: LoadBalancer) -> Balancer | None:
    """The load balancer of a stack in its network: one that is made, one that exists, or none."""
    if found := wanted.existing:
        return Balancer(found.listener_arn, found.security_group_id, found.arn_suffix)
    if not wanted.wanted:
        return None
    reachable = wanted.internal or network.public_addresses
    subnet_ids = wanted.subnets or (network.subnet_ids if reachable else network.public_subnet_ids)
    args: ApplicationLoadBalancerArgs = {
        "site": site,
        "vpc_id": network.vpc_id,
        "subnet_ids": subnet_ids,
        "settings": wanted,
    }
    return ApplicationLoadBalancer(name, args, site.opts).balancer


class ApplicationLoadBalancerArgs(TypedDict):
    """What a load balancer needs; `subnet_ids` are where it stands."""

    site: Site
    vpc_id: pulumi.Input[str]
    subnet_ids: Sequence[pulumi.Input[str]]
    settings: LoadBalancer


class ApplicationLoadBalancer(pulumi.ComponentResource):
    """An ALB with a security group, an HTTPS listener that answers 404 until an application has a rule on it, an HTTP
    listener that redirects there, its certificate and a bucket of access logs where they are wanted."""

    balancer: Balancer

    def __init__(
        self, name: str, args: ApplicationLoadBalancerArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("ecs-observability:index:ApplicationLoadBalancer", name, None, opts)
        self._name, self._site, self._settings = name, args["site"], args["settings"]
        self._child = pulumi.ResourceOptions(parent=self)
        site, settings = self._site, self._settings
        group = self._security_group(args["vpc_id"])
        logs, written = self._access_logs() if settings.access_logs else (None, [])
        made = aws.lb.LoadBalancer(
            f"{name}-balancer",
            name=site.names.load_balancer,
            load_balancer_type="application",
            internal=settings.internal,
            security_groups=[group.id],
            subnets=list(args["subnet_ids"]),
            access_logs={"bucket": logs, "enabled": True} if logs else None,
            # A header whose name no server should take is how requests are smuggled past a proxy.
            drop_invalid_header_fields=True,
            enable_deletion_protection=settings.deletion_protection,
            tags=site.named(site.names.load_balancer),
            # It tries to write as soon as it is told to.
            opts=pulumi.ResourceOptions.merge(self._child, pulumi.ResourceOptions(depends_on=written)),
        )
        listener = self._listener(
            "https",
            made,
            port=_HTTPS,
            protocol="HTTPS",
            ssl_policy=TLS_POLICY,
            certificate_arn=self._certificate(settings.certificate)
            if settings.certificate
            else settings.certificate_arn,
            default_actions=[
                {"type": "fixed-response", "fixed_response": {"content_type": "text/plain", "status_code": "404"}}
            ],
        )
        self._listener(
            "http",
            made,
            port=_HTTP,
            protocol="HTTP",
            default_actions=[
                {
                    "type": "redirect",
                    "redirect": {"protocol": "HTTPS", "port": str(_HTTPS), "status_code": "HTTP_301"},
                }
            ],
        )
        zone = settings.certificate.zone if settings.certificate else None
        self.balancer = Balancer(
            listener_arn=listener.arn,
            security_group_id=group.id,
            arn_suffix=made.arn_suffix,
            address=Address(made.dns_name, made.zone_id, zone),
        )
        self.register_outputs({"dnsName": made.dns_name, "listenerArn": listener.arn})

    def _listener(self, what: str, made: "aws.lb.LoadBalancer", **inputs: Any) -> "aws.lb.Listener":
        return aws.lb.Listener(
            f"{self._name}-{what}", load_balancer_arn=made.arn, tags=self._site.tags, opts=self._child, **inputs
        )

    def _security_group(self, vpc_id: pulumi.Input[str]) -> aws.ec2.SecurityGroup:
        """Whom it admits; whom it may reach, each application says."""
        names = self._site.names
        group = aws.ec2.SecurityGroup(
            f"{self._name}-group",
            name_prefix=f"{names.family('balancer')}-",
            description="The load balancer",
            vpc_id=vpc_id,
            tags=self._site.named(names.family("balancer")),
            opts=self._child,
        )
        for port in (_HTTPS, _HTTP):
            for index, clients in enumerate(self._settings.admitted):
                aws.vpc.SecurityGroupIngressRule(
                    f"{self._name}-group-in-{port}-{index}",
                    security_group_id=group.id,
                    cidr_ipv4=clients,
                    ip_protocol="tcp",
                    from_port=port,
                    to_port=port,
                    tags=self._site.tags,
                    opts=self._child,
                )
        return group

    def _certificate(self, wanted: Certificate) -> pulumi.Output[str]:
        """The ARN of a certificate, known once it is validated: a listener takes no other."""
        made = aws.acm.Certificate(
            f"{self._name}-certificate",
            domain_name=wanted.domain,
            subject_alternative_names=list(wanted.alternatives),
            validation_method="DNS",
            tags=self._site.tags,
            opts=self._child,
        )
        records = [
            _validation_record(f"{self._name}-certificate-{_named(domain)}", made, domain, wanted.zone, self)
            for domain in wanted.records
        ]
        valid = aws.acm.CertificateValidation(
            f"{self._name}-certificate-valid",
            certificate_arn=made.arn,
            validation_record_fqdns=[record.fqdn for record in records],
            opts=self._child,
        )
        return pulumi.Output.all(made.arn, valid.id).apply(lambda known: str(known[0]))

    def _access_logs(self) -> tuple[pulumi.Output[str], list[pulumi.Resource]]:
        """The name of a private bucket that forgets as log groups do, and what has to be there before it is written
        to."""
        name, site = f"{self._name}-access", self._site
        made = private_bucket(
            name,
            site,
            called=site.names.access_logs,
            policy=lambda bucket: pulumi.Output.all(bucket.arn, site.account).apply(
                lambda known: json.dumps(policies.access_logs(known[0], known[1]), sort_keys=True)
            ),
            # A load balancer delivers to no bucket that is encrypted with a key of KMS.
            key_arn=None,
            opts=self._child,
        )
        aws.s3.BucketLifecycleConfiguration(
            f"{name}-lifecycle",
            bucket=made.bucket.id,
            rules=[
                {
                    "id": "retention",
                    "status": "Enabled",
                    "filter": {"prefix": ""},
                    "expiration": {"days": site.log_retention_days},
                }
            ],
            opts=self._child,
        )
        return made.bucket.bucket, [*made.ready]


def _named(domain: str) -> str:
    """A domain in the name of a resource."""
    return domain.removeprefix("*.").replace(".", "-")


def _validation_record(
    name: str, certificate: "aws.acm.Certificate", domain: str, zone: str, parent: pulumi.Resource
) -> "aws.route53.Record":
    """The record by which ACM sees that a domain is ours."""

    def of(options: Sequence[Any]) -> Any:
        # Before a certificate is there, what stands for its options names no domain.
        return next((option for option in options if option.domain_name == domain), options[0])

    option = certificate.domain_validation_options.apply(of)
    return aws.route53.Record(
        name,
        zone_id=zone,
        name=option.apply(lambda known: known.resource_record_name),
        type=option.apply(lambda known: known.resource_record_type),
        records=[option.apply(lambda known: known.resource_record_value)],
        ttl=300,
        # ACM asks for the same record for a domain in every certificate of an account.
        allow_overwrite=True,
        opts=pulumi.ResourceOptions(parent=parent),
    )


def target_groups(
    name: str,
    place: Place,
    *,
    application: str,
    traffic: Traffic,
    colours: Sequence[str],
    opts: pulumi.ResourceOptions,
) -> "dict[str, aws.lb.TargetGroup]":
    """A target group of each colour; ECS brings the tasks in and out."""
    health = traffic.health_check
    return {
        colour: aws.lb.TargetGroup(
            f"{name}-{colour}",
            name=place.site.names.target_group(application, colour),
            port=TARGET_PORT,
            protocol="HTTP",
            target_type="ip",
            vpc_id=place.vpc_id,
            deregistration_delay=traffic.drain,
            health_check={
                "path": health.path,
                "matcher": health.codes,
                "interval": health.interval,
                "timeout": health.timeout,
                "healthy_threshold": health.healthy,
                "unhealthy_threshold": health.unhealthy,
            },
            tags=place.site.named(f"{place.site.names.family(application)}-{colour}"),
            opts=opts,
        )
        for colour in colours
    }


def admit_balancer(
    name: str, place: Place, balancer: Balancer, *, tasks: pulumi.Input[str], port: int, opts: pulumi.ResourceOptions
) -> list[pulumi.Resource]:
    """The rules by which the load balancer, and nobody else through it, reaches tasks on one port."""
    admitted: list[pulumi.Resource] = [
        fargate.admit(f"{name}-balancer-in", place, tasks, balancer.security_group_id, port, opts=opts)
    ]
    if balancer.address:
        admitted.append(
            aws.vpc.SecurityGroupEgressRule(
                f"{name}-balancer-out",
                security_group_id=balancer.security_group_id,
                referenced_security_group_id=tasks,
                ip_protocol="tcp",
                from_port=port,
                to_port=port,
                tags=place.site.tags,
                opts=opts,
            )
        )
    return admitted


def point(name: str, address: Address, zone: str, hosts: Sequence[str], *, opts: pulumi.ResourceOptions) -> None:
    """Records in a hosted zone by which hosts lead to the load balancer."""
    for host in hosts:
        aws.route53.Record(
            f"{name}-{_named(host)}",
            zone_id=zone,
            name=host,
            type="A",
            aliases=[{"name": address.dns_name, "zone_id": address.dns_zone, "evaluate_target_health": True}],
            opts=opts,
        )
