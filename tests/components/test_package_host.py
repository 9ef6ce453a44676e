"""The plugin itself, driven over gRPC: what it registers for a program of any language is what our own program does."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from components.package import SCHEMA
from documents.faults import ConfigurationError
from documents.names import Names
from preview.engine import Monitor
from preview.recording import UNKNOWN, Resource, Secret
from preview.stack import load
from settings import load as load_settings
from tests.components.hosted import ENVIRONMENT, ROOT, Constructed, Host, Output, RefusedError, host
from tests.components.variants import TASK, recorded

pytestmark = pytest.mark.slow

SMALL: dict[str, Any] = {
    "applications": [{"name": "web", "image": "shop/web:1.4.2", "port": 8080}],
    "grafana": {"enabled": False},
}
OTHER = "urn:pulumi:dev::shop::docker-build:index:Image::web"


@pytest.fixture(scope="module")
def plugin() -> Iterator[Host]:
    with host() as started:
        yield started


def _own(value: Any) -> Any:
    """The same without the component around everything."""
    match value:
        case str():
            return value.replace(f"{ENVIRONMENT}$", "")
        case Mapping():
            return {key: _own(inner) for key, inner in value.items()}
        case list() | tuple():
            return type(value)(_own(inner) for inner in value)
        case _:
            return value


def _comparable(resource: Resource, whole: str = "") -> dict[str, Any]:
    parent = "" if resource.parent == whole else resource.parent
    return {key: _own(value) for key, value in {**vars(resource), "parent": parent}.items()}


def test_the_schema_is_the_file(plugin: Host) -> None:
    assert plugin.schema() == json.loads(SCHEMA.read_text(encoding="utf-8"))


@pytest.mark.parametrize("preview", [False, True], ids=["up", "preview"])
@pytest.mark.parametrize("stack", ["prod", "what-exists", "member-account"])
def test_it_registers_what_the_program_registers(plugin: Host, stack: str, preview: bool) -> None:
    """The values travel as Pulumi sends them: whole numbers as 5.0, encrypted ones as secrets."""
    made, program = plugin.stack(stack, preview=preview), recorded(stack, preview=preview)
    [whole] = (one for one in made.resources if one.type == ENVIRONMENT)
    assert whole.urn == made.urn
    assert whole.outputs == program.outputs
    below = [_comparable(one, whole.urn) for one in made.resources if one is not whole]
    assert sorted(below, key=lambda one: one["urn"]) == [_comparable(one) for one in program.resources]
    assert made.outputs == program.outputs
    assert tuple(sorted(set(made.warnings))) == program.warnings


def refused(plugin: Host, inputs: Mapping[str, Any], **more: Any) -> list[str]:
    with pytest.raises(RefusedError) as caught:
        plugin.construct(inputs, **more)
    first, *lines = str(caught.value).split("\n")
    assert first == "stack 'dev' cannot be deployed:"
    return [line.strip() for line in lines]


def test_all_faults_come_at_once_and_without_a_traceback(plugin: Host) -> None:
    web = {"name": "Web", "image": "shop/web", "port": 70000.0, "cpus": 256}
    assert refused(plugin, {"applications": [web], "grafana": {"enabled": "perhaps"}, "colour": "red"}) == [
        "colour: is not a known key; did you mean 'collector'?",
        "applications.0.name: is not a name that ECS, Cloud Map and IAM all accept (got 'Web'); "
        "use lower-case letters, digits and hyphens, a letter first, no hyphen last",
        "applications.0.image: has neither tag nor digest (got 'shop/web'); pin it, for example shop/web:1.4.2",
        "applications.0.port: is too large (got 70000); give at most 65535",
        "applications.0.cpus: is not a known key; did you mean 'cpu'?",
        "grafana.enabled: has the wrong type (got 'perhaps'); give true or false",
    ]


def test_the_messages_are_those_of_a_stack_file(plugin: Host) -> None:
    broken = {"applications": [{"name": "web", "image": "shop/web:1", "port": 8080, "memory": 100}], "pattern": "both"}
    texts = {f"p:{key}": value if isinstance(value, str) else json.dumps(value) for key, value in broken.items()}
    with pytest.raises(ConfigurationError) as caught:
        load_settings({"aws:region": "eu-west-1", **texts}, Names("p", "dev"), ROOT)
    assert refused(plugin, broken) == [str(fault) for fault in caught.value.faults]


def test_nothing_is_registered_of_what_is_refused(plugin: Host) -> None:
    refused(plugin, {"applications": []})
    assert [one.type for one in plugin.construct(SMALL).resources if one.type == ENVIRONMENT] == [ENVIRONMENT]


def test_a_region_is_needed(plugin: Host) -> None:
    files = load(ROOT, "dev", {"aws:region": "eu-central-1"})
    bare = type(files)(files.project, files.stack, {}, {}, frozenset(), ())
    assert refused(plugin, SMALL, files=bare) == [
        "region: is missing; give it as a plain text, or set aws:region for the stack"
    ]
    elsewhere = plugin.construct({**SMALL, "region": "eu-central-1"}, files=bare)
    assert environment_of(elsewhere)["OTEL_EXPORTER_OTLP_ENDPOINT"] == "http://localhost:4318"


def test_a_region_is_that_of_the_provider(plugin: Host) -> None:
    """The monitor answers for the stack's, as the engine does where a component has none of its own."""
    files = load(ROOT, "dev", {"aws:region": "eu-west-1"})
    assert plugin.construct({**SMALL, "region": "eu-west-1"}, files=files).outputs["cluster"]
    assert refused(plugin, {**SMALL, "region": "eu-central-1"}, files=files) == [
        "region: is not that of the provider, which is in eu-west-1 (got 'eu-central-1'); "
        "give eu-west-1, or another provider"
    ]


