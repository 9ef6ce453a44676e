"""Which product of AWS's price list each price is."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from documents.instances import SIZES
from documents.prices import REQUIRED
from preview import wiring


@dataclass(frozen=True)
class Rule:
    """Which product of an offer a price is: its usage type without the region's prefix, and further attributes.

    `free` of it cost nothing in a month, where the list does not say so. An `optional` one is not sold everywhere.
    """

    offer: str
    usagetype: str
    attributes: Mapping[str, str] = field(default_factory=dict[str, str])
    free: Decimal = Decimal(0)
    optional: bool = False

    def fits(self, product: Mapping[str, Any], region: str) -> bool:
        """Whether a product of the list is the one."""
        attributes = {**wiring.table(product.get("attributes")), "productFamily": product.get("productFamily")}
        name = rf"(?:[A-Z]{{2,4}}\d?-|{region}-)?{re.escape(self.usagetype)}"
        return (
            attributes.get("regionCode") in (None, "", region)
            and re.fullmatch(name, str(attributes.get("usagetype"))) is not None
            and all(attributes.get(key) == value for key, value in self.attributes.items())
        )


_ALB: Final = {"productFamily": "Load Balancer-Application"}
_LINUX: Final = {"operatingSystem": "Linux", "tenancy": "Shared", "preInstalledSw": "NA", "capacitystatus": "Used"}

RULES: Final[Mapping[str, Rule]] = {
    "fargate.x86.vcpu": Rule("AmazonECS", "Fargate-vCPU-Hours:perCPU"),
    "fargate.x86.gigabyte": Rule("AmazonECS", "Fargate-GB-Hours"),
    "fargate.arm.vcpu": Rule("AmazonECS", "Fargate-ARM-vCPU-Hours:perCPU"),
    "fargate.arm.gigabyte": Rule("AmazonECS", "Fargate-ARM-GB-Hours"),
    "fargate.disk": Rule("AmazonECS", "Fargate-EphemeralStorage-GB-Hours"),
    "volume.gp3": Rule("AmazonEC2", "EBS:VolumeUsage.gp3"),
    "nat.hour": Rule("AmazonEC2", "NatGateway-Hours"),
    "nat.gigabyte": Rule("AmazonEC2", "NatGateway-Bytes"),
    "address": Rule("AmazonVPC", "PublicIPv4:InUseAddress"),
    "endpoint.hour": Rule("AmazonVPC", "VpcEndpoint-Hours"),
    "endpoint.gigabyte": Rule("AmazonVPC", "VpcEndpoint-Bytes"),
    "balancer.hour": Rule("AWSELB", "LoadBalancerUsage", _ALB),
    "balancer.unit": Rule("AWSELB", "LCUUsage", _ALB),
    "amp.samples": Rule("AmazonPrometheus", "AMP:MetricSampleCount"),
    "amp.queries": Rule("AmazonPrometheus", "AMP:QuerySamplesProcessed", free=Decimal(200_000_000_000)),
    "amp.storage": Rule("AmazonPrometheus", "AMP:MetricStorageByteHrs"),
    "xray.recorded": Rule("AWSXRay", "XRay-TracesStored", free=Decimal(100_000)),
    "xray.read": Rule("AWSXRay", "XRay-TracesAccessed", free=Decimal(1_000_000)),
    "logs.ingested": Rule("AmazonCloudWatch", "DataProcessing-Bytes", free=Decimal(5)),
    "logs.stored": Rule("AmazonCloudWatch", "TimedStorage-ByteHrs"),
    "alarm": Rule("AmazonCloudWatch", "CW:AlarmMonitorUsage", free=Decimal(10)),
    "metric": Rule("AmazonCloudWatch", "CW:MetricMonitorUsage", free=Decimal(10)),
    "insights.metric": Rule("AmazonCloudWatch", "MetricsUsage", {"operation": "MetricStorage:CI-ECS"}),
    "kms.key": Rule("awskms", "KMS-Keys"),
    "secret": Rule("AWSSecretsManager", "AWSSecretsManager-Secrets"),
    **{f"instance.{kind}": Rule("AmazonEC2", f"BoxUsage:{kind}", _LINUX, optional=True) for kind in SIZES},
}
"""Usage types: AWS's documents on bills, and public programs that read the list. None was tried against the list."""

BY_HAND: Final = frozenset(REQUIRED) - set(RULES)
"""Required prices that are read on AWS's pages and written into the file by a person."""

UNITS: Final[Mapping[str, frozenset[str]]] = {
    "vCPU-hour": frozenset({"hours", "hrs", "vcpu-hours"}),
    "GB-hour": frozenset({"hours", "hrs", "gb-hours"}),
    "hour": frozenset({"hours", "hrs"}),
    "LCU-hour": frozenset({"lcu-hrs"}),
    "GB": frozenset({"gb", "gigabytes"}),
    "GB-month": frozenset({"gb-mo", "gb-month"}),
    "sample": frozenset({"metric datapoints", "metric samples", "samples"}),
    "trace": frozenset({"traces"}),
    "metric-month": frozenset({"metrics", "alarms"}),
    "key-month": frozenset({"keys", "key"}),
    "secret-month": frozenset({"secrets", "secret"}),
}
"""What the list calls our units."""
