"""Configurations that do not fit into a task definition: the bucket, who reads it, and the way back to the text."""

import json
from dataclasses import replace
from typing import Any

import pytest

from documents import travel
from preview import render
from preview.recorder import ProgramError, Recording
from tests.components.variants import INVENTORY, STOREFRONT, containers, environment, program, statements, untagged

# Each test records a whole program, which takes a second or two.
pytestmark = pytest.mark.slow

BUCKET = "aws:s3/bucket:Bucket"
OBJECT = "aws:s3/bucketObjectv2:BucketObjectv2"
NAME = "ecs-observability-dev-config-<account>"


def additions(size: int) -> dict[str, Any]:
    """Additions of so many bytes."""
    return {
        "processors": {"attributes/large": {"actions": [{"key": "x" * size, "value": "v", "action": "upsert"}]}},
        "service": {"pipelines": {"traces": {"processors": ["attributes/large"]}}},
    }


def large(pattern: str = "sidecar", size: int = 50_000, **more: Any) -> Recording:
    applications = [STOREFRONT, INVENTORY]
    collector = {"additions": additions(size)}
    return program({"pattern": pattern, "applications": applications, "collector": collector, **more})


@pytest.fixture(scope="module")
def sidecars() -> Recording:
    return large()


def config_option(container: dict[str, Any]) -> str:
    [option] = [word for word in container["command"] if word.startswith("--config=")]
    return option


def read(recording: Recording, family: str) -> tuple[str, str]:
    """Key and text of the one object of a family."""
    [stored] = [one for one in recording.of_type(OBJECT) if f"/{family}/" in one.inputs["key"]]
    return stored.inputs["key"], stored.inputs["content"]


def test_what_fits_needs_no_bucket() -> None:
    recording = large(size=10_000)
    assert recording.of_type(BUCKET) == ()
    container = containers(recording, "storefront-definition")["collector"]
    assert "x" * 10_000 in environment(container)["AOT_CONFIG_CONTENT"]
    assert not [word for word in container["command"] if word.startswith("--config")]


def test_one_private_bucket_for_all(sidecars: Recording) -> None:
    [bucket] = sidecars.of_type(BUCKET)
    assert untagged(bucket) == {"bucket": NAME, "forceDestroy": True}
    made = {resource.name: untagged(resource) for resource in sidecars.resources if ":s3/" in resource.type}
    assert made["configurations-private"] == {
        "bucket": "<configurations-bucket.id>",
        "blockPublicAcls": True,
        "blockPublicPolicy": True,
        "ignorePublicAcls": True,
        "restrictPublicBuckets": True,
    }
    assert made["configurations-encryption"]["rules"] == [
        {"applyServerSideEncryptionByDefault": {"sseAlgorithm": "AES256"}}
    ]
    assert made["configurations-versions"]["versioningConfiguration"] == {"status": "Enabled"}
    assert json.loads(made["configurations-policy"]["policy"])["Statement"] == [
        {
            "Sid": "OnlyWithTls",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": ["<configurations-bucket.arn>", "<configurations-bucket.arn>/*"],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
    ]


def test_a_sidecar_reads_its_configuration_by_its_hash(sidecars: Recording) -> None:
    container = containers(sidecars, "storefront-definition")["collector"]
    key, text = read(sidecars, "ecs-observability-dev-storefront")
    assert key == f"collector/ecs-observability-dev-storefront/{travel.digest(text)}.yaml"
    assert container["command"][0] == f"--config=s3://{NAME}.s3.eu-west-1.amazonaws.com/{key}"
    assert "AOT_CONFIG_CONTENT" not in environment(container)
    assert travel.size(list(containers(sidecars, "storefront-definition").values())) < travel.MOST_BYTES


def test_another_configuration_is_another_definition(sidecars: Recording) -> None:
    other = large(size=50_001)
    assert config_option(containers(sidecars, "storefront-definition")["collector"]) != config_option(
        containers(other, "storefront-definition")["collector"]
    )


def test_what_an_older_revision_reads_stays(sidecars: Recording) -> None:
    assert all(stored.options["retain_on_delete"] for stored in sidecars.of_type(OBJECT))


def test_a_task_reads_the_configurations_of_its_family_only(sidecars: Recording) -> None:
    assert statements(sidecars, "storefront-task-policy")[-1] == {
        "Sid": "ReadConfigurations",
        "Effect": "Allow",
        "Action": "s3:GetObject",
        "Resource": "<configurations-bucket.arn>/collector/ecs-observability-dev-storefront/*",
    }


def test_tasks_wait_for_what_they_read(sidecars: Recording) -> None:
    definition = next(one for one in sidecars.resources if one.name == "storefront-definition")
    assert "configurations-ecs-observability-dev-storefront-collector" in {
        sidecars.by_urn(urn).name for urn in definition.dependencies
    }


def test_the_service_moves_the_larger_and_leaves_the_front() -> None:
    recording = large("service")
    front, behind = (containers(recording, "collector-definition")[name] for name in ("front", "collector"))
    assert "AOT_CONFIG_CONTENT" in environment(front)
    key, _ = read(recording, "ecs-observability-dev-collector")
    assert config_option(behind).endswith(f"/{key}")
    assert len(recording.of_type(OBJECT)) == 1
    assert [statement["Sid"] for statement in statements(recording, "collector-task-policy")][-1] == (
        "ReadConfigurations"
    )


@pytest.mark.parametrize("pattern", ["sidecar", "service"])
def test_what_is_rendered_is_what_is_read(pattern: str) -> None:
    recording = large(pattern)
    family = f"ecs-observability-dev-{'storefront' if pattern == 'sidecar' else 'collector'}"
    assert render.documents(recording)[f"collector/{family}.yaml"] == read(recording, family)[1]


def test_an_object_that_nobody_makes(sidecars: Recording) -> None:
    without = tuple(one for one in sidecars.resources if one.type != OBJECT)
    with pytest.raises(ProgramError, match="which is no object of this stack"):
        render.documents(replace(sidecars, resources=without))


def test_a_task_that_would_be_too_large_all_the_same() -> None:
    big = STOREFRONT | {"environment": {"WORDS": "w" * 70_000}}
    with pytest.raises((ProgramError, ValueError), match=r"49,152 of a task definition are left to it"):
        large(applications=[big])
