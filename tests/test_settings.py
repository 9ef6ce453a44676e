"""The stack configuration: its defaults, every fault in it, and what junk does to it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as some

from documents.catalogue import Pattern
from documents.dashboards import OURS
from documents.environment import Build, Settings, dashboards_of, warnings
from documents.faults import ConfigurationError
from documents.names import Names
from settings import load

ROOT = Path(__file__).resolve().parents[1]
PROJECT = "ecs-observability"
NAMES = Names(PROJECT, "dev")
APPLICATION = {"name": "web", "image": "shop/web:1", "port": 8080}
MARKER = "hunter2"


def configuration(values: Mapping[str, Any]) -> dict[str, str]:
    """What Pulumi hands to a program: texts by full key, structured values as JSON."""
    texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in values.items()}
    return {"aws:region": "eu-west-1", **{f"{PROJECT}:{key}": text for key, text in texts.items()}}


def loaded(**values: Any) -> Settings:
    found, imports = load(configuration({"applications": [APPLICATION]} | values), NAMES, ROOT)
    assert imports == ()
    return found


def application(**values: Any) -> dict[str, Any]:
    return {"applications": [APPLICATION | values]}


def faults(names: Names = NAMES, root: Path = ROOT, /, **values: Any) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        load(configuration({"applications": [APPLICATION]} | values), names, root)
    return [str(fault) for fault in caught.value.faults]


def test_one_application_is_enough() -> None:
    found = loaded()
    assert found.pattern is Pattern.SIDECAR
    assert found.applications[0].image == "shop/web:1"
    assert found == Settings.model_validate({"applications": [APPLICATION]})
    assert found.patterns == {Pattern.SIDECAR}


def test_an_application_may_choose_another_pattern() -> None:
    found = loaded(applications=[APPLICATION, APPLICATION | {"name": "api", "pattern": "service"}])
    assert [found.pattern_of(each) for each in found.applications] == [Pattern.SIDECAR, Pattern.SERVICE]
    assert found.patterns == {Pattern.SIDECAR, Pattern.SERVICE}
    assert loaded(pattern="service").patterns == {Pattern.SERVICE}


def test_an_image_may_be_built() -> None:
    assert loaded(**application(image={"build": "./sample"})).applications[0].image == Build(build="./sample")


def test_keys_of_others_are_left_alone() -> None:
    assert load(configuration({"applications": [APPLICATION]}) | {"other:colector": "x", "noise": "y"}, NAMES, ROOT)[0]


def test_latest_is_warned_of() -> None:
    images = ["shop/web:latest", f"shop/web:latest@sha256:{'0' * 64}", "shop/web:1", {"build": "./sample"}]
    found = loaded(
        applications=[APPLICATION | {"name": f"web-{index}", "image": image} for index, image in enumerate(images)],
        alerts={"subscriptions": [{"email": "people@example.com"}]},
    )
    assert warnings(found) == [
        "applications.0.image: the tag 'latest' may be another image tomorrow (got 'shop/web:latest'); pin a version"
    ]


def test_receivers_and_metrics_that_the_pattern_does_not_allow() -> None:
    metrics = {"metrics": {"port": 2000}}
    found = faults(
        applications=[APPLICATION | {"pattern": "sidecar"} | metrics, APPLICATION | {"name": "api"} | metrics],
        pattern="service",
        collector={"receivers": ["xray", "statsd", "zipkin"], "discovery": "serviceConnect"},
    )
    assert found == [
        "applications.0.metrics.port: is a port of the collector beside the application (got 2000); choose another "
        "than 2000, 8125, 9411, 4317, 4318, 8888, 8889, 13133, 13134, 14300 and 14310 to 14329",
        "collector.receivers: has xray and statsd, whose clients send UDP, which cannot pass Service Connect; "
        "use collector.discovery: cloudMap, or leave them out",
    ]


@pytest.mark.parametrize(
    ("pattern", "metrics", "scraped"),
    [("service", {"port": 9464}, True), ("service", None, False), ("sidecar", {"port": 9464}, False)],
)
def test_a_scraper_is_for_the_service_pattern(pattern: str, metrics: Any, scraped: bool) -> None:
    assert loaded(pattern=pattern, **application(metrics=metrics)).scraped is scraped


BIG = {
    "patern": "sidecar",
    "pattern": "sidecars",
    "applications": [
        {"name": "Web Shop", "image": "shop/web", "port": "http", "cpu": 300, "desiredcount": 2},
        {
            "name": "api",
            "image": "shop/api:1",
            "port": 4318,
            "pattern": "sidecar",
            "cpu": 512,
            "memory": 512,
            "environment": {"API_TOKEN": MARKER, "LEVEL": 3},
            "secrets": {"DB": MARKER},
        },
        {"name": "api", "image": {"bild": "./sample"}, "port": 80},
        {"name": "x" * 40, "image": {"build": "/etc"}, "port": 80, "healthCheck": {"comand": ["CMD", "x"]}},
        {"name": "y" * 40, "image": "shop/y:1", "port": 13133, "pattern": "sidecar", "memory": 512},
        "web",
    ],
    "collector": {"image": "shop/otel:1", "desiredCount": 1, "waitfor": "healthy"},
    "metrics": {"retention": 30},
    "grafana": {"enabled": "sure", "admins": {"user": ["me"]}},
    "identity": {"path": "x"},
    "network": "10.0.0.0/16",
    "logs": {"retentionDays": 31},
    "protect": "everything",
    "tags": {"aws:team": MARKER, "team": 5},
}
"""Every kind of fault at once."""


def test_everything_that_is_wrong_comes_at_once() -> None:
    with pytest.raises(ConfigurationError) as caught:
        load(configuration(BIG), Names(PROJECT, "Dev"), ROOT)
    assert str(caught.value) == (ROOT / "tests/settings_faults.txt").read_text(encoding="utf-8").rstrip("\n")
    assert MARKER not in str(caught.value)


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"applications": []}, "applications: is missing or empty; list at least one application"),
        ({"applications": {}}, "applications: is missing or empty; list at least one application"),
        ({"applications": None}, "applications: is missing or empty; list at least one application"),
        ({"applications": [None]}, "applications.0: has the wrong type (got None); give a map of keys and values"),
        ({"applications": [[]]}, "applications.0: has the wrong type (got a list); give a map of keys and values"),
        (
            {"applications": "- name: web"},
            "applications: is not structured (got a text); write it as a list or a map in the stack file",
        ),
        (application(image=1.4), "applications.0.image: has the wrong type (got 1.4); give a text"),
        (application(image=None), "applications.0.image: has the wrong type (got None); give a text"),
        (application(image={}), "applications.0.image.build: is missing; give it a value"),
        (
            application(image={"build": ""}),
            "applications.0.image.build: is not a folder of this project (got ''); give a path below the project, "
            "for example ./sample",
        ),
        (
            application(image={"build": "sample/../../other"}),
            "applications.0.image.build: is not a folder of this project (got 'sample/../../other'); give a path below "
            "the project, for example ./sample",
        ),
        (application(imag="x:1"), "applications.0.imag: is not a known key; did you mean 'image'?"),
        ({"collektor": {}}, "collektor: is not a known key; did you mean 'collector'?"),
        (
            {"zzz": {}},
            "zzz: is not a known key; known: accounts, alerts, applications, collector, destinations, ec2, encryption, "
            "existing, grafana, identity, loadBalancer, logs, metrics, network, pattern, protect, tags, tasks, traces",
        ),
        ({"collector": {"wait_for_": 1}}, "collector.wait_for_: is not a known key; did you mean 'waitFor'?"),
        ({"metrics": {"interval": 5}}, "metrics.interval: is not a known key; did you mean 'intervalSeconds'?"),
        ({"grafana": {"dashboard": []}}, "grafana.dashboard: is not a known key; did you mean 'dashboards'?"),
        ({"grafana": {"viewers": {"group": []}}}, "grafana.viewers.group: is not a known key; did you mean 'groups'?"),
        (
            {"identity": {"permissionBoundary": ""}},
            "identity.permissionBoundary: is not a known key; did you mean 'permissionsBoundary'?",
        ),
        ({"network": {"zone": 2}}, "network.zone: is not a known key; did you mean 'zones'?"),
        ({"logs": {"days": 1}}, "logs.days: is not a known key; known: fromApplications, retentionDays"),
        (
            application(healthCheck={"command": ["CMD", "x"], "retry": 1}),
            "applications.0.healthCheck.retry: is not a known key; did you mean 'retries'?",
        ),
        (
            application(image={"build": "./sample", "path": "x"}),
            "applications.0.image.path: is not a known key; known: build",
        ),
        ({"pattern": "Sidecar"}, "pattern: is not one of the choices (got 'Sidecar'); choose 'sidecar' or 'service'"),
        ({"tags": None}, "tags: has the wrong type (got None); give a map of keys and values"),
        ({"tags": {"team": 1}}, "tags.team: has the wrong type (got 1); give a text"),
        ({"grafana": []}, "grafana: has the wrong type (got a list); give a map of keys and values"),
        (
            {"pattern": "service", "collector": {"memory": 512}},
            "collector.memory: Fargate has no task of 512 CPU units with 512 MiB (got 512); with 512 CPU units choose "
            "one of 1024, 2048, 3072, 4096 MiB",
        ),
    ],
)
def test_a_fault(values: dict[str, Any], text: str) -> None:
    assert faults(**values) == [text]


def test_two_applications_of_one_name() -> None:
    assert faults(applications=[APPLICATION, APPLICATION | {"name": "api"}, APPLICATION, {"name": "web"}]) == [
        "applications.2.name: is the name of applications.0 as well (got 'web'); choose another name",
        "applications.3.image: is missing; give it a value",
        "applications.3.port: is missing; give it a value",
        "applications.3.name: is the name of applications.0 as well (got 'web'); choose another name",
    ]


def test_a_fault_names_the_application_even_behind_a_faulty_one() -> None:
    found = faults(applications=[{"name": "Bad"}, APPLICATION | {"memory": 512}, APPLICATION | {"name": "x" * 50}])
    assert [text.split(":")[0] for text in found] == [
        "applications.0.name",
        "applications.0.image",
        "applications.0.port",
        "applications.2.name",
        "applications.1.memory",
    ]


def test_nothing_follows_from_what_is_faulty_itself() -> None:
    """The application would be too small for a collector of the default size, which is not what the user asked for."""
    assert faults(collector={"memory": 257, "waitfor": "x"}, **application(memory=512)) == [
        "collector.waitfor: is not a known key; did you mean 'waitFor'?"
    ]
    assert faults(pattern="servise", **application(memory=512)) == [
        "pattern: is not one of the choices (got 'servise'); choose 'sidecar' or 'service'"
    ]


@pytest.mark.parametrize(
    ("values", "key"),
    [
        (application(pattern="servise", memory=512, port=4318), "applications.0.pattern"),
        (application(name="X" * 60), "applications.0.name"),
        (application(image={"build": "../nowhere"}), "applications.0.image.build"),
        (application(memory=512) | {"collector": {"memory": "512 MiB"}}, "collector.memory"),
        (application(memory=512) | {"collector": []}, "collector"),
        (application(logs="firelens", port="http"), "applications.0.port"),
        ({"pattern": "service", "collector": {"cpu": "x", "memory": 512}}, "collector.cpu"),
        ({"grafana": {"dashboards": [5]}}, "grafana.dashboards.0"),
        ({"tags": []}, "tags"),
    ],
)
def test_one_fault_makes_no_other(values: dict[str, Any], key: str) -> None:
    assert [text.split(":")[0] for text in faults(**values)] == [key]


@pytest.mark.parametrize("said", [True, False, "true", "false"])
def test_what_holds_data_is_protected_where_the_stack_says_so(said: bool | str) -> None:
    assert loaded(protect=said).protect is (str(said).lower() == "true")


def test_names_of_stacks() -> None:
    assert faults(Names(PROJECT, "Prod")) == [
        "stack: project and stack make a name that AWS refuses (got 'ecs-observability-Prod'); "
        "use lower-case letters, digits and hyphens, a letter first and not sg-"
    ]
    [fault] = faults(Names(PROJECT, "production-eu-central-1-team"))
    assert fault.startswith("stack: makes a name of 46 characters, and a Grafana folder takes 40")


@pytest.mark.parametrize(
    "values",
    [
        application(secrets=MARKER),
        application(secrets=[MARKER]),
        application(secrets={"DB": MARKER}),
        application(secrets={"DB": {"value": MARKER}}),
        application(secrets={"DB": [MARKER]}),
        application(secret={"DB": MARKER}),
        application(environment=MARKER),
        application(environment=[{"name": "A", "value": MARKER}]),
        application(environment={"DB_PASSWORD": MARKER}),
        application(environment={"A B": MARKER}),
        application(environment={"A": [MARKER]}),
        application(environment={"A": MARKER}, secrets={"A": "arn:aws:ssm:eu-west-1:123456789012:parameter/a"}),
        application(command=f"--password={MARKER}"),
        application(command=[["--password", MARKER]]),
        application(healthCheck={"command": f"curl -u me:{MARKER}"}),
        application(healthCheck=[{"command": ["curl", MARKER]}]),
        {"applications": {"web": {"secrets": {"DB": MARKER}}}},
        {"applications": [[{"secrets": {"DB": MARKER}}]]},
        {"applications": f"- secrets: {MARKER}"},
        {"grafana": {"admins": [{"password": MARKER}]}},
        {"collector": [{"environment": {"TOKEN": MARKER}}]},
        {"secrets": {"DB": MARKER}},
    ],
)
def test_no_message_tells_a_secret(values: dict[str, Any]) -> None:
    found = faults(**values)
    assert found
    assert MARKER not in "\n".join(found)


JUNK = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats() | some.text(max_size=20),
    lambda inner: some.lists(inner, max_size=4) | some.dictionaries(some.text(max_size=12), inner, max_size=4),
    max_leaves=6,
)
"""Anything that JSON can say, and what Python's reader takes besides: NaN, infinities, lone surrogates."""

