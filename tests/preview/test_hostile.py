"""Texts that mean something to a language that a stack is rendered to arrive in it as nothing but texts.

One stack has all of them wherever a text is free. Each kind of document is read back as its reader reads it.
"""

import json
import re
from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from typing import Any

import pytest
import yaml

from documents.text import from_yaml
from preview import render
from preview.recording import Recording
from proof.report import viewer
from tests import hostile
from tests.components.variants import SECRET, program

pytestmark = pytest.mark.slow

SOME = [text for text in hostile.TEXTS if text]
ENVIRONMENT = {f"V{index}": text for index, text in enumerate(hostile.TEXTS)}
LABELS = {f"{index}{text}": text for index, text in enumerate(hostile.TEXTS)}
SHORT = [text for text in SOME if len(text) <= 10]

STACK: Mapping[str, Any] = {
    "applications": [
        {
            "name": "storefront",
            "image": "shop/storefront:1.4.2",
            "port": 8080,
            "environment": ENVIRONMENT,
            "command": SOME,
            "healthCheck": {"command": ["CMD", *SOME]},
            "metrics": {"port": 9464, "path": "/a\"b'c\\d$e${f}{{g}}|é<h>"},
            "container": {
                "entryPoint": SOME,
                "workingDirectory": "/a'b\"c${d}",
                "extra": {
                    "dockerLabels": LABELS,
                    "systemControls": [{"namespace": text, "value": text} for text in SOME],
                },
            },
        },
        {
            "name": "inventory",
            "image": "shop/inventory:2.0.0",
            "port": 9090,
            "logs": {"firelens": {"options": {f"o{index}": text for index, text in enumerate(hostile.TEXTS)}}},
        },
    ],
    "tasks": [
        {"name": "nightly", "image": "shop/nightly:1.0.0", "command": SOME, "schedule": {"expression": "rate(1 hour)"}}
    ],
    "collector": {"receivers": ["xray"]},
    "traces": {
        "indexedAttributes": SOME,
        "rules": [
            {"name": f"{index}{text}", "ratio": 0.5, "service": text, "method": text, "path": text}
            for index, text in enumerate(SHORT)
        ],
    },
    "destinations": [{"name": "acme", "endpoint": "https://example.com", "headers": {"a!#%&'*+.^_`|~-": SECRET}}],
    "grafana": {
        "saml": {
            "metadata": {"xml": f"<EntityDescriptor>{''.join(SOME)}</EntityDescriptor>"},
            "assertions": {"role": SOME[2], "name": SOME[9], "login": SOME[19], "org": SOME[3]},
            "editors": SOME,
            "organizations": SOME,
        }
    },
    "tags": {"team": "a.:/=+@_- é"},
}


@pytest.fixture(scope="module")
def recording() -> Recording:
    return program(STACK)


@pytest.fixture(scope="module")
def documents(recording: Recording) -> dict[str, str]:
    return render.documents(recording)


def containers(documents: Mapping[str, str], service: str) -> dict[str, dict[str, Any]]:
    task = json.loads(documents[f"tasks/ecs-observability-dev-{service}.json"])
    return {container["name"]: container for container in task["containerDefinitions"]}


def test_task_definitions(documents: Mapping[str, str]) -> None:
    container = containers(documents, "storefront")["storefront"]
    environment = {pair["name"]: pair["value"] for pair in container["environment"]}
    assert {name: environment[name] for name in ENVIRONMENT} == ENVIRONMENT
    assert (container["command"], container["entryPoint"]) == (SOME, SOME)
    assert container["healthCheck"]["command"] == ["CMD", *SOME]
    assert container["dockerLabels"] == LABELS
    assert [(each["namespace"], each["value"]) for each in container["systemControls"]] == [(one, one) for one in SOME]
    assert container["workingDirectory"] == "/a'b\"c${d}"
    options = containers(documents, "inventory")["inventory"]["logConfiguration"]["options"]
    assert {name: text for name, text in options.items() if re.fullmatch(r"o\d+", name)} == {
        f"o{index}": text for index, text in enumerate(hostile.TEXTS)
    }


