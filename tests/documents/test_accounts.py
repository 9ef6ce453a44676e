"""Several accounts: what a stack file may say of them, every fault, and what both sides' policies say."""

from fnmatch import fnmatchcase
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some
from pydantic import ValidationError

from documents import accounts, policies, roles
from documents.catalogue import Pattern
from documents.central import Accounts, Central, Writers
from documents.collector import CollectorInputs, configuration, scraper, to_yaml
from documents.environment import warnings as warned
from documents.faults import Fault, collect
from documents.model import Model
from documents.names import Names
from documents.network import Account, Uses, endpoints
from documents.signals import Signals, TraceEndpoint, Traces
from tests import judges
from tests.test_settings import faults, loaded

WORKSPACE = "arn:aws:aps:eu-west-1:123456789012:workspace/ws-12345678-1234-1234-1234-123456789012"
ROLE = "arn:aws:iam::123456789012:role/observability/shop-writer"
CENTRAL = Central(workspace=WORKSPACE, role=ROLE)
WITH_TRACES = Central(workspace=WORKSPACE, role=ROLE, external_id="shop/1", traces=True)
NAMES = Names("shop", "dev")
GIVEN = {"workspace": WORKSPACE, "role": ROLE}
WRITERS = {"roles": ["arn:aws:iam::123456789012:role/shop-dev-*-task"]}
OFF = {"enabled": False}


def test_the_arn_says_where_the_workspace_is() -> None:
    assert (CENTRAL.account, CENTRAL.region) == ("123456789012", "eu-west-1")
    assert CENTRAL.endpoint == (
        "https://aps-workspaces.eu-west-1.amazonaws.com/workspaces/ws-12345678-1234-1234-1234-123456789012/"
    )


def test_a_stack_without_other_accounts() -> None:
    found = loaded()
    assert found.accounts == Accounts()
    assert found.owns_rules
    assert warned(found) == warned(loaded(accounts={}))


def test_what_the_other_account_has_to_do_is_said() -> None:
    found = loaded(accounts={"central": GIVEN}, grafana=OFF)
    assert not found.owns_rules
    assert found.signals.central == CENTRAL
    [text] = [text for text in warned(found) if text.startswith("accounts.central: ")]
    assert "account 123456789012 has to have the role of build/<stack>/central/role.json" in text


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        (
            {"central": {"workspace": "ws-1", "role": "shop", "externalId": "$", "trace": True}},
            [
                "accounts.central.workspace: is not the ARN of an AMP workspace (got 'ws-1'); write it as "
                "arn:aws:aps:eu-west-1:123456789012:workspace/ws-12345678-1234-1234-1234-123456789012",
                "accounts.central.role: is not the ARN of an IAM role (got 'shop'); write it as "
                "arn:aws:iam::123456789012:role/name",
                "accounts.central.externalId: is not an external id (got '$'); use 2 to 1224 letters, digits and "
                "_ + = , . @ : / -",
                "accounts.central.trace: is not a known key; did you mean 'traces'?",
            ],
        ),
        ({"central": {}}, ["accounts.central.workspace: is missing; give it a value",
                           "accounts.central.role: is missing; give it a value"]),
        (
            {"writers": {"roles": ["arn:aws:iam::123456789012:role/*"], "organization": "acme"}},
            [
                "accounts.writers.roles.0: is every role of an account (got 'arn:aws:iam::123456789012:role/*'); name "
                "those of one stack: its build/<stack>/central/role.json does",
                "accounts.writers.organization: is not the id of an organization (got 'acme'); write it as "
                "o-a1b2c3d4e5",
            ],
        ),
        (
            {"writers": {"roles": ["arn:aws:iam::*:role/shop", "*"]}},
            [
                f"accounts.writers.roles.{index}: is not the ARN of roles of one account (got {got!r}); write it as "
                "arn:aws:iam::123456789012:role/project-stack-*-task"
                for index, got in enumerate(("arn:aws:iam::*:role/shop", "*"))
            ],
        ),
        ({"writers": {"roles": []}}, [
                "accounts.writers.roles: names nobody (got a list); give the task roles of a stack of another account, "
                "or leave the writers out"
            ]),
    ],
    ids=["central", "nothing", "everybody", "other forms", "nobody"],
)  # fmt: skip
def test_faults_of_one_key(values: dict[str, Any], texts: list[str]) -> None:
    assert faults(accounts=values, grafana=OFF) == texts


