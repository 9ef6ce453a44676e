"""What a user may ask for, and every check of it."""

import contextlib
import re
from collections.abc import Collection
from typing import Any

import botocore.session
import pytest
from hypothesis import given
from hypothesis import strategies as some

from documents import containers, inputs, model, network
from documents.catalogue import Pattern
from documents.fargate import SIZES, size_problem
from documents.faults import ConfigurationError
from documents.inputs import Application, Collector, checked
from documents.signals import Receiver

DIGEST = f"sha256:{'0' * 64}"
APPLICATION = {"name": "web", "image": "shop/web:1", "port": 8080}
SECRET = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:db-AbCdEf"


def application(**values: Any) -> Application:
    return checked(Application, APPLICATION | values, "web")


def faults(model: type[inputs.Model] = Application, **values: Any) -> list[str]:
    given_values = APPLICATION | values if model is Application else values
    with pytest.raises(ConfigurationError) as caught:
        checked(model, given_values, "x")
    return [str(fault) for fault in caught.value.faults]


def test_defaults_are_small() -> None:
    assert application().model_dump() == {
        "name": "web",
        "image": "shop/web:1",
        "port": 8080,
        "cpu": 256,
        "memory": 1024,
        "architecture": "ARM64",
        "desired_count": 1,
        "environment": {},
        "secrets": {},
        "health_check": None,
        "traffic": None,
        "rollout": None,
        "command": None,
        "metrics": None,
        "ratio": None,
        "instrumentation": None,
        "container": containers.Container().model_dump(),
        "volumes": {},
        "ephemeral_storage": None,
        "exec": False,
        "logs": {"group": None, "firelens": None},
        "service_connect": None,
        "scaling": None,
        "capacity": None,
        "compute": "fargate",
        "execution_role": None,
        "task_role": None,
    }


def test_both_spellings() -> None:
    assert application(desired_count=2) == application(desiredCount=2)


@pytest.mark.parametrize(
    "image",
    [
        "nginx:1",
        "nginx:1.27-alpine",
        "shop/web:1.4.2",
        f"shop/web@{DIGEST}",
        f"shop/web:1@{DIGEST}",
        "public.ecr.aws/nginx/nginx:1",
        "registry.local:5000/shop/web:1",
        "123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop-dev/web:1",
        "shop/web:latest",
        "<web-image.ref>",
        "<web.repositoryUrl>:1.2.3",
        f"<web.repositoryUrl>@{DIGEST}",
    ],
)
def test_images(image: str) -> None:
    assert application(image=image).image == image


@pytest.mark.parametrize("image", ["nginx", "shop/web", "registry.local:5000/shop/web", "<web.repositoryUrl>/web"])
def test_images_without_tag_or_digest(image: str) -> None:
    assert faults(image=image) == [
        f"x.image: has neither tag nor digest (got {image!r}); pin it, for example {image}:1.4.2"
    ]


@pytest.mark.parametrize(
    "image", ["", " ", "Shop/Web:1", "shop web:1", "shop/web:", "shop/web@sha256:12", "shop/web:1:2", ":1", "a:1\n"]
)
def test_what_is_no_image(image: str) -> None:
    assert faults(image=image) == [
        f"x.image: is not an image reference (got {image!r}); write it as repository:tag or repository@sha256:digest"
    ]


@given(some.text(alphabet="ab:/@.-_A1", max_size=200))
def test_any_text_as_an_image_is_judged_in_time(image: str) -> None:
    with contextlib.suppress(ConfigurationError):
        assert application(image=image).image == image


def test_a_very_long_image_is_judged_in_time() -> None:
    """A pattern that backtracks would take longer than anybody lives."""
    assert len(faults(image="a-" * 5000 + "!")) == 1
    assert len(faults(image="a/" * 5000 + "@")) == 1


@pytest.mark.parametrize(("cpu", "memory"), [(cpu, memory) for cpu, sizes in SIZES.items() for memory in sizes])
def test_every_size_of_fargate(cpu: int, memory: int) -> None:
    assert size_problem(cpu, memory) is None
    assert application(cpu=cpu, memory=memory).memory == memory