def test_what_goes_to_x_ray_and_grafana(recording: Recording) -> None:
    rules = recording.of_type("aws:xray/samplingRule:SamplingRule")
    keys = ("serviceName", "httpMethod", "urlPath")
    assert {tuple(rule.inputs[key] for key in keys) for rule in rules} == {(text,) * 3 for text in SHORT}
    [saml] = recording.of_type("aws:grafana/workspaceSamlConfiguration:WorkspaceSamlConfiguration")
    assert saml.inputs["editorRoleValues"] == SOME
    assert saml.inputs["allowedOrganizations"] == SOME


_DOLLAR = re.compile(r"(?P<dollar>\$\$)|\$\{env:\w+(:-[^}]*)?\}|(?P<other>\$\{)")


def expanded(value: Any) -> Any:
    """What the collector makes of a configuration: `$$` is a dollar sign, and `${env:...}` a variable of ours."""
    if isinstance(value, str):
        assert not any(found["other"] for found in _DOLLAR.finditer(value)), value
        return _DOLLAR.sub(lambda found: "$" if found["dollar"] else found[0], value)
    if isinstance(value, dict):
        return {key: expanded(inner) for key, inner in value.items()}
    return [expanded(inner) for inner in value] if isinstance(value, list) else value


def test_the_collectors_configuration(documents: Mapping[str, str]) -> None:
    """Read as YAML 1.1 and by the reader of YAML that is none of ours."""
    paths = [path for path in documents if path.startswith("collector/") and "storefront" in path]
    assert paths
    for path in paths:
        for read in (from_yaml, yaml.safe_load):
            configuration = expanded(read(documents[path]))
            assert configuration["exporters"]["awsxray"]["indexed_attributes"] == SOME
            assert "/a\"b'c\\d$e${f}{{g}}|é<h>" in list(texts(configuration))


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from texts(inner)


def composed(value: str) -> str:
    """What Docker Compose makes of a text: `$$` is a dollar sign, and any other would name a variable."""
    assert "$" not in value.replace("$$", ""), value
    return value.replace("$$", "$")


def test_compose(documents: Mapping[str, str]) -> None:
    [path] = [path for path in documents if path.endswith("compose.yaml")]
    services = yaml.safe_load(documents[path])["services"]
    environment = services["storefront"]["environment"]
    assert {name: composed(environment[name]) for name in ENVIRONMENT} == ENVIRONMENT
    for key in ("command", "entrypoint"):
        assert [composed(word) for word in services["storefront"][key]] == SOME
    assert composed(services["storefront"]["working_dir"]) == "/a'b\"c${d}"
    assert [composed(word) for word in services["storefront"]["healthcheck"]["test"]] == ["CMD", *SOME]


def test_summary(documents: Mapping[str, str]) -> None:
    """Each row of a table has as many cells as its head, and no text is a tag."""
    cells = 0
    for line in documents["summary.md"].splitlines():
        if not line.startswith("|"):
            cells = 0
            continue
        found = len(re.split(r"(?<!\\)\|", line)) - 2
        cells = cells or found
        assert found == cells, line
    assert "<script" not in documents["summary.md"]


def test_rules_and_policies_know_nothing_of_them(documents: Mapping[str, str]) -> None:
    """They are made of names alone, in which nothing of all this may stand."""
    for path, text in documents.items():
        if path.startswith(("rules/", "alertmanager/", "policies/", "alarms/", "dashboards/")):
            assert not [one for one in ("rm -rf", "alert(1)", "/etc/passwd", "aws:username") if one in text], path


class Text(HTMLParser):
    """What a browser shows of a piece of a page, and the tags in it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.shown = ""
        self.tags: set[str] = set()
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.add(tag)

    def handle_data(self, data: str) -> None:
        self.shown += data


@pytest.mark.parametrize("folder", ["tasks", "collector"])
def test_the_report_shows_documents_as_they_are(documents: Mapping[str, str], folder: str) -> None:
    for path, text in documents.items():
        if path.startswith(f"{folder}/"):
            page = Text(str(viewer.coloured(path, text)))
            # The tags of the colours.
            assert page.tags <= {"span", "b", "i", "s", "u"}
            assert page.shown.strip() == text.strip()