def test_all_that_a_central_account_excludes_is_said_at_once() -> None:
    found = faults(
        accounts={
            "central": GIVEN
            | {"workspace": WORKSPACE.replace("eu-west-1", "us-east-1"), "role": ROLE.replace("2:role", "3:role")},
            "writers": WRITERS,
        },
        existing={"metrics": CENTRAL.workspace_id},
        alerts={
            "subscriptions": [
                {"email": "people@example.com"},
                {"pagerduty": {"secretArn": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:pager-AbCdEf"}},
            ]
        },
    )
    assert found == [
        "accounts.central.workspace: is in us-east-1, and the stack in eu-west-1 (got "
        "'arn:aws:aps:us-east-1:123456789012:workspace/ws-12345678-1234-1234-1234-1234...); give one of the "
        "stack's region, where its traces are and "
        "where endpoints of a closed network lead",
        "accounts.central.role: is of another account than the workspace, which it could not write to (got "
        f"{ROLE.replace('2:role', '3:role')!r}); give a role of 123456789012",
        "alerts.subscriptions.1.pagerduty: is told by the Alertmanager of the workspace, which is another account's; "
        "give PagerDuty's address as https, which CloudWatch alarms reach, or leave it out",
        "accounts.writers: may write to the workspace of this stack, which has none: its metrics go to "
        "accounts.central; leave one of the two out",
        "existing.metrics: is a second workspace beside that of accounts.central, and collectors write to one (got "
        f"{CENTRAL.workspace_id!r}); leave one of the two out",
        "grafana.enabled: has Grafana ask this account, and the metrics are in that of accounts.central; turn it off, "
        "and show the dashboards of build/<stack>/central there (docs/accounts.md)",
    ]


def test_settings_of_the_workspace_are_made_where_it_is() -> None:
    values = {"retentionDays": 30, "maxSeries": 10, "intervalSeconds": 30}
    assert faults(accounts={"central": GIVEN}, grafana=OFF, metrics=values) == [
        f"metrics.{key}: is a setting of the workspace, which is another account's (got {values[key]}); leave it out"
        for key in ("retentionDays", "maxSeries")
    ]


@given(some.text(), some.sampled_from([(Central, "workspace"), (Central, "externalId"), (Writers, "roles")]))
def test_whatever_is_written_there_is_judged(text: str, key: tuple[type[Model], str]) -> None:
    model, name = key
    found: list[Fault] = []
    value = {**GIVEN, name: text} if model is Central else {name: [text]}
    made = collect(found, lambda: model.model_validate(value), model, "accounts")
    assert (made is None) == bool(found)
    # The collector would take what follows it for a variable.
    assert made is None or "$" not in text


def collectors(central: Central, traces: Traces) -> dict[str, Any]:
    """The configurations of everything that writes, by name."""
    shared = {"memory": 512, "queue": 64, "interval_seconds": 60, "signals": Signals(central=central, traces=traces)}
    return {
        "sidecar": configuration(CollectorInputs(Pattern.SIDECAR, NAMES.origin("web"), **shared)),
        "service": configuration(CollectorInputs(Pattern.SERVICE, NAMES.origin("collector"), **shared)),
        "scraper": scraper(CollectorInputs(Pattern.SERVICE, NAMES.origin("scraper"), **shared)),
    }


def test_all_metrics_are_signed_as_the_role() -> None:
    for name, document in collectors(CENTRAL, Traces()).items():
        signer = {"region": "${env:AWS_REGION}", "service": "aps", "assume_role": {"arn": ROLE}}
        assert document["extensions"]["sigv4auth"] == signer, name
        writing = {key: each for key, each in document["exporters"].items() if key.startswith("prometheus_remote")}
        assert {each["auth"]["authenticator"] for each in writing.values()} == {"sigv4auth"}
        if name != "scraper":
            assert document["exporters"]["awsxray"] == {"region": "${env:AWS_REGION}", "max_retries": 100}
        assert "A collector that may not become it does not start." in " ".join(
            line.strip(" #") for line in to_yaml(document).splitlines()
        )


def test_traces_too_if_they_are_asked_for() -> None:
    for endpoint in TraceEndpoint:
        found = collectors(WITH_TRACES, Traces(endpoint=endpoint))
        for document in (found["sidecar"], found["service"]):
            assumed = {"arn": ROLE, "external_id": "shop/1"}
            assert document["extensions"]["sigv4auth"]["assume_role"] == assumed
            if endpoint is TraceEndpoint.OTLP:
                assert document["extensions"]["sigv4auth/xray"]["assume_role"] == assumed
            else:
                exporter = document["exporters"]["awsxray"]
                assert (exporter["role_arn"], exporter["external_id"]) == (ROLE, "shop/1")


def test_a_role_has_no_variable_in_its_path() -> None:
    with pytest.raises(ValidationError, match="is not the ARN of an IAM role"):
        Central(workspace=WORKSPACE, role="arn:aws:iam::123456789012:role/a$b/writer", traces=True)


def test_tasks_may_become_the_role_and_nothing_else() -> None:
    become = {"Sid": "WriteAsCentralRole", "Effect": "Allow", "Action": "sts:AssumeRole", "Resource": ROLE}
    assert policies.telemetry_write(WORKSPACE, Traces(), WITH_TRACES) == [become]
    own = policies.telemetry_write(WORKSPACE, Traces())
    assert policies.telemetry_write(WORKSPACE, Traces(), CENTRAL) == [become, own[1]]
    assert policies.scrape(WORKSPACE, "cluster", "tasks", CENTRAL)[0] == become


def test_the_template_makes_the_role_for_these_tasks_alone() -> None:
    pattern = NAMES.task_roles("aws", "123456789012", "/apps/")
    given_role = "arn:aws:iam::123456789012:role/shop/storefront"
    template = accounts.role_template(WITH_TRACES, {pattern, given_role}, Traces(endpoint=TraceEndpoint.OTLP))
    assert template["Resources"]["Writer"] == {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "RoleName": "shop-writer",
            "Path": "/observability/",
            "AssumeRolePolicyDocument": {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Principal": {"AWS": ["arn:aws:iam::123456789012:root"]},
                        "Action": "sts:AssumeRole",
                        "Condition": {
                            "ArnLike": {
                                "aws:PrincipalArn": [
                                    "arn:aws:iam::123456789012:role/apps/shop-dev-*-task",
                                    "arn:aws:iam::123456789012:role/shop/storefront",
                                ]
                            },
                            "StringEquals": {"sts:ExternalId": "shop/1"},
                        },
                    }
                ],
            },
            "Policies": [
                {
                    "PolicyName": "permissions",
                    "PolicyDocument": {
                        "Version": "2012-10-17",
                        "Statement": [
                            {
                                "Sid": "WriteMetrics",
                                "Effect": "Allow",
                                "Action": "aps:RemoteWrite",
                                "Resource": WORKSPACE,
                            },
                            {
                                "Sid": "WriteTraces",
                                "Effect": "Allow",
                                "Action": ["xray:PutSpans", "xray:PutSpansForIndexing", "xray:PutTraceSegments"],
                                "Resource": "*",
                            },
                        ],
                    },
                }
            ],
        },
    }


