"""AWS as the user's own credentials see it."""

import asyncio
import json
import ssl
from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import asynccontextmanager
from functools import cache
from typing import Any, Final, cast
from urllib.parse import parse_qsl, quote

import botocore.session
import httpx
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from proof.prometheus import Prometheus, QueryError
from verify import causes
from verify.causes import Refusal

_SETTINGS: Final = Config(connect_timeout=5, read_timeout=30, retries={"mode": "standard", "max_attempts": 2})

_ACTIONS: Final[Mapping[str, str]] = {"amp": "aps"}
"""Prefixes of IAM actions that are not the name of the service in botocore."""


@cache
def _trust() -> ssl.SSLContext:
    # Reading all authorities takes a tenth of a second, and once is enough.
    return httpx.create_ssl_context()


def client(auth: httpx.Auth | None = None) -> httpx.AsyncClient:
    """What asks an HTTP API that botocore does not know."""
    return httpx.AsyncClient(timeout=30.0, verify=_trust(), auth=auth)


class RefusedError(Exception):
    """A question was not answered; the text is the answer, `cause` the likely reason."""

    def __init__(self, refusal: Refusal, cause: str) -> None:
        super().__init__(str(refusal))
        self.refusal = refusal
        self.cause = cause


class Aws:
    """One region of the account that the credentials belong to. Raises RefusedError for what is not answered."""

    def __init__(self, region: str, profile: str | None = None) -> None:
        try:
            self._session = botocore.session.Session(profile=profile)
            credentials = self._session.get_credentials()
            if credentials:
                # An expired login shows only when keys are asked for, which would be in the middle of a question.
                credentials.get_frozen_credentials()
        except BotoCoreError as error:
            raise _no_credentials(str(error)) from error
        if credentials is None:
            raise _no_credentials("AWS has none for you here")
        self._credentials = credentials
        self._clients: dict[str, Any] = {}
        self.region: Final = region

    async def ask(self, service: str, operation: str, **parameters: Any) -> Mapping[str, Any]:
        """The answer to one operation, in a thread: botocore waits for it."""
        return await asyncio.to_thread(self._ask, service, operation, parameters)

    def _ask(self, service: str, operation: str, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        api = self._client(service)
        try:
            if api.can_paginate(operation):
                return api.get_paginator(operation).paginate(**parameters).build_full_result()
            return getattr(api, operation)(**parameters)
        except ClientError as error:
            answer: Mapping[str, Any] = error.response
            told = answer.get("Error", {})
            status = int(answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
            refusal = Refusal(status, str(told.get("Code", "")), str(told.get("Message", "")))
            action = f"{_ACTIONS.get(service, service)}:{api.meta.method_to_api_mapping[operation]}"
            raise RefusedError(refusal, causes.of_refusal(refusal, action)) from error
        except BotoCoreError as error:
            refusal = Refusal(0, type(error).__name__, str(error))
            raise RefusedError(refusal, causes.of_refusal(refusal, "")) from error

    def _client(self, service: str) -> Any:
        # Making one reads the model of the whole API.
        if service not in self._clients:
            self._clients[service] = self._session.create_client(service, region_name=self.region, config=_SETTINGS)
        return self._clients[service]

    @asynccontextmanager
    async def workspace(self, url: str) -> AsyncGenerator["Workspace"]:
        """The AMP workspace whose base URL is given."""
        async with client(auth=_Signed(self._credentials, self.region)) as http:
            yield Workspace(url, http)


class Workspace(Prometheus):
    """An AMP workspace: the Prometheus API, and that of its Alertmanager. Raises RefusedError beside QueryError."""

    async def _get(self, what: str, parameters: Mapping[str, Any]) -> Any:
        try:
            return await super()._get(what, parameters)
        except QueryError as error:
            if isinstance(error.__cause__, httpx.TransportError):
                raise _unreached(error.__cause__) from error
            raise

    async def alertmanager(self) -> Mapping[str, Any]:
        """The state of its Alertmanager, with the configuration that it runs."""
        try:
            answer = await self._client.get(f"{self.url}/alertmanager/api/v2/status")
        except httpx.TransportError as error:
            raise _unreached(error) from error
        return answer.json()


class _Signed(httpx.Auth):
    """Signs requests to AMP, and turns AMP's refusals into RefusedError.

    What Prometheus itself says against a query passes: it is JSON with a `status`.
    """

    requires_response_body = True

    def __init__(self, credentials: Any, region: str) -> None:
        self._signer = SigV4Auth(credentials, "aps", region)

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response]:
        """The signed request; its answer is looked at."""
        # AWS signs a query in its strictest form, and takes a request for what it would have signed.
        pairs = parse_qsl(request.url.query.decode(), keep_blank_values=True)
        query = "&".join(f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}" for name, value in pairs)
        request.url = request.url.copy_with(query=query.encode() or None)
        signed = AWSRequest(request.method, str(request.url), data=request.content or b"")
        self._signer.add_auth(signed)
        request.headers.update(dict(signed.headers.items()))
        response = yield request
        if response.is_error and not _of_prometheus(response):
            refusal = _refusal(response)
            raise RefusedError(refusal, causes.of_refusal(refusal, _permission(request.url.path)))


def _permission(path: str) -> str:
    """The IAM action of a path of AMP's (Amazon Managed Service for Prometheus User Guide, "Prometheus-compatible
    APIs")."""
    if "/alertmanager/" in path:
        return "aps:GetAlertManagerStatus"
    for ending, action in (("/rules", "ListRules"), ("/values", "GetLabels"), ("/series", "GetSeries")):
        if path.endswith(ending):
            return f"aps:{action}"
    return "aps:QueryMetrics"


def _of_prometheus(response: httpx.Response) -> bool:
    told = _json(response)
    return "status" in told and "error" in told


def _refusal(response: httpx.Response) -> Refusal:
    told = _json(response)
    message = told.get("message") or told.get("Message") or response.text[:200]
    code = response.headers.get("x-amzn-errortype", "").partition(":")[0]
    return Refusal(response.status_code, code, str(message))


def _json(response: httpx.Response) -> Mapping[str, Any]:
    try:
        told = json.loads(response.content)
    except ValueError:
        return {}
    return cast("dict[str, Any]", told) if isinstance(told, dict) else {}


def _unreached(error: httpx.TransportError) -> RefusedError:
    refusal = Refusal(0, type(error).__name__, str(error))
    return RefusedError(refusal, causes.of_refusal(refusal, ""))


def _no_credentials(text: str) -> RefusedError:
    return RefusedError(Refusal(0, "", text), "credentials: run `aws configure` or `aws sso login`, or set AWS_PROFILE")
