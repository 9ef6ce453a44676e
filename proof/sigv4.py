"""AWS Signature Version 4 from the receiving side: would AWS accept this request?

Written after "Signature Version 4 for API requests" (AWS IAM User Guide) and independent of the SDKs that sign.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import quote

from proof.web import Request

_ALGORITHM: Final = "AWS4-HMAC-SHA256"
_AUTHORIZATION: Final = re.compile(
    rf"{_ALGORITHM} Credential=(?P<key>[^/]+)/(?P<day>\d{{8}})/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request, ?"
    r"SignedHeaders=(?P<signed>[a-z0-9;-]+), ?Signature=(?P<signature>[0-9a-f]{64})"
)
_MUST_BE_SIGNED: Final = {"host", "x-amz-date"}
_LARGEST_SKEW: Final = timedelta(minutes=5)


@dataclass(frozen=True)
class Credentials:
    """A key pair with its session token, as a task role gives them. `assumed_by` is the access key that has assumed the
    role that these are of, if that is not a task's own."""

    access_key: str
    secret_key: str
    session_token: str
    assumed_by: str = ""

    @property
    def writer(self) -> str:
        """The access key of the task that uses them."""
        return self.assumed_by or self.access_key


@dataclass(frozen=True)
class Scope:
    """What a signature must have been made for."""

    region: str
    service: str


class RefusedError(Exception):
    """AWS would answer 403; the text is AWS's code for it, with what was seen."""


def verify(
    request: Request, known: Mapping[str, Credentials], scope: Scope, now: datetime | None = None
) -> Credentials:
    """The credentials that signed the request; `known` has them by access key. Raises RefusedError with the reason."""
    found = _AUTHORIZATION.fullmatch(request.headers.get("authorization", ""))
    if not found:
        raise RefusedError("MissingAuthenticationToken: no Signature Version 4 in the request")
    if (found["region"], found["service"]) != (scope.region, scope.service):
        raise RefusedError(
            f"SignatureDoesNotMatch: signed for {found['service']} in {found['region']}, "
            f"should be for {scope.service} in {scope.region}"
        )
    credentials = known.get(found["key"])
    if credentials is None:
        raise RefusedError(f"UnrecognizedClientException: access key {found['key']} is not known")
    signed = found["signed"].split(";")
    _check_time(request, found["day"], now or datetime.now(UTC))
    _check_coverage(request, signed, credentials)
    expected = _signature(request, signed, credentials, found["day"], scope)
    if not hmac.compare_digest(expected, found["signature"]):
        raise RefusedError("SignatureDoesNotMatch: the signature is not that of this request")
    return credentials


def _check_time(request: Request, day: str, now: datetime) -> None:
    stamp = request.headers.get("x-amz-date", "")
    try:
        signed_at = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise RefusedError(f"IncompleteSignature: X-Amz-Date is {stamp!r}") from None
    if not stamp.startswith(day) or abs(now - signed_at) > _LARGEST_SKEW:
        raise RefusedError(f"RequestExpired: signed at {stamp}")


def _check_coverage(request: Request, signed: list[str], credentials: Credentials) -> None:
    missing = _MUST_BE_SIGNED - set(signed)
    if missing:
        raise RefusedError(f"SignatureDoesNotMatch: {', '.join(sorted(missing))} is not signed")
    absent = [name for name in signed if name not in request.headers]
    if absent:
        raise RefusedError(f"SignatureDoesNotMatch: signed header {absent[0]} is missing")
    if request.headers.get("x-amz-security-token") != credentials.session_token:
        raise RefusedError("UnrecognizedClientException: the session token is not that of the key")
    claimed = request.headers.get("x-amz-content-sha256")
    if claimed is not None and claimed != hashlib.sha256(request.body).hexdigest():
        raise RefusedError("XAmzContentSHA256Mismatch: the body is not what was signed")


def _signature(request: Request, signed: list[str], credentials: Credentials, day: str, scope: Scope) -> str:
    to_sign = "\n".join(
        (
            _ALGORITHM,
            request.headers["x-amz-date"],
            f"{day}/{scope.region}/{scope.service}/aws4_request",
            hashlib.sha256(_canonical(request, signed).encode()).hexdigest(),
        )
    )
    key = f"AWS4{credentials.secret_key}".encode()
    for part in (day, scope.region, scope.service, "aws4_request", to_sign):
        key = hmac.digest(key, part.encode(), hashlib.sha256)
    return key.hex()


def _canonical(request: Request, signed: list[str]) -> str:
    path, _, query = request.path.partition("?")
    headers = "".join(f"{name}:{' '.join(request.headers[name].split())}\n" for name in signed)
    # Every service but S3 encodes the path twice, and what arrives is encoded once.
    encoded = quote(path or "/", safe="/~")
    payload = hashlib.sha256(request.body).hexdigest()
    parts = (request.method, encoded, "&".join(sorted(_pairs(query))), headers, ";".join(signed), payload)
    return "\n".join(parts)


def _pairs(query: str) -> list[str]:
    return [pair if "=" in pair else f"{pair}=" for pair in query.split("&") if pair]
