"""Load balancer, traffic and roll-outs in a stack file: the examples of their pages, and faults between keys."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from documents.environment import Settings, asked_of
from documents.faults import ConfigurationError
from documents.names import Names
from documents.traffic import priorities
from settings import load

ROOT = Path(__file__).resolve().parents[1]
PROJECT = "ecs-observability"
CERTIFICATE = "arn:aws:acm:eu-west-1:123456789012:certificate/0f8fad5b-d9cb-469f-a165-70867728950e"
WEB = {"name": "web", "image": "shop/web:1", "port": 8080}


def loaded(**values: Any) -> Settings:
    texts = {f"{PROJECT}:{key}": json.dumps(value) for key, value in values.items()}
    return load({"aws:region": "eu-west-1", **texts}, Names(PROJECT, "dev"), ROOT)[0]


def faults(**values: Any) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        loaded(**values)
    return [str(fault) for fault in caught.value.faults]


def examples(page: str) -> list[Any]:
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    return [yaml.safe_load(example) for example in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)]


@pytest.mark.parametrize("example", examples("traffic.md"))
def test_an_example_of_traffic(example: Any) -> None:
    values = {key.removeprefix(f"{PROJECT}:"): value for key, value in example.items()}
    found = loaded(**{"applications": [WEB | {"traffic": {}}], **values})
    assert found.load_balancer.wanted
    assert all(one.traffic and (one.traffic.priority or one.shares) for one in found.applications)


@pytest.mark.parametrize("example", examples("rollouts.md"))
def test_an_example_of_a_rollout(example: Any) -> None:
    found = loaded(applications=[WEB | {"traffic": {}, **example}], loadBalancer={"certificateArn": CERTIFICATE})
    (one,) = found.applications
    assert one.rollout
    assert one.rollout.shifts


def test_there_are_examples() -> None:
    assert (len(examples("traffic.md")), len(examples("rollouts.md"))) == (3, 2)


def test_priorities_are_chosen_where_all_applications_are_known() -> None:
    names = [f"web-{index}" for index in range(60)]
    hosts = {name: {"hosts": [f"{name}.example.com"]} for name in names}
    found = loaded(
        applications=[WEB | {"name": name, "traffic": hosts[name]} for name in names],
        loadBalancer={"certificateArn": CERTIFICATE},
    )
    given = {one.name: asked_of(one)["traffic"].priority for one in found.applications}
    assert len(set(given.values())) == len(names)
    # Each alone would have the same, unless somebody before it in the list has it.
    alone = {one.name: priorities({one.name: one.traffic})[one.name] for one in found.applications if one.traffic}
    assert alone == given


def test_all_faults_at_once() -> None:
    found = faults(
        applications=[
            WEB | {"traffic": {"hosts": ["shop.example.com"], "paths": ["api"]}},
            WEB | {"name": "api", "rollout": "canary"},
            WEB | {"name": "stock", "traffic": {"hosts": ["stock.example.com"]}, "rollout": {"strategy": "slow"}},
            WEB | {"name": "till", "traffic": {"hosts": ["stock.example.com"]}},
        ],
        loadBalancer={"certificate": {"domain": "shop.example.com", "zone": "Z0123456789ABCDEFGHIJ"}},
        network={"private": True, "egress": "endpoints"},
    )
    mine = [fault for fault in found if not fault.startswith(("collector.", "network"))]
    assert [fault for fault in mine if "image" not in fault] == [
        "applications.0.traffic.paths.0: is not a path that a listener compares (got 'api'); "
        "begin it with a slash, for example /api/*",
        "applications.1.rollout: is canary of no traffic (got 'canary'); "
        "give the application traffic, or let it be rolling",
        "applications.2.rollout.strategy: is not one of the choices (got 'slow'); "
        "choose 'rolling', 'canary', 'linear' or 'blueGreen'",
        "loadBalancer.subnets: faces the internet, and the network has no public subnets that are known here; "
        "give public subnets of its VPC, or internal: true",
        "applications.3.traffic: wants requests that applications.2 gets; "
        "give each application hosts and paths of its own",
        "applications.2.traffic.hosts: is not in the certificate (got 'stock.example.com'); "
        "add it to loadBalancer.certificate.alternatives",
        "applications.3.traffic.hosts: is not in the certificate (got 'stock.example.com'); "
        "add it to loadBalancer.certificate.alternatives",
    ]
