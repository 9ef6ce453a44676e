"""What runs, from a recording and its documents."""

import json
from typing import Any

import pytest

from documents import travel
from preview.recorder import Recording, Resource
from proof.plan import Container, PlanError, environment, plan
from tests.proof.live import wanted
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


@pytest.mark.slow
def test_how_late_a_sample_may_be_is_read_from_the_workspace() -> None:
    kind = "aws:amp/workspaceConfiguration:WorkspaceConfiguration"
    assert plan(recording(front=1), DOCUMENTS).out_of_order_seconds == 60.0
    plain = resource(kind, urn="metrics", retentionPeriodInDays=90)
    assert plan(recording(plain, front=1), DOCUMENTS).out_of_order_seconds == 60.0
    allowed = resource(kind, urn="metrics", outOfOrderTimeWindowInSeconds=600)
    assert plan(recording(allowed, front=1), DOCUMENTS).out_of_order_seconds == 600.0
    assert wanted("dev").out_of_order_seconds == wanted("prod").out_of_order_seconds == 600.0


def named(*containers: Container | None) -> list[str | None]:
    return [None if one is None else str(one["name"]) for one in containers]


def test_which_containers_are_collectors_and_which_of_them_takes_what_is_sent() -> None:
    [sidecar, *_] = wanted("dev").applications
    assert named(*sidecar.collectors) == named(sidecar.receiver) == named(sidecar.sidecar) == ["collector"]
    [application, *_] = wanted("prod").applications
    assert named(*application.collectors, application.receiver, application.sidecar) == [None, None]
    service = wanted("prod").collector
    assert service is not None
    assert named(*service.collectors) == ["front", "collector"]
    assert named(service.receiver, service.sidecar) == ["front", "collector"]


def test_an_application_may_be_named_front() -> None:
    [front] = plan(recording(front=1), DOCUMENTS).applications
    assert named(front.receiver, *front.collectors) == ["collector", "collector"]


def test_a_service_without_task_definition_is_named() -> None:
    with pytest.raises(PlanError, match=r"'gone' has no task definition in tasks/shop-dev-gone.json"):
        plan(recording(gone=1), DOCUMENTS)


def test_a_collector_must_get_the_file_that_was_rendered() -> None:
    with pytest.raises(PlanError, match=r"does not get what is in collector/shop-dev-front.yaml"):
        plan(recording(front=1), DOCUMENTS | {"collector/shop-dev-front.yaml": "other: text\n"})


def stored(text: str) -> dict[str, str]:
    """The documents where the collector of `front` reads its configuration, which is `text`, from S3."""
    made = json.loads(DOCUMENTS["tasks/shop-dev-front.json"])
    address = travel.address("bucket", "eu-west-1", travel.key("shop-dev-front", text))
    addresses = {"collector": address}
    containers = [{"command": [], **one} for one in made["containerDefinitions"]]
    made["containerDefinitions"] = travel.moved(containers, addresses)
    return DOCUMENTS | {"tasks/shop-dev-front.json": json.dumps(made)}


def test_what_a_collector_reads_from_s3_it_gets_as_text() -> None:
    sidecar = plan(recording(front=1), stored(CONFIGURATION)).applications[0].sidecar
    assert sidecar is not None
    assert environment(sidecar)["AOT_CONFIG_CONTENT"] == CONFIGURATION
    assert sidecar["command"] == []


def test_what_a_collector_reads_from_s3_must_be_the_file_that_was_rendered() -> None:
    with pytest.raises(PlanError, match=r"collector/shop-dev-front.yaml is not the configuration that the container"):
        plan(recording(front=1), stored("other: text\n"))


def test_the_environment_is_that_of_the_container() -> None:
    container = {
        "environment": [{"name": "A", "value": "1"}, {"name": "B", "value": 2}],
        "secrets": [{"name": "TOKEN", "valueFrom": "arn:aws:ssm:eu-west-1:123456789012:parameter/x"}],
    }
    assert environment(container) == {"A": "1", "B": "2", "TOKEN": "<secret TOKEN>"}
    assert environment({}) == {}
