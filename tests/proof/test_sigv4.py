"""Signatures made by botocore, and what happens to them on the way."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotoCredentials

from proof.sigv4 import Credentials, RefusedError, Scope, verify
from proof.web import Request

CREDENTIALS = Credentials("ASIAEXAMPLE", "secret", "token/with=signs+")
KNOWN = {CREDENTIALS.access_key: CREDENTIALS}
SCOPE = Scope("eu-west-1", "aps")
URL = "http://127.0.0.1:8080/workspaces/ws-1/api/v1/remote_write"


def signed(url: str = URL, body: bytes = b"body", scope: Scope = SCOPE, by: Credentials = CREDENTIALS) -> Request:
    request = AWSRequest("POST", url, data=body, headers={"Host": urlsplit(url).netloc, "Content-Type": "x"})
    boto = BotoCredentials(by.access_key, by.secret_key, by.session_token)
    SigV4Auth(boto, scope.service, scope.region).add_auth(request)
    parts = urlsplit(url)
    headers = {str(name).lower(): str(value) for name, value in request.headers.items()}
    return Request("POST", parts.path + (f"?{parts.query}" if parts.query else ""), headers, body)


@pytest.mark.parametrize(
    "url",
    [URL, "http://h/", "http://h/a?b=c&a=2&a=1", "http://h/a%20b/c?x=%2F&flag=", "http://h/rules/name%3Awith%3Acolons"],
)
def test_what_botocore_signs_is_accepted(url: str) -> None:
    assert verify(signed(url), KNOWN, SCOPE) == CREDENTIALS


def test_a_header_that_was_not_signed_may_change() -> None:
    request = signed()
    assert verify(replace(request, headers={**request.headers, "user-agent": "other"}), KNOWN, SCOPE)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"body": b"other"}, "SignatureDoesNotMatch"),
        ({"path": "/workspaces/ws-2/api/v1/remote_write"}, "SignatureDoesNotMatch"),
        ({"method": "PUT"}, "SignatureDoesNotMatch"),
    ],
)
def test_tampering_is_refused(change: dict[str, str | bytes], reason: str) -> None:
    with pytest.raises(RefusedError, match=reason):
        verify(replace(signed(), **change), KNOWN, SCOPE)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("authorization", None, "MissingAuthenticationToken"),
        ("authorization", "Basic abc", "MissingAuthenticationToken"),
        ("content-type", "other", "SignatureDoesNotMatch"),
        ("host", "elsewhere", "SignatureDoesNotMatch"),
        ("host", None, "signed header host is missing"),
        ("x-amz-security-token", "other", "session token"),
        ("x-amz-security-token", None, "x-amz-security-token is missing"),
        ("x-amz-content-sha256", "0" * 64, "XAmzContentSHA256Mismatch"),
        ("x-amz-date", "yesterday", "IncompleteSignature"),
    ],
)
def test_changed_headers_are_refused(name: str, value: str | None, reason: str) -> None:
    request = signed()
    headers = {key: text for key, text in request.headers.items() if key != name}
    with pytest.raises(RefusedError, match=reason):
        verify(replace(request, headers=headers | ({name: value} if value else {})), KNOWN, SCOPE)


@pytest.mark.parametrize(
    ("scope", "reason"),
    [(Scope("eu-west-1", "xray"), "signed for xray in eu-west-1"), (Scope("us-east-1", "aps"), "aps in us-east-1")],
)
def test_another_scope_is_named(scope: Scope, reason: str) -> None:
    with pytest.raises(RefusedError, match=reason):
        verify(signed(scope=scope), KNOWN, SCOPE)


def test_unknown_keys_and_wrong_secrets_are_refused() -> None:
    with pytest.raises(RefusedError, match="UnrecognizedClient"):
        verify(signed(by=replace(CREDENTIALS, access_key="ASIAOTHER")), KNOWN, SCOPE)
    with pytest.raises(RefusedError, match="SignatureDoesNotMatch"):
        verify(signed(by=replace(CREDENTIALS, secret_key="guess")), KNOWN, SCOPE)


def test_an_old_signature_is_refused() -> None:
    with pytest.raises(RefusedError, match="RequestExpired"):
        verify(signed(), KNOWN, SCOPE, now=datetime.now(UTC) + timedelta(minutes=6))