KEYS = some.sampled_from(
    sorted(
        {
            *(field.alias or name for name, field in Settings.model_fields.items()),
            "name", "image", "build", "port", "cpu", "memory", "architecture", "desiredCount", "environment", "secrets",
            "healthCheck", "command", "interval", "retentionDays", "maxSeries", "enabled", "admins", "users", "path",
            "cidr", "zones", "waitFor", "essential", "dashboards",
        }
    )
)  # fmt: skip
SHAPED = some.recursive(
    JUNK, lambda inner: some.lists(inner, max_size=3) | some.dictionaries(KEYS, inner, max_size=5), max_leaves=6
)


def judged(config: Mapping[str, str], names: Names = NAMES) -> None:
    found: Settings | ConfigurationError
    try:
        found, _ = load(config, names, ROOT)
    except ConfigurationError as error:
        found = error
    if isinstance(found, Settings):
        assert found == Settings.model_validate(found.model_dump())
    else:
        assert len(str(found).splitlines()) >= len(found.faults) > 0


@settings(max_examples=60)
@given(some.dictionaries(KEYS | some.text(max_size=10), SHAPED, max_size=5))
@example({"applications": [APPLICATION | {"port": float("nan")}]})
@example({"applications": [APPLICATION | {"port": 10**4000}]})
@example({"applications": [APPLICATION | {"cpu": float("inf"), "memory": float("-inf")}]})
@example({"applications": [APPLICATION | {"name": "\ud800", "environment": {"\ud800": "\ud800"}}]})
@example({"applications": [APPLICATION | {"image": {"build": "\0"}}]})
@example({"applications": [{"name": {"name": None}}, {"name": ["a"]}, {"name": 1}]})
@example({"metrics": {"retentionDays": {"a": [None]}}})
@example({"": {}})
def test_junk_is_a_fault_or_fine_and_never_anything_else(values: dict[str, Any]) -> None:
    judged(configuration(values))