@pytest.mark.parametrize(
    ("values", "text"),
    [
        (
            {"cpu": 300},
            "x.cpu: Fargate has no task of 300 CPU units (got 300); choose one of 256, 512, 1024, 2048, 4096, 8192, "
            "16384",
        ),
        (
            {"cpu": 256, "memory": 3072},
            "x.memory: Fargate has no task of 256 CPU units with 3072 MiB (got 3072); with 256 CPU units choose one of "
            "512, 1024, 2048 MiB",
        ),
        (
            # The memory is the default's, and still wrong.
            {"cpu": 1024},
            "x.memory: Fargate has no task of 1024 CPU units with 1024 MiB (got 1024); with 1024 CPU units choose one "
            "of 2048, 3072, 4096, 5120, 6144, 7168, 8192 MiB",
        ),
    ],
)
def test_sizes_that_fargate_lacks(values: dict[str, Any], text: str) -> None:
    assert faults(**values) == [text]


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"port": 0}, "x.port: is too small (got 0); give at least 1"),
        ({"port": 65536}, "x.port: is too large (got 65536); give at most 65535"),
        ({"port": True}, "x.port: has the wrong type (got True); give a whole number"),
        ({"port": 80.5}, "x.port: has the wrong type (got 80.5); give a whole number"),
        ({"port": "http"}, "x.port: has the wrong type (got 'http'); give a whole number"),
        ({"port": None}, "x.port: has the wrong type (got None); give a whole number"),
        ({"port": float("nan")}, "x.port: is not valid (got nan); input should be a finite number"),
        ({"desiredCount": -1}, "x.desiredCount: is too small (got -1); give at least 0"),
        ({"desired_count": -1}, "x.desired_count: is too small (got -1); give at least 0"),
        (
            {"architecture": "arm64"},
            "x.architecture: is not one of the choices (got 'arm64'); choose 'ARM64' or 'X86_64'",
        ),
        (
            {"environment": {"A B": "1"}},
            "x.environment: has the variable name 'A B'; use letters, digits and underscores",
        ),
        ({"environment": {"A": 1}}, "x.environment.A: has the wrong type (got a number); give a text"),
        ({"command": []}, "x.command: has too few entries (got 0); give at least 1"),
        ({"command": "serve --password=hunter2"}, "x.command: has the wrong type (got a text); give a list"),
        ({"healthCheck": {"command": ["CMD"]}}, "x.healthCheck.command: has too few entries (got 1); give at least 2"),
        (
            {"healthCheck": {"command": ["curl", "-u", "me:hunter2"]}},
            "x.healthCheck.command: does not begin with CMD or CMD-SHELL; for example ['CMD', '/healthcheck']",
        ),
        (
            {"healthCheck": {"command": ["CMD", "x"], "interval": 1}},
            "x.healthCheck.interval: is too small (got 1); give at least 5",
        ),
        (
            {"environment": {"A": "1"}, "secrets": {"A": SECRET}},
            "x.secrets: has A, which environment sets as well; keep one of the two",
        ),
    ],
)
def test_faults_of_an_application(values: dict[str, Any], text: str) -> None:
    assert faults(**values) == [text]


@pytest.mark.parametrize(
    "name",
    [
        "PASSWORD",
        "DB_PASSWORD",
        "db_password",
        "API_KEY",
        "APIKEY",
        "STRIPE_API_KEY",
        "AWS_SECRET_ACCESS_KEY",
        "GITHUB_TOKEN",
        "CLIENT_SECRET",
        "TLS_PRIVATE_KEY",
        "KEY_PASSPHRASE",
        "CREDENTIALS",
    ],
)
def test_plain_secrets_are_refused_by_their_names(name: str) -> None:
    assert faults(environment={name: "hunter2", "LEVEL": "info"}) == [
        f"x.environment: gives {name} as plain text, which everyone who may read task definitions can see; "
        "move it to `secrets` with the ARN of a Secrets Manager secret or SSM parameter"
    ]


@pytest.mark.parametrize(
    "name", ["TOKEN_URL", "SECRETS_PATH", "PASSWORD_FILE", "MONKEY", "AWS_ACCESS_KEY_ID", "TOKENS"]
)
def test_names_that_are_no_secrets(name: str) -> None:
    assert name in application(environment={name: "x"}).environment


@pytest.mark.parametrize(
    "arn",
    [
        SECRET,
        f"{SECRET}:password::",
        f"{SECRET}:password:AWSCURRENT:0",
        "arn:aws:ssm:eu-west-1:123456789012:parameter/shop/dsn",
        "arn:aws-us-gov:secretsmanager:us-gov-west-1:123456789012:secret:db",
        model.PENDING,
        "<db.arn>",
        "<db.arn>:password::",
    ],
)
def test_secrets(arn: str) -> None:
    assert application(secrets={"DB": arn}).secrets == {"DB": arn}


@pytest.mark.parametrize(
    "value",
    [
        "hunter2",
        "",
        "arn:aws:s3:::bucket",
        "arn:aws:secretsmanager:eu-west-1:1:secret:db",
        f"{SECRET}*",  # the execution role would get all that the star stands for
        "arn:aws:ssm:eu-west-1:123456789012:parameter/*",
        f" {SECRET}",
        f"{SECRET}\n",
        "hunter2<db.arn>",
    ],
)
def test_what_is_no_secret_is_not_told(value: str) -> None:
    assert faults(secrets={"DB": value}) == [
        "x.secrets.DB: is not the ARN of a secret; store it in Secrets Manager or SSM Parameter Store and give the "
        "ARN, never the value"
    ]


