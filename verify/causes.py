"""What is likely to be wrong, told from an answer: role, endpoint, plugin, region, clock, credentials, no traffic yet.

Codes and texts are those of "Common error types" in the API references of AMP, X-Ray, CloudWatch and AWS STS, of "IAM
User Guide, Troubleshoot Signature Version 4", and of Grafana's plugin SDK for AWS (`awsauth`).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Refusal:
    """An answer that is none. `status` is HTTP's, 0 where nobody answered; `code` and `message` are the service's."""

    status: int
    code: str = ""
    message: str = ""

    def __str__(self) -> str:
        text = " ".join(filter(None, (str(self.status or ""), self.code))) or "no answer"
        return f"{text}: {self.message}" if self.message else text


_EXPIRED: Final = "credentials: yours have expired; log in again, for instance with `aws sso login`"
_CLOCK: Final = "clock: the request's time is more than 5 minutes off; set the clock of this machine"
_REGION: Final = "region: the request was signed for another region than the endpoint's; compare aws:region with it"
_UNKNOWN: Final = "credentials: AWS does not know yours; check AWS_PROFILE, and the partition of the region"
_SIGNATURE: Final = "credentials: the secret key is not that of the access key, or a proxy changes requests on the way"
_GONE: Final = "endpoint: it is not there; it was removed by hand, or you look into another account or region"
_LIMIT: Final = "limit: the service asks for fewer requests; try again in a minute"
_TROUBLE: Final = "service: it has trouble of its own; try again, and see the AWS Health Dashboard"
_UNREACHED: Final = "endpoint: nobody answers there; check network, proxy and DNS of this machine"

_TEXTS: Final[Sequence[tuple[str, str]]] = (
    (r"unrecognizedclient|invalidclienttokenid|missingauthenticationtoken|security token .* is invalid", _UNKNOWN),
    (r"expired ?token|token (included in the request )?(is|has) expired", _EXPIRED),
    (r"(sso|session|token).*(expired|invalid)|token.*does not exist", _EXPIRED),
    (r"requesttimetooskewed|signature expired|signature not yet current|requestexpired", _CLOCK),
    (r"scoped to a valid region|valid region, not", _REGION),
    (r"signaturedoesnotmatch|invalidsignature", _SIGNATURE),
    (r"throttl|toomanyrequests|limitexceeded|rate exceeded", _LIMIT),
    (r"no such host|name or service not known|could not connect|connection refused|context deadline", _UNREACHED),
    (r"notfound|does not exist", _GONE),
)
"""The first that is found in code and message, in lower case, decides."""


def of_refusal(refusal: Refusal, permission: str) -> str:
    """Why AWS does not answer a question of yours. `permission` is the IAM action that the question needs."""
    if cause := _told(refusal):
        return cause
    if refusal.status in (401, 403) or "denied" in refusal.code.lower():
        return f"role: your credentials need {permission}"
    return _by_status(refusal.status)


def of_grafana(refusal: Refusal) -> str:
    """Why Grafana's own API does not answer a question of yours."""
    match refusal.status:
        case 401:
            return "credentials: the token has expired or Grafana does not know it yet; try again"
        case 403:
            return (
                "role: the service account of the stack has lost its role ADMIN, and `make deploy` gives it back; or "
                "the workspace admits no requests from here, see grafana.networkAccess"
            )
        case _:
            return _told(refusal) or _by_status(refusal.status)


def of_data_source(plugin: str, refusal: Refusal) -> str:
    """Why a data source of the workspace is not healthy: there Grafana asks, with the role of its workspace."""
    text = _text(refusal)
    if "plugin" in text and re.search(r"not (found|registered|installed)|unavailable", text):
        return missing_plugin(plugin)
    if re.search(r"non-allowed auth|unknown auth type", text):
        return "plugin: this Grafana does not allow the way of signing that the data source is told to use"
    if re.search(r"denied|not authori[sz]ed|forbidden|403", text):
        return (
            "role: that of the Grafana workspace may not read there; see the policy grafana-workspace of the stack, or "
            "existing/grafana-role.json where the workspace is not the stack's"
        )
    return _told(refusal) or "endpoint: compare the address and the region of the data source with the stack's outputs"


def missing_plugin(plugin: str) -> str:
    """Why a data source has no plugin, and what to do."""
    return f"plugin: {plugin} is not installed; install it under Administration, Plugins, or with `make deploy`"


@dataclass(frozen=True)
class Signs:
    """What is known about a metric that nobody seems to write.

    `running` and `desired` are tasks of the stack; `log` is an error line of a collector, empty where there is none;
    `collectors` is whether any collector writes its own figures; `group` is the log group to look into.
    """

    running: int
    desired: int
    log: str
    collectors: bool
    group: str


def of_silence(signs: Signs) -> str:
    """Why there is no data where there should be some."""
    if signs.desired == 0:
        return "no traffic: the stack runs no task (desiredCount is 0)"
    if signs.running == 0:
        return "task: none runs; the events of the ECS services say why"
    if signs.log:
        return _of_log(signs.log)
    if not signs.collectors:
        return (
            "no data yet: no collector has written; the first samples take about three minutes after a deployment, "
            f"after that see the log group {signs.group}"
        )
    return "no traffic yet: collectors write, the application does not; send it a request and wait for two minutes"


def _of_log(line: str) -> str:
    """A collector's own words about the back end."""
    text = line.lower()
    if re.search(r"\b403\b|accessdenied|not authori[sz]ed", text):
        return "role: the task role may not write (aps:RemoteWrite, xray:PutTraceSegments); the collector is refused"
    if re.search(r"no such host|dial tcp|connection refused|i/o timeout", text):
        return "endpoint: the collector does not reach the back end; the task needs a public address or a NAT gateway"
    if re.search(r"too old|out of bounds|too far|future", text):
        return "clock: the back end refuses samples for their time"
    if re.search(r"\b429\b|limit|throttl", text):
        return "limit: the workspace takes no more; see metrics.maxSeries and AMP's quotas"
    return "collector: it says why in its log"


def _told(refusal: Refusal) -> str:
    text = _text(refusal)
    return next((cause for pattern, cause in _TEXTS if re.search(pattern, text)), "")


def _text(refusal: Refusal) -> str:
    return f"{refusal.code} {refusal.message}".lower()


def _by_status(status: int) -> str:
    match status:
        case 0:
            return _UNREACHED
        case 404:
            return _GONE
        case 429:
            return _LIMIT
        case _ if status >= 500:
            return _TROUBLE
        case _:
            return "request: the service does not take the question; see its answer"
