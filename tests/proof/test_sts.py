"""The stand-in for STS: who gets a session of which role, and that the session is worth something."""

import asyncio
from urllib.parse import urlencode
from xml.etree import ElementTree

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotoCredentials

from proof.sigv4 import Credentials, RefusedError, Scope, verify
from proof.sts import Assumed, Role, Sts
from proof.web import Answer, Request, fetch
from tests.proof.test_sigv4 import CREDENTIALS, KNOWN, signed

ARN = "arn:aws:iam::123456789012:role/observability/shop-writer"
ROLE = Role(ARN, "shop/1")
ASKED = {
    "Action": "AssumeRole",
    "Version": "2011-06-15",
    "RoleArn": ARN,
    "RoleSessionName": "aws-go-sdk-1",
    "DurationSeconds": "900",
    "ExternalId": "shop/1",
}
NAMES = {"sts": "https://sts.amazonaws.com/doc/2011-06-15/"}


def ask(sts: Sts, asked: dict[str, str], by: Credentials = CREDENTIALS, region: str = "eu-west-1") -> Answer:
    async def answer() -> Answer:
        async with sts.open() as port:
            body = urlencode(asked).encode()
            request = AWSRequest("POST", f"http://127.0.0.1:{port}/", data=body)
            SigV4Auth(BotoCredentials(by.access_key, by.secret_key, by.session_token), "sts", region).add_auth(request)
            return await fetch(port, Request("POST", "/", dict(request.headers.items()), body))

    return asyncio.run(answer())


def test_a_session_signs_as_whoever_asked_for_it() -> None:
    sts = Sts(KNOWN, "eu-west-1", ROLE)
    answer = ask(sts, ASKED)
    assert (answer.status, answer.content_type) == (200, "text/xml")
    found = ElementTree.fromstring(answer.body)
    said = {name: found.findtext(f".//sts:{name}", "", NAMES) for name in ("AccessKeyId", "SecretAccessKey", "Arn")}
    token = found.findtext(".//sts:SessionToken", "", NAMES)
    assert said["Arn"] == "arn:aws:sts::123456789012:assumed-role/shop-writer/aws-go-sdk-1"
    session = Credentials(said["AccessKeyId"], said["SecretAccessKey"], token, assumed_by=CREDENTIALS.access_key)
    assert sts.sessions == {session.access_key: session}
    aps = Scope("eu-west-1", "aps")
    assert verify(signed(by=session), sts.sessions, aps).writer == CREDENTIALS.access_key
    with pytest.raises(RefusedError, match="UnrecognizedClientException"):
        verify(signed(), sts.sessions, aps)
    assert sts.assumed == Assumed(frozenset({CREDENTIALS.access_key}))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"RoleArn": f"{ARN}-2"}, f"AccessDenied: not authorized to perform sts:AssumeRole on {ARN}-2"),
        ({"ExternalId": "shop/2"}, f"AccessDenied: not authorized to perform sts:AssumeRole on {ARN}"),
        ({"ExternalId": ""}, f"AccessDenied: not authorized to perform sts:AssumeRole on {ARN}"),
        ({"Action": "GetCallerIdentity"}, "AccessDenied: GetCallerIdentity is not AssumeRole of 2011-06-15"),
        ({"Version": "2010-05-08"}, "AccessDenied: AssumeRole is not AssumeRole of 2011-06-15"),
    ],
)
def test_another_role_or_another_question_is_refused(change: dict[str, str], reason: str) -> None:
    sts = Sts(KNOWN, "eu-west-1", ROLE)
    answer = ask(sts, ASKED | change)
    assert answer.status == 403
    code = ElementTree.fromstring(answer.body).findtext(".//sts:Code", "", NAMES)
    assert code == "AccessDenied"
    assert sts.assumed == Assumed(frozenset(), {reason: 1})


def test_nobody_becomes_a_role_of_a_stack_that_names_none() -> None:
    assert ask(Sts(KNOWN, "eu-west-1", None), ASKED).status == 403


def test_who_signs_wrongly_is_refused() -> None:
    sts = Sts(KNOWN, "eu-west-1", ROLE)
    assert ask(sts, ASKED, Credentials("ASIAOTHER", "secret", "token")).status == 403
    assert ask(sts, ASKED, region="us-east-1").status == 403
    assert sts.sessions == {}
