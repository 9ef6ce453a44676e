"""Which cause is named for which answer."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from verify import causes
from verify.causes import Refusal, Signs

ALL = {"role", "endpoint", "plugin", "region", "clock", "credentials", "limit", "service", "request"}


def kind(cause: str) -> str:
    return cause.partition(":")[0]


@pytest.mark.parametrize(
    ("status", "code", "message", "expected"),
    [
        (403, "AccessDeniedException", "User: u is not authorized to perform: aps:QueryMetrics", "role"),
        (403, "", "Forbidden", "role"),
        (400, "AccessDenied", "", "role"),
        (403, "ExpiredTokenException", "The security token included in the request is expired", "credentials"),
        (0, "SSOTokenLoadError", "Error loading SSO Token: Token for default does not exist", "credentials"),
        (0, "UnauthorizedSSOTokenError", "The SSO session associated with this profile has expired", "credentials"),
        (403, "InvalidSignatureException", "Signature expired: 20260101T000000Z is now earlier", "clock"),
        (403, "InvalidSignatureException", "Signature not yet current: 20270101T000000Z", "clock"),
        (403, "RequestTimeTooSkewed", "", "clock"),
        (403, "InvalidSignatureException", "Credential should be scoped to a valid region.", "region"),
        (403, "SignatureDoesNotMatch", "Credential should be scoped to a valid region, not 'x'", "region"),
        (403, "UnrecognizedClientException", "The security token included in the request is invalid.", "credentials"),
        (403, "InvalidSignatureException", "The request signature we calculated does not match", "credentials"),
        (404, "ResourceNotFoundException", "Workspace not found", "endpoint"),
        (400, "ClusterNotFoundException", "Cluster not found.", "endpoint"),
        (429, "ThrottlingException", "Rate exceeded", "limit"),
        (503, "", "", "service"),
        (0, "EndpointConnectionError", 'Could not connect to the endpoint URL: "https://x"', "endpoint"),
        (422, "", "execution error", "request"),
    ],
)
def test_what_aws_answers(status: int, code: str, message: str, expected: str) -> None:
    assert kind(causes.of_refusal(Refusal(status, code, message), "aps:QueryMetrics")) == expected


def test_a_missing_permission_is_named() -> None:
    assert causes.of_refusal(Refusal(403), "aps:ListRules") == "role: your credentials need aps:ListRules"


@given(some.integers(0, 599), some.text(), some.text())
def test_every_answer_has_a_cause_of_a_known_kind(status: int, code: str, message: str) -> None:
    refusal = Refusal(status, code, message)
    assert kind(causes.of_refusal(refusal, "a:b")) in ALL
    assert kind(causes.of_grafana(refusal)) in ALL
    assert kind(causes.of_data_source("p", refusal)) in ALL


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("Plugin not found", "plugin"),
        ("plugin unavailable", "plugin"),
        ("trying to use non-allowed auth method ec2_iam_role", "plugin"),
        ("AccessDeniedException: User is not authorized to perform: xray:GetGroups", "role"),
        ("403 Forbidden", "role"),
        ("dial tcp: lookup aps: no such host", "endpoint"),
        ("Credential should be scoped to a valid region", "region"),
        ("something else", "endpoint"),
    ],
)
def test_what_a_data_source_says(message: str, expected: str) -> None:
    assert kind(causes.of_data_source("grafana-x-ray-datasource", Refusal(400, "", message))) == expected


@pytest.mark.parametrize(
    ("status", "expected"), [(401, "credentials"), (403, "role"), (404, "endpoint"), (502, "service"), (0, "endpoint")]
)
def test_what_grafana_answers(status: int, expected: str) -> None:
    assert kind(causes.of_grafana(Refusal(status))) == expected


@pytest.mark.parametrize(
    ("signs", "expected"),
    [
        (Signs(0, 0, "", False, "g"), "no traffic"),
        (Signs(0, 2, "Exporting failed 403", False, "g"), "task"),
        (Signs(1, 1, "Exporting failed: HTTP status 403 Forbidden", False, "g"), "role"),
        (Signs(1, 1, "dial tcp: lookup aps-workspaces: no such host", False, "g"), "endpoint"),
        (Signs(1, 1, "sample timestamp too old", True, "g"), "clock"),
        (Signs(1, 1, "server returned HTTP status 429", True, "g"), "limit"),
        (Signs(1, 1, "panic", True, "g"), "collector"),
        (Signs(1, 1, "", False, "g"), "no data yet"),
        (Signs(1, 1, "", True, "g"), "no traffic yet"),
    ],
)
def test_why_there_is_no_data(signs: Signs, expected: str) -> None:
    assert kind(causes.of_silence(signs)) == expected


def test_where_to_look_is_named() -> None:
    assert causes.of_silence(Signs(1, 1, "", False, "/ecs/shop-dev/front")).endswith("/ecs/shop-dev/front")


@pytest.mark.parametrize(
    ("refusal", "text"),
    [
        (Refusal(403, "AccessDenied", "no"), "403 AccessDenied: no"),
        (Refusal(0, "", "no"), "no answer: no"),
        (Refusal(500), "500"),
    ],
)
def test_an_answer_reads_well(refusal: Refusal, text: str) -> None:
    assert str(refusal) == text
