"""Names on AWS and their limits, which botocore's models state as well."""

import re

import botocore.session
import pytest
from hypothesis import given
from hypothesis import strategies as some
from pydantic_core import PydanticCustomError

from documents.names import Names, application_name

NAMES = Names("shop", "dev")


def test_every_name() -> None:
    assert NAMES.prefix == "shop-dev"
    assert NAMES.namespace == "dev.shop.internal"
    assert NAMES.family("web") == "shop-dev-web"
    assert NAMES.role("web", "task") == "shop-dev-web-task"
    assert NAMES.log_group("web") == "/ecs/shop-dev/web"
    assert NAMES.address("web") == "web.dev.shop.internal"
    assert NAMES.faults({0: "web"}) == []


@pytest.mark.parametrize("name", ["a", "web", "web-2", "a1", "x" * 63])
def test_names_that_aws_takes(name: str) -> None:
    assert application_name(name) == name
    session = botocore.session.Session()
    for service, operation, member, value in (
        ("ecr", "CreateRepository", "repositoryName", f"{NAMES.prefix}/{name}"),
        ("servicediscovery", "CreateService", "Name", name),
        ("iam", "CreateRole", "RoleName", NAMES.role(name[:40], "execution")),
        ("logs", "CreateLogGroup", "logGroupName", NAMES.log_group(name)),
        ("grafana", "CreateWorkspace", "workspaceName", NAMES.prefix),
        ("grafana", "CreateWorkspaceServiceAccount", "name", NAMES.prefix),
        ("servicediscovery", "CreatePrivateDnsNamespace", "Name", NAMES.namespace),
    ):
        shape = session.get_service_model(service).operation_model(operation).input_shape
        assert shape is not None
        rules = shape.members[member].metadata  # pyright: ignore[reportAttributeAccessIssue]
        assert re.fullmatch(rules.get("pattern", ".*"), value), (service, value)
        assert rules.get("min", 0) <= len(value) <= rules.get("max", 255), (service, value)


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("", "is not a name that ECS, Cloud Map and IAM all accept"),
        ("Web", "is not a name that ECS, Cloud Map and IAM all accept"),
        ("2web", "is not a name that ECS, Cloud Map and IAM all accept"),
        ("web-", "is not a name that ECS, Cloud Map and IAM all accept"),
        ("-web", "is not a name that ECS, Cloud Map and IAM all accept"),
        ("web_api", "is not a name that ECS, Cloud Map and IAM all accept"),
        ("web.api", "is not a name that ECS, Cloud Map and IAM all accept"),
        ("web api", "is not a name that ECS, Cloud Map and IAM all accept"),
        ("web\n", "is not a name that ECS, Cloud Map and IAM all accept"),
        ("größe", "is not a name that ECS, Cloud Map and IAM all accept"),
        ("٣", "is not a name that ECS, Cloud Map and IAM all accept"),
        ("collector", "is the name of something of ours"),
        ("drain", "is the name of something of ours"),
        ("scraper", "is the name of something of ours"),
        ("log-router", "is the name of something of ours"),
        ("x" * 64, "is too long for a DNS name"),
        ("x" * 200, "is too long for a DNS name"),
    ],
)
def test_names_that_aws_refuses(name: str, problem: str) -> None:
    with pytest.raises(PydanticCustomError) as caught:
        application_name(name)
    assert caught.value.message() == problem


@pytest.mark.parametrize(
    "refused", ["shop-Dev", "shop-dev_eu", "shop-dev.eu", "shop-dev-", "shop-dév", "shop-", "2shop-dev", "sg-dev"]
)
def test_stacks_that_make_no_name(refused: str) -> None:
    [fault] = Names(*refused.split("-", 1)).faults({})
    assert str(fault) == (
        f"stack: project and stack make a name that AWS refuses (got {refused!r}); "
        "use lower-case letters, digits and hyphens, a letter first and not sg-"
    )


def test_the_longest_role_of_an_application() -> None:
    longest = "a" * (64 - len("shop-dev--execution"))
    assert len(NAMES.role(longest, "execution")) == 64
    assert NAMES.faults({3: longest}) == []
    [fault] = NAMES.faults({3: f"{longest}a"})
    assert str(fault) == (
        f"applications.3.name: makes the role name 'shop-dev-{longest}a-execution' of 65 characters, "
        f"and IAM takes 64 (got {f'{longest}a'!r}); shorten it by 1"
    )


def test_the_longest_stack() -> None:
    """Judged for Grafana and the collector service even where neither is used: turning them on is one word."""
    longest = "s" * (40 - len("shop-"))
    assert Names("shop", longest).faults({}) == []
    assert len(Names("shop", longest).role("collector", "execution")) <= 64
    assert len(Names("shop", longest).role("grafana", "workspace")) <= 64
    [fault] = Names("shop", f"{longest}ss").faults({})
    assert str(fault) == (
        "stack: makes a name of 42 characters, and a Grafana folder takes 40 "
        f"(got {f'shop-{longest}ss'!r}); shorten it by 2"
    )


@given(some.text("abcdefghijklmnopqrstuvwxyz-", min_size=1, max_size=38).map(lambda name: f"a{name}z"))
def test_what_elastic_load_balancing_takes(stack: str) -> None:
    """At most 32 characters, no hyphen last, one for each application and colour of a stack."""
    names = Names("shop", stack)
    made = [names.load_balancer, *(names.target_group(one, two) for one in ("web", "api") for two in ("blue", "green"))]
    assert all(re.fullmatch(r"[a-z][a-z0-9-]{0,30}[a-z0-9]", name) for name in made)
    assert len(set(made)) == len(made)


def test_a_bucket_of_access_logs_has_a_name_that_s3_takes() -> None:
    assert len(Names("a" * 20, "b" * 19).access_logs("123456789012")) <= 63
