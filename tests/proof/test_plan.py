"""What runs, from a recording and its documents."""

import json
from typing import Any

import pytest

from preview.recorder import Recording, Resource
from proof.plan import PlanError, environment, plan
from tests.proof.made import service

CONFIGURATION = "receivers: {awsecscontainermetrics: {collection_interval: '${env:ECS_METRICS_INTERVAL:-90s}'}}\n"


SERVICE = "aws:ecs/service:Service"


def resource(kind: str, *, urn: str, **inputs: Any) -> Resource:
    return Resource(f"urn:{kind}::{urn}", kind, urn, "", True, inputs, (), "", {}, {})


def definition(name: str, *, collector: bool = True) -> str:
    made = json.loads(json.dumps(service(name, sidecar=collector).definition))
    for container in made["containerDefinitions"]:
        if container["name"] == "collector":
            container["environment"] = [{"name": "AOT_CONFIG_CONTENT", "value": CONFIGURATION}]
    return json.dumps(made)


def recording(*more: Resource, **counts: Any) -> Recording:
    settings = [{"name": "containerInsights", "value": "enhanced"}]
    services = [resource(SERVICE, urn=name, name=name, desiredCount=n) for name, n in counts.items()]
    cluster = resource("aws:ecs/cluster:Cluster", urn="cluster", name="shop-dev", settings=settings)
    config = {"shop:applications": [{"name": "front"}, {"name": "back"}]}
    return Recording("shop", "dev", "eu-west-1", config, (cluster, *services, *more), {}, ())


DOCUMENTS = {
    "tasks/shop-dev-front.json": definition("front"),
    "tasks/shop-dev-back.json": definition("back", collector=False),
    "tasks/shop-dev-collector.json": definition("collector"),
    "collector/shop-dev-front.yaml": CONFIGURATION,
    "collector/shop-dev-collector.yaml": CONFIGURATION,
    "dashboards/a.json": '{"uid": "a"}',
    "rules/r.yaml": "groups: []",
}


def test_services_come_in_the_order_of_the_configuration() -> None:
    made = plan(recording(back=0, front=3, collector=2), DOCUMENTS)
    assert [(one.name, one.count) for one in made.applications] == [("front", 3), ("back", 1)]
    assert made.collector is not None
    assert (made.collector.name, made.collector.count) == ("collector", 2)
    assert (made.cluster, made.region, made.container_insights) == ("shop-dev", "eu-west-1", "enhanced")
    assert made.dashboards == ({"uid": "a"},)
    assert made.rules == {"r.yaml": "groups: []"}
    assert [one.name for one in made.services] == ["front", "back", "collector"]
    assert made.job(made.applications[0]) == "shop/front"


def test_a_service_that_is_not_in_the_configuration_comes_last() -> None:
    documents = DOCUMENTS | {"tasks/shop-dev-extra.json": definition("extra", collector=False)}
    made = plan(recording(extra=1, back=1, front=1), documents)
    assert [one.name for one in made.applications] == ["front", "back", "extra"]


def test_times_are_read_from_what_is_shipped() -> None:
    made = plan(recording(front=1), DOCUMENTS)
    assert (made.shipped_seconds, made.scrape_seconds) == (90.0, 15.0)
    told = json.dumps({"timeInterval": "60s"})
    source = resource("grafana:oss/dataSource:DataSource", urn="amp", type="prometheus", jsonDataEncoded=told)
    assert plan(recording(source, front=1), DOCUMENTS).scrape_seconds == 60.0


def test_a_service_without_task_definition_is_named() -> None:
    with pytest.raises(PlanError, match=r"'gone' has no task definition in tasks/shop-dev-gone.json"):
        plan(recording(gone=1), DOCUMENTS)


def test_a_collector_must_get_the_file_that_was_rendered() -> None:
    with pytest.raises(PlanError, match=r"does not get what is in collector/shop-dev-front.yaml"):
        plan(recording(front=1), DOCUMENTS | {"collector/shop-dev-front.yaml": "other: text\n"})


def test_the_environment_is_that_of_the_container() -> None:
    container = {
        "environment": [{"name": "A", "value": "1"}, {"name": "B", "value": 2}],
        "secrets": [{"name": "TOKEN", "valueFrom": "arn:aws:ssm:eu-west-1:123456789012:parameter/x"}],
    }
    assert environment(container) == {"A": "1", "B": "2", "TOKEN": "<secret>"}
    assert environment({}) == {}
