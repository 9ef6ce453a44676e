"""AWS STS as far as a collector asks it: the session of a role, for whoever may assume that role.

Form of requests and answers: AWS Security Token Service API Reference, AssumeRole.
"""

import uuid
from collections import Counter
from collections.abc import AsyncGenerator, Mapping, MutableMapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

from proof import sigv4
from proof.sigv4 import Credentials
from proof.web import Answer, Request, serve

VARIABLE: Final = "AWS_ENDPOINT_URL_STS"
"""The variable by which AWS's SDKs find another STS (AWS SDKs and Tools Reference Guide, "Service-specific
endpoints")."""

_NAMESPACE: Final = "https://sts.amazonaws.com/doc/2011-06-15/"
_VERSION: Final = "2011-06-15"


@dataclass(frozen=True)
class Role:
    """A role that may be assumed, as a collector is told of it."""

    arn: str
    external_id: str | None = None


@dataclass(frozen=True)
class Assumed:
    """What was asked of STS: the access keys of the tasks that got sessions, and why others got none."""

    tasks: frozenset[str] = frozenset()
    refused: Mapping[str, int] = field(default_factory=dict[str, int])


class Sts:
    """Knows who may ask (`known`, by access key) and the one role that they may assume; without it none.

    Sessions come into `sessions` by their access key. Each remembers who has assumed the role.
    """

    def __init__(self, known: Mapping[str, Credentials], region: str, role: Role | None) -> None:
        self._known = known
        self._scope = sigv4.Scope(region, "sts")
        self._role = role
        self.sessions: Final[MutableMapping[str, Credentials]] = {}
        self._refused: Counter[str] = Counter()

    @property
    def assumed(self) -> Assumed:
        """What was asked until now."""
        return Assumed(frozenset(one.assumed_by for one in self.sessions.values()), dict(self._refused))

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[int]:
        """Listens on a free loopback port, which is what the context gives, until the context ends."""
        async with serve(self._handle) as port:
            yield port

    async def _handle(self, request: Request) -> Answer:
        try:
            who = sigv4.verify(request, self._known, self._scope)
        except sigv4.RefusedError as error:
            return self._refuse(str(error))
        asked = {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
        if (asked.get("Action"), asked.get("Version")) != ("AssumeRole", _VERSION):
            return self._refuse(f"AccessDenied: {asked.get('Action')} is not AssumeRole of {_VERSION}")
        if self._role is None or self._role != Role(asked.get("RoleArn", ""), asked.get("ExternalId")):
            # As AWS words it: it does not say whether the role or the external id was wrong.
            return self._refuse(f"AccessDenied: not authorized to perform sts:AssumeRole on {asked.get('RoleArn')}")
        unique = uuid.uuid4().hex.upper()
        session = Credentials(f"ASIA{unique[:16]}", uuid.uuid4().hex, f"session-{unique}", assumed_by=who.access_key)
        self.sessions[session.access_key] = session
        return _session(session, self._role.arn, asked["RoleSessionName"], int(asked.get("DurationSeconds", "3600")))

    def _refuse(self, reason: str) -> Answer:
        self._refused[reason] += 1
        code, _, message = reason.partition(": ")
        error = f"<Type>Sender</Type><Code>{code}</Code><Message>{escape(message)}</Message>"
        return _xml(HTTPStatus.FORBIDDEN, f'<ErrorResponse xmlns="{_NAMESPACE}"><Error>{error}</Error></ErrorResponse>')


def _session(session: Credentials, role: str, name: str, seconds: int) -> Answer:
    until = (datetime.now(UTC) + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")
    # Without the path of the role.
    arn = f"{role.partition(':role/')[0].replace(':iam:', ':sts:')}:assumed-role/{role.rpartition('/')[2]}/{name}"
    credentials = (
        f"<AccessKeyId>{session.access_key}</AccessKeyId><SecretAccessKey>{session.secret_key}</SecretAccessKey>"
        f"<SessionToken>{session.session_token}</SessionToken><Expiration>{until}</Expiration>"
    )
    user = f"<Arn>{escape(arn)}</Arn><AssumedRoleId>AROA:{escape(name)}</AssumedRoleId>"
    result = f"<Credentials>{credentials}</Credentials><AssumedRoleUser>{user}</AssumedRoleUser>"
    body = f"<AssumeRoleResult>{result}</AssumeRoleResult>"
    return _xml(HTTPStatus.OK, f'<AssumeRoleResponse xmlns="{_NAMESPACE}">{body}</AssumeRoleResponse>')


def _xml(status: HTTPStatus, body: str) -> Answer:
    return Answer(status, body.encode(), "text/xml")