@settings(max_examples=60)
@given(some.dictionaries(KEYS, SHAPED, max_size=4), some.dictionaries(KEYS, SHAPED, max_size=4))
def test_junk_in_an_application(application_values: dict[str, Any], values: dict[str, Any]) -> None:
    judged(configuration(values | {"applications": [APPLICATION | application_values, APPLICATION | {"name": "b"}]}))


@settings(deadline=None, max_examples=100)
@given(some.dictionaries(some.text(max_size=30), some.text(max_size=60), max_size=4), some.text(max_size=12))
@example({PROJECT: "x"}, "dev")
@example({f"{PROJECT}:": "x", f"{PROJECT}:tags": "[" * 100_000}, "dev")
@example({f"{PROJECT}:applications": "9" * 5000}, "dev")
def test_texts_that_are_no_json(texts: dict[str, str], stack: str) -> None:
    judged({**texts, **{f"{PROJECT}:{key}": text for key, text in texts.items()}}, Names(PROJECT, stack))


def test_pulumi_yaml_declares_and_describes_every_key() -> None:
    declared = yaml.safe_load((ROOT / "Pulumi.yaml").read_text(encoding="utf-8"))["config"]
    own = {key: declaration for key, declaration in declared.items() if ":" not in key}
    fields = {field.alias or name: field for name, field in Settings.model_fields.items()}
    assert set(own) == set(fields)
    for key, declaration in own.items():
        assert declaration["description"].strip(), key
        required = fields[key].is_required()
        assert ("default" in declaration) is not required, f"{key}: Pulumi itself would ask for it"
    assert loaded(**{key: each["default"] for key, each in own.items() if "default" in each}) == loaded()