def test_without_traces_the_role_may_write_metrics_only() -> None:
    template = accounts.role_template(CENTRAL, [NAMES.task_roles("aws", "123456789012", "/")], Traces())
    [policy] = template["Resources"]["Writer"]["Properties"]["Policies"]
    assert [each["Sid"] for each in policy["PolicyDocument"]["Statement"]] == ["WriteMetrics"]
    assert judges.policy(policy["PolicyDocument"]) == []
    [trust] = template["Resources"]["Writer"]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert "StringEquals" not in trust["Condition"]


def test_task_roles_of_every_kind_are_meant_and_no_others() -> None:
    pattern = NAMES.task_roles("aws", "123456789012", "/apps/")
    arn = "arn:aws:iam::123456789012:role/apps/"
    for service in ("web", "collector", "scraper"):
        assert fnmatchcase(arn + NAMES.role(service, "task"), pattern)
    for other in (NAMES.role("web", "execution"), Names("shop", "prod").role("web", "task"), NAMES.writer_role):
        assert not fnmatchcase(arn + other, pattern)


def test_an_organization_is_one_more_condition() -> None:
    [statement] = policies.writers_trust(
        ["arn:aws:iam::123456789012:role/a", "arn:aws:iam::123456789012:role/b"], organization="o-a1b2c3d4e5"
    )["Statement"]
    assert statement["Principal"] == {"AWS": ["arn:aws:iam::123456789012:root"]}
    assert statement["Condition"]["StringEquals"] == {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}


@pytest.mark.parametrize(
    ("arn", "path"),
    [
        ("arn:aws:iam::123456789012:role/writer", "/"),
        ("arn:aws:iam::123456789012:role/a/writer", "/a/"),
        ("arn:aws:iam::123456789012:role/a/b/writer", "/a/b/"),
    ],
)
def test_the_path_of_a_role(arn: str, path: str) -> None:
    assert roles.path_of(arn) == path


def test_a_closed_network_has_a_way_to_sts_and_lets_the_central_account_write() -> None:
    """Who writes is the role of that account, so an endpoint for this one's principals would refuse it."""
    account = Account("<account>", "aws", "eu-west-1", NAMES, "unused")
    found = endpoints(Uses(central=WITH_TRACES), account)
    assert found["sts"]["Statement"] == [
        {
            "Sid": "WriteAsCentralRole",
            "Effect": "Allow",
            "Principal": "*",
            "Action": "sts:AssumeRole",
            "Resource": ROLE,
            "Condition": {"StringEquals": {"aws:PrincipalAccount": "<account>"}},
        }
    ]
    for name, resource in (("aps-workspaces", WORKSPACE), ("xray", "*")):
        [statement] = found[name]["Statement"]
        assert statement["Resource"] == resource
        assert statement["Condition"] == {"StringEquals": {"aws:PrincipalAccount": "123456789012"}}
    own = endpoints(Uses(central=CENTRAL), account)
    assert own["xray"] == endpoints(Uses(), account)["xray"]
    assert "sts" not in endpoints(Uses(), account)