@pytest.mark.parametrize(
    ("model", "values", "text"),
    [
        (Collector, {"desiredCount": 1}, "x.desiredCount: is too small (got 1); give at least 2"),
        (
            Collector,
            {"waitFor": "ready"},
            "x.waitFor: is not one of the choices (got 'ready'); choose 'start' or 'healthy'",
        ),
        (
            Collector,
            {"discovery": "dns"},
            "x.discovery: is not one of the choices (got 'dns'); choose 'cloudMap' or 'serviceConnect'",
        ),
        (Collector, {"memory": 128}, "x.memory: is too small (got 128); give at least 256"),
        (Collector, {"essential": "perhaps"}, "x.essential: has the wrong type (got 'perhaps'); give true or false"),
        (
            Collector,
            {"image": "otel/opentelemetry-collector:0.156.0"},
            "x.image: is not a release of the ADOT Collector whose components are known "
            "(got 'otel/opentelemetry-collector:0.156.0'); use a tag of v0.49.0 (a mirror is fine, a digest may follow "
            "the tag)",
        ),
        (inputs.Metrics, {"retentionDays": 1096}, "x.retentionDays: is too large (got 1096); give at most 1095"),
        (inputs.Metrics, {"intervalSeconds": 1}, "x.intervalSeconds: is too small (got 1); give at least 10"),
        (inputs.Metrics, {"maxSeries": 0}, "x.maxSeries: is too small (got 0); give at least 1"),
        (
            inputs.Logs,
            {"retentionDays": 31},
            "x.retentionDays: is not a retention that CloudWatch Logs has (got 31); choose one of 1, 3, 5, 7, 14, 30, "
            "60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653 days",
        ),
        (
            inputs.Identity,
            {"path": "observability"},
            "x.path: is not an IAM path (got 'observability'); begin and end it with a slash, for example "
            "/observability/",
        ),
        (
            inputs.Identity,
            {"permissionsBoundary": "limits"},
            "x.permissionsBoundary: is not the ARN of an IAM policy (got 'limits'); write it as "
            "arn:aws:iam::123456789012:policy/name",
        ),
        (
            network.Network,
            {"cidr": "10.0.0.1/16"},
            "x.cidr: is not an IPv4 range (got '10.0.0.1/16'); write it as 10.0.0.0/16",
        ),
        (
            network.Network,
            {"cidr": "10.0.0.0/8"},
            "x.cidr: is no size for the VPC of a stack (got '10.0.0.0/8'); choose a prefix length from /16 to /24",
        ),
        (
            network.Network,
            {"cidr": "fd00::/16"},
            "x.cidr: is not an IPv4 range (got 'fd00::/16'); write it as 10.0.0.0/16",
        ),
        (network.Network, {"zones": 1}, "x.zones: is too small (got 1); give at least 2"),
        (inputs.Grafana, {"dashboards": "a.json"}, "x.dashboards: has the wrong type (got 'a.json'); give a list"),
        (inputs.Grafana, {"admin": {}}, "x.admin: is not a known key; did you mean 'admins'?"),
        (inputs.Grafana, {"admins": {"user": []}}, "x.admins.user: is not a known key; did you mean 'users'?"),
    ],
)
def test_faults_of_the_others(model: type[inputs.Model], values: dict[str, Any], text: str) -> None:
    assert faults(model, **values) == [text]


def test_the_retentions_are_those_of_cloudwatch() -> None:
    """botocore's model has them in its prose only."""
    operation = botocore.session.Session().get_service_model("logs").operation_model("PutRetentionPolicy")
    shape: Any = operation.input_shape
    listed = shape.members["retentionInDays"].documentation.split("Possible values are:")[1].split(".")[0]
    assert [int(days) for days in re.findall(r"\d+", listed)] == list(inputs.LOG_RETENTION_DAYS)
    for days in inputs.LOG_RETENTION_DAYS:
        assert checked(inputs.Logs, {"retentionDays": days}).retention_days == days


SIDECAR = Collector()


def fits(collector: Collector = SIDECAR, receivers: Collection[Receiver] = (), **values: Any) -> list[str]:
    made = inputs.sidecar_fits(application(**values), collector, receivers, "web")
    return [str(fault) for fault in made]