GOOD = (ROOT / "tests/components/team.json").read_text(encoding="utf-8")


def imported(folder: Path, **files: str | bytes) -> list[str]:
    """The faults of dashboard files of these names and contents."""
    for name, content in files.items():
        (folder / f"{name}.json").write_bytes(content if isinstance(content, bytes) else content.encode())
    return faults(NAMES, folder, grafana={"dashboards": [f"{name}.json" for name in files]})


def test_dashboards_of_the_stack_and_imported_ones(tmp_path: Path) -> None:
    (tmp_path / "team.json").write_text(GOOD, encoding="utf-8")
    config = configuration(application() | {"grafana": {"dashboards": ["team.json"]}})
    found, imports = load(config, NAMES, tmp_path)
    all_of_them = dashboards_of(found, NAMES, "eu-west-1", imports)
    ours = ["overview", "ecs-tasks", "application", "traces", "collector", "costs"]
    assert [dashboard.uid for dashboard in all_of_them] == [*ours, "team"]
    assert set(OURS) == {*ours}


def test_every_fault_of_imported_dashboards(tmp_path: Path) -> None:
    (tmp_path / "folder.json").mkdir()
    other = GOOD.replace('"pluginId": "prometheus"', '"pluginId": "loki"')
    found = imported(tmp_path, broken="{", text='"x"', latin=b"\xe9", loki=other, application=GOOD)
    assert [text.split(";")[0].split(" (")[0] for text in found] == [
        "grafana.dashboards.0: cannot be imported: the file is not JSON",
        "grafana.dashboards.1: cannot be imported: the file is not a dashboard",
        "grafana.dashboards.2: cannot be read: it is not a path of a UTF-8 file",
        "grafana.dashboards.3: cannot be imported: " + found[3].split("imported: ")[1].split(";")[0].split(" (")[0],
        "grafana.dashboards.4: makes a second dashboard 'application'",
    ]
    assert "loki" in found[3]


