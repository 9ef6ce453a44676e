"""What whoever is about to deploy prod reads first."""

import re

import pytest

from preview.summary import summary
from tests.components.variants import recorded

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def text() -> str:
    return summary(recorded("prod"), "us-east-1")


def section(text: str, title: str) -> list[str]:
    return text.split(f"## {title}\n\n")[1].partition("\n\n## ")[0].splitlines()


def test_all_that_only_the_user_knows_is_asked_for(text: str) -> None:
    own = "<your account>.dkr.ecr.eu-west-1.amazonaws.com/ecr-public"
    assert section(text, "To be filled in before deployment") == [
        "- `ecs-observability:alerts.subscriptions[0].email`: `<your e-mail address>`",
        f"- `ecs-observability:collector.image`: `{own}/aws-observability/aws-otel-collector:v0.49.0`",
        f"- `ecs-observability:collector.drainImage`: `{own}/docker/library/busybox:1.37.0`",
        "- `ecs-observability:grafana.admins.groups[0]`: `<your Identity Center group id for administrators>`",
        "- `ecs-observability:grafana.viewers.groups[0]`: `<your Identity Center group id for viewers>`",
        "- `ecs-observability:loadBalancer.certificate.zone`: `<your hosted zone>`",
    ]


def test_it_is_closed_and_says_what_that_costs_beside_the_other_ways(text: str) -> None:
    assert section(text, "Who reaches what")[-1] == (
        "- `inventory`, `storefront`, `collector`: to the AWS services that the VPC has endpoints of, and nowhere else"
    )
    assert section(text, "What the way out costs in a month")[:6] == [
        "| way out | chosen | dollars a month | and for each GB |",
        "|---|---|---:|---:|",
        "| a public address for each task, of which there are 6 |  | 21.90 | 0 |",
        "| one NAT gateway |  | 36.50 | 0.045 |",
        "| a NAT gateway in each of 3 zones |  | 109.50 | 0.045 |",
        "| endpoints of 5 services in 3 zones | yes | 109.50 | 0.01 |",
    ]


def test_it_is_scaled_rolled_out_with_care_and_encrypted(text: str) -> None:
    assert re.findall(r"^- \d+ to \d+ tasks by load: .*$", text, re.MULTILINE) == [
        "- 2 to 6 tasks by load: cpu at 60, memory at 70",
        "- 2 to 6 tasks by load: cpu at 60",
        "- 2 to 10 tasks by load: cpu at 60",
    ]
    assert "internal, deletion protected" in section(text, "What comes in")[0]
    assert section(text, "What comes in")[-1].endswith(
        "| storefront | 25 % for 10 minutes, then all, then 10 minutes with the old ones beside them | 4 alarms |"
    )
    assert "| EncryptionKey encryption | 2 | kms.Alias `alias/ecs-observability-prod`; kms.Key |" in text


def test_no_document_stands_in_a_table_and_no_resource_is_called_by_what_only_aws_knows(text: str) -> None:
    outputs = section(text, "Stack outputs")
    assert re.search(r"^\| encryptionKeyPolicy \| a JSON document of [\d,]+ characters \|$", text, re.MULTILINE)
    assert max(map(len, outputs)) < 120
    assert "resourceRecordName" not in "\n".join(section(text, "What is made"))