def test_a_sidecar_fits_the_defaults() -> None:
    assert SIDECAR.size(Pattern.SIDECAR) == (64, 512)
    assert SIDECAR.size(Pattern.SERVICE) == (512, 1024)
    assert fits() == []


@pytest.mark.parametrize("memory", [256, 352])
def test_the_least_that_a_sidecar_may_leave(memory: int) -> None:
    assert fits(Collector(memory=memory), memory=512) == []
    assert len(fits(Collector(memory=353), memory=512)) == 1


def test_a_sidecar_that_does_not_fit() -> None:
    assert fits(memory=512) == [
        "web.memory: leaves 0 MiB to the application beside a collector of 544 MiB with its drain (got 512); "
        "give the task at least 672 MiB, or the collector less"
    ]
    assert fits(Collector(cpu=256, memory=2048)) == [
        "web.memory: leaves 0 MiB to the application beside a collector of 2080 MiB with its drain (got 1024); "
        "give the task at least 2208 MiB, or the collector less",
        "web.cpu: leaves nothing to the application beside a collector of 256 CPU units (got 256); "
        "give the task more, or the collector less",
    ]


@pytest.mark.parametrize("port", [4317, 4318, 8888, 8889, 13133, 13134, 14300, 14310, 14329])
def test_an_application_on_a_port_of_its_sidecar(port: int) -> None:
    """They share one network, so one of the two would not start."""
    assert fits(port=port) == [
        f"web.port: is a port of the collector beside the application (got {port}); "
        "choose another than 4317, 4318, 8888, 8889, 13133, 13134, 14300 and 14310 to 14329"
    ]


@pytest.mark.parametrize("port", [4316, 8080, 14299, 14301, 14309, 14330])
def test_an_application_beside_the_ports_of_its_sidecar(port: int) -> None:
    assert fits(port=port) == []


@pytest.mark.parametrize("port", [2000, 8125, 9411])
def test_ports_of_receivers_are_taken_where_they_are_on(port: int) -> None:
    assert fits(port=port) == []
    [fault] = fits(receivers=tuple(Receiver), port=port)
    assert fault == (
        f"web.port: is a port of the collector beside the application (got {port}); choose another than "
        "2000, 8125, 9411, 4317, 4318, 8888, 8889, 13133, 13134, 14300 and 14310 to 14329"
    )


def test_metrics_exposed_at_a_port_of_the_sidecar() -> None:
    assert fits(port=8080, metrics={"port": 8080}) == []
    [fault] = fits(metrics={"port": 8888})
    assert fault.startswith("web.metrics.port: is a port of the collector beside the application (got 8888); ")


def test_a_collector_service_that_fargate_lacks() -> None:
    assert inputs.service_fits(Collector(), "collector") == []
    assert inputs.service_fits(Collector(cpu=256, memory=1024), "collector") == []
    [fault] = inputs.service_fits(Collector(cpu=256, memory=512), "collector")
    assert str(fault) == ("collector.memory: is too little for a collector and its front; give at least 1024 MiB")
    [fault] = inputs.service_fits(Collector(cpu=64), "collector")
    assert str(fault) == (
        "collector.memory: Fargate has no task of 64 CPU units; choose one of 256, 512, 1024, 2048, 4096, 8192, 16384"
    )


@pytest.mark.parametrize(
    ("tags", "problems"),
    [
        ({"team": "shop", "cost centre": "4711/eu:a=b+c-d@e_f", "größe": "", "x" * 128: "y" * 256}, []),
        ({"aws:team": "x"}, ["tags.aws:team: has a prefix that AWS keeps for itself"]),
        ({"AWS:team": "x"}, ["tags.AWS:team: has a prefix that AWS keeps for itself"]),
        ({"": "x"}, ["tags.: is a name of 0 characters, and AWS takes 1 to 128"]),
        ({"x" * 129: ""}, [f"tags.{'x' * 129}: is a name of 129 characters, and AWS takes 1 to 128"]),
        ({"a": "x" * 257}, ["tags.a: has a value of 257 characters, and AWS takes 256"]),
        ({"a": "b;c"}, ["tags.a: has characters that AWS refuses in tags"]),
        ({"a\n": "b"}, ["tags.a\n: has characters that AWS refuses in tags"]),
        ({f"t{index}": "" for index in range(47)}, []),
        ({f"t{index}": "" for index in range(48)}, ["tags: has 48 tags"]),
    ],
)
def test_tags(tags: dict[str, str], problems: list[str]) -> None:
    assert [f"{fault.key}: {fault.problem}" for fault in inputs.tags_fit(tags, "tags")] == problems


def test_nothing_can_be_changed_afterwards() -> None:
    with pytest.raises(ValueError, match="frozen"):
        application().port = 1  # pyright: ignore[reportAttributeAccessIssue]