@pytest.mark.parametrize(
    ("path", "reason"),
    [("nowhere.json", "No such file"), (".", "Is a directory"), ("x" * 300, "File name too long")],
)
def test_dashboards_that_cannot_be_read(tmp_path: Path, path: str, reason: str) -> None:
    [fault] = faults(NAMES, tmp_path, grafana={"dashboards": [path]})
    assert fault.startswith(f"grafana.dashboards.0: cannot be read: {reason}")


def test_what_is_encrypted_is_not_shown_where_it_is_not_structured_either() -> None:
    with pytest.raises(ConfigurationError) as caught:
        load(configuration(application() | {"logs": MARKER}), NAMES, ROOT, encrypted=[f"{PROJECT}:logs"])
    assert "logs: is not structured (got a text); write it as a list or a map in the stack file" in str(caught.value)
    assert MARKER not in str(caught.value)


def test_encrypted_values_are_refused_by_key_and_never_shown() -> None:
    config = configuration(application() | {"logs": {"retentionDays": MARKER}, "tags": {"aws:owner": MARKER}})
    with pytest.raises(ConfigurationError) as caught:
        load(config, NAMES, ROOT, encrypted=[f"{PROJECT}:logs", f"{PROJECT}:tags", "aws:region"])
    assert [str(fault) for fault in caught.value.faults] == [
        f"{key}: holds an encrypted value, which a task definition would show in plain text; "
        "store it in Secrets Manager or SSM Parameter Store and give its ARN under `secrets`"
        for key in ("logs", "tags")
    ]