def test_the_provider_that_a_component_has_is_asked_for_its_region(
    plugin: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = "urn:pulumi:dev::ecs-observability::pulumi:providers:aws::elsewhere"
    given = {"providers": {"aws": f"{provider}::1234"}, "others": (provider,)}
    invoke = Monitor.Invoke

    def elsewhere(self: Monitor, request: Any) -> Any:
        self.region = "eu-central-1" if request.provider.startswith(provider) else "eu-west-1"
        return invoke(self, request)

    monkeypatch.setattr(Monitor, "Invoke", elsewhere)
    assert plugin.construct({**SMALL, "region": "eu-central-1"}, **given).outputs["cluster"]
    [said] = refused(plugin, SMALL, **given)
    assert said.startswith("region: is not that of the provider, which is in eu-central-1 (got 'eu-west-1')")


def test_a_provider_that_is_not_known_yet_is_refused(plugin: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine then answers every question with nothing."""
    monkeypatch.setattr(Monitor, "_invoked", lambda self, token, arguments: {})
    assert refused(plugin, {**SMALL, "region": "eu-central-1"}, preview=True) == [
        "region: cannot be compared with the provider's, which depends on what has not been made yet (got "
        "'eu-central-1'); give the component a provider of which the program knows everything"
    ]


def environment_of(made: Constructed) -> dict[str, str]:
    [definition] = (one for one in made.resources if one.type == TASK)
    [web] = (one for one in json.loads(definition.inputs["containerDefinitions"]) if one["name"] == "web")
    return {pair["name"]: pair["value"] for pair in web["environment"]}


def _with(**web: Any) -> dict[str, Any]:
    return {**SMALL, "applications": [{"name": "web", "image": "shop/web:1.4.2", "port": 8080, **web}]}


def test_what_other_resources_give_reaches_the_task_and_is_waited_for(plugin: Host) -> None:
    queue = Output("https://queue", of=(OTHER,))
    given = _with(image=Output("shop/web:2.0.0", of=(OTHER,)), environment={"QUEUE": queue})
    made = plugin.construct(given, others=(OTHER,))
    [definition] = (one for one in made.resources if one.type == TASK)
    assert OTHER in definition.dependencies
    assert environment_of(made)["QUEUE"] == "https://queue"
    assert '"image": "shop/web:2.0.0"' in definition.inputs["containerDefinitions"]


def test_what_is_not_known_yet_is_unknown_in_a_preview(plugin: Host) -> None:
    made = plugin.construct(_with(image=Output(UNKNOWN)), preview=True)
    [definition] = (one for one in made.resources if one.type == TASK)
    assert definition.inputs["containerDefinitions"] is UNKNOWN


def test_what_decides_on_resources_cannot_come_later(plugin: Host) -> None:
    assert refused(plugin, _with(port=Output(UNKNOWN), desiredCount=Output(UNKNOWN)), preview=True) == [
        f"applications.0.{key}: is not known before something else has been made, and decides what is made here; "
        "give a value that the program knows"
        for key in ("port", "desiredCount")
    ]


@pytest.mark.parametrize("kind", [lambda value: Output(value, secret=True), Secret], ids=["output", "secret"])
def test_a_secret_in_plain_view_is_refused_without_being_told(plugin: Host, kind: Any) -> None:
    [said] = refused(plugin, _with(environment={"GREETING": kind("hunter2")}))
    assert said.startswith("applications")
    assert "holds an encrypted value, which a task definition would show in plain text" in said
    assert "hunter2" not in said


@pytest.mark.parametrize("kind", [lambda value: Output(value, secret=True), Secret], ids=["output", "secret"])
def test_an_address_with_a_key_stays_a_secret(plugin: Host, kind: Any) -> None:
    address = "https://events.example.com/hunter2"
    made = plugin.construct({**SMALL, "alerts": {"subscriptions": [{"https": kind(address)}]}})
    endpoints = [one.inputs["endpoint"] for one in made.resources if "topicSubscription" in one.type]
    assert endpoints
    assert endpoints == [Secret(address)] * len(endpoints)
    assert "hunter2" not in repr(made.resources)


def test_what_holds_data_is_protected_where_the_component_says_so(plugin: Host) -> None:
    def workspace(**more: Any) -> Resource:
        return next(one for one in plugin.construct(SMALL | more).resources if one.name == "metrics-workspace")

    assert "protect" not in workspace().options
    assert workspace(protect=True).options["protect"] is True


def test_a_provider_of_the_component_is_that_of_everything_in_it(plugin: Host) -> None:
    provider = "urn:pulumi:dev::ecs-observability::pulumi:providers:aws::elsewhere"
    made = plugin.construct(SMALL, providers={"aws": f"{provider}::1234"}, others=(provider,))
    asked_for = {one.provider for one in made.resources if one.type.startswith("aws:")}
    assert asked_for == {provider}