def test_an_image_is_built_from_a_folder_with_a_dockerfile(tmp_path: Path) -> None:
    built = application(image={"build": "./shop"})
    assert faults(NAMES, tmp_path, **built) == [
        "applications.0.image.build: is no folder with a Dockerfile (got './shop'); give the folder that holds it"
    ]
    [fault] = faults(NAMES, tmp_path, **application(image={"build": "x" * 300}))
    assert fault.startswith("applications.0.image.build: is no folder with a Dockerfile (got 'xxx")
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "Dockerfile").write_text("FROM scratch\n")
    assert load(configuration(built), NAMES, tmp_path)[0].applications[0].image == Build(build="./shop")


def test_faults_of_values_between_values_and_of_files_come_together(tmp_path: Path) -> None:
    found = faults(
        NAMES,
        tmp_path,
        applications=[
            APPLICATION | {"name": "x" * 40, "port": "http"},
            APPLICATION | {"name": "api", "image": {"build": "./api"}},
        ],
        grafana={"enabled": "sure", "dashboards": ["nowhere.json"]},
    )
    assert found == [
        "applications.0.port: has the wrong type (got 'http'); give a whole number",
        "grafana.enabled: has the wrong type (got 'sure'); give true or false",
        f"applications.0.name: makes the role name 'ecs-observability-dev-{'x' * 40}-execution' of 72 characters, "
        f"and IAM takes 64 (got {'x' * 40!r}); shorten it by 8",
        "applications.1.image.build: is no folder with a Dockerfile (got './api'); give the folder that holds it",
        "grafana.dashboards.0: cannot be read: No such file or directory (got 'nowhere.json'); "
        "give the path of a dashboard file",
    ]


SMALL = "leaves 0 MiB to the application beside a collector"


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        (
            application(name="x" * 40, cpu=300, memory=512, port=4318),
            [
                "applications.0.cpu: Fargate has no task of 300 CPU units",
                "applications.0.name: makes the role name",
                f"applications.0.memory: {SMALL}",
                "applications.0.port: is a port of the collector",
            ],
        ),
        (
            application(memory="x", cpu=1024, port=4318) | {"collector": {"cpu": 1024}},
            [
                "applications.0.memory: has the wrong type",
                "applications.0.cpu: leaves nothing to the application beside a collector of 1024 CPU units",
                "applications.0.port: is a port of the collector",
            ],
        ),
        (
            application(memory=512, colour="red", image={"build": "./nowhere"}),
            [
                "applications.0.colour: is not a known key",
                f"applications.0.memory: {SMALL}",
                "applications.0.image.build: is no folder with a Dockerfile",
            ],
        ),
        (
            application(memory=512, environment={"A": "1"}, secrets={"A": "arn:aws:ssm:x:123456789012:parameter/a"}),
            ["applications.0.secrets: has A", f"applications.0.memory: {SMALL}"],
        ),
        (
            application(memory=512) | {"collector": {"desiredCount": 1}},
            ["collector.desiredCount: is too small", f"applications.0.memory: {SMALL}"],
        ),
        (
            application(memory=512, port=4318) | {"collector": {"cpu": 512, "memory": 1}},
            [
                "collector.memory: is too small",
                "applications.0.cpu: leaves nothing to the application beside a collector of 512 CPU units",
                "applications.0.port: is a port of the collector",
            ],
        ),
        (
            {"pattern": "service", "collector": {"memory": 512}} | application(port="http"),
            ["applications.0.port: has the wrong type", "collector.memory: Fargate has no task"],
        ),
        (
            {"tags": {"aws:team": "a", "owner": 5}},
            ["tags.owner: has the wrong type", "tags.aws:team: has a prefix that AWS keeps for itself"],
        ),
    ],
)
def test_a_fault_hides_no_other(values: dict[str, Any], texts: list[str]) -> None:
    for fault, text in zip(faults(**values), texts, strict=True):
        assert fault.startswith(text)
