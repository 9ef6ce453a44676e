"""A user's additions: what they may add, what they must not change, and what would keep a collector from starting."""

import copy
import json
from collections.abc import Mapping
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as some

from documents import adot, collector
from documents.catalogue import Pattern
from documents.collector import additions
from documents.faults import ConfigurationError
from documents.origin import Origin
from documents.signals import Additions, Signals

ORIGIN = Origin(namespace="shop", environment="dev", cluster="shop-dev", service="web", family="shop-dev-web")
OURS: dict[str, Any] = {
    "extensions": {"health_check": {"endpoint": "127.0.0.1:13133"}},
    "receivers": {"otlp": {"protocols": {"grpc": {"endpoint": "127.0.0.1:4317"}}}},
    "processors": {"memory_limiter": {"limit_mib": 384}, "filter/task": {"metric_conditions": ["a"]}},
    "exporters": {"awsxray": {"region": "eu-west-1", "max_retries": 0}},
    "service": {
        "extensions": ["health_check"],
        "telemetry": {"logs": {"encoding": "json"}},
        "pipelines": {
            "traces": {"receivers": ["otlp"], "processors": ["memory_limiter"], "exporters": ["awsxray"]},
        },
    },
}
IMAGE = "mirror/adot:v0.49.0"


def faults(theirs: Mapping[str, Any], ours: Mapping[str, Any] = OURS) -> list[str]:
    return [str(fault) for fault in additions.faults(dict(ours), theirs, IMAGE)]


def inputs(pattern: Pattern, theirs: Mapping[str, Any]) -> collector.CollectorInputs:
    signals = Signals(additions=Additions.model_validate(theirs))
    return collector.CollectorInputs(pattern, ORIGIN, 512, 512, 60, signals)


def test_everything_that_may_be_added() -> None:
    theirs = {
        "extensions": {"zpages": {}},
        "receivers": {"statsd": {"endpoint": "127.0.0.1:8125"}},
        "processors": {"attributes/team": {"actions": [{"key": "team", "value": "shop", "action": "insert"}]}},
        "exporters": {"debug": {}, "awsxray": {"index_all_attributes": True}},
        "service": {
            "extensions": ["zpages"],
            "telemetry": {"logs": {"level": "warn"}},
            "pipelines": {
                "traces": {"processors": ["attributes/team"], "exporters": ["debug"]},
                "metrics/statsd": {"receivers": ["statsd"], "exporters": ["debug"]},
            },
        },
    }
    before = copy.deepcopy(OURS)
    assert additions.merged(OURS, theirs) == {
        "extensions": {"health_check": {"endpoint": "127.0.0.1:13133"}, "zpages": {}},
        "receivers": {
            "otlp": {"protocols": {"grpc": {"endpoint": "127.0.0.1:4317"}}},
            "statsd": {"endpoint": "127.0.0.1:8125"},
        },
        "processors": OURS["processors"] | theirs["processors"],
        "exporters": {
            "awsxray": {"region": "eu-west-1", "max_retries": 0, "index_all_attributes": True},
            "debug": {},
        },
        "service": {
            "extensions": ["health_check", "zpages"],
            "telemetry": {"logs": {"encoding": "json", "level": "warn"}},
            "pipelines": {
                "traces": {
                    "receivers": ["otlp"],
                    "processors": ["memory_limiter", "attributes/team"],
                    "exporters": ["awsxray", "debug"],
                },
                "metrics/statsd": {"receivers": ["statsd"], "exporters": ["debug"]},
            },
        },
    }
    assert before == OURS
    assert faults(theirs) == []


def test_what_is_there_already_is_not_there_twice() -> None:
    theirs = {"service": {"extensions": ["health_check"], "pipelines": {"traces": {"receivers": ["otlp"]}}}}
    assert additions.merged(OURS, {"exporters": {"awsxray": {"max_retries": 0}}, **theirs}) == OURS


def test_a_conflict_names_both_sides_and_all_are_named() -> None:
    theirs = {
        "receivers": {"otlp": {"protocols": {"grpc": "127.0.0.1:5000"}}},
        "processors": {"memory_limiter": {"limit_mib": 1000}, "filter/task": {"metric_conditions": {"a": 1}}},
        "exporters": {"awsxray": {"max_retries": False}},
    }
    ours, remedy = "in our configuration", "leave it out, or add a component of your own under another name"
    expected = [
        f"collector.additions.receivers.otlp.protocols.grpc: is a map {ours} (got '127.0.0.1:5000'); {remedy}",
        f"collector.additions.processors.memory_limiter.limit_mib: is 384 {ours} (got 1000); {remedy}",
        f"collector.additions.processors.filter/task.metric_conditions: is a list {ours} (got a map); {remedy}",
        f"collector.additions.exporters.awsxray.max_retries: is 0 {ours} (got False); {remedy}",
    ]
    assert faults(theirs) == expected
    with pytest.raises(ConfigurationError) as caught:
        additions.merged(OURS, theirs)
    assert [str(fault) for fault in caught.value.faults] == expected


def test_components_that_the_release_lacks() -> None:
    theirs = {
        "processors": {"transform/x": {}},
        "exporters": {"otlphttp/x": {}},
        "connectors": {"spanmetrics": {}},
        "service": {"pipelines": {"traces": {"processors": ["transform/x"], "exporters": ["otlphttp/x"]}}},
    }
    transform, otlphttp, spanmetrics = faults(theirs)
    assert transform.startswith(
        "collector.additions.processors.transform/x: is none of the processors that ADOT v0.49.0 has; "
    )
    assert otlphttp == (
        "collector.additions.exporters.otlphttp/x: is none of the exporters that ADOT v0.49.0 has; "
        "did you mean 'otlp_http'?"
    )
    assert spanmetrics == (
        "collector.additions.connectors.spanmetrics: is none of the connectors that ADOT v0.49.0 has; "
        "leave it out: it has none"
    )


def test_what_nothing_uses_and_what_nothing_defines() -> None:
    theirs = {
        "extensions": {"pprof": {}},
        "processors": {"span": {}},
        "service": {
            "extensions": ["zpages"],
            "pipelines": {"traces": {"exporters": ["debug", "awsray"]}, "metrics/mine": {"receivers": ["otlp"]}},
        },
    }
    assert faults(theirs) == [
        "collector.additions.service.extensions: names 'zpages', which is not defined under extensions; "
        "known: health_check, pprof",
        "collector.additions.extensions.pprof: is not started; name it in service.extensions, or leave it out",
        "collector.additions.processors.span: is in no pipeline; name it in service.pipelines, or leave it out",
        "collector.additions.service.pipelines.traces.exporters: names 'debug', which is not defined under exporters; "
        "known: awsxray",
        "collector.additions.service.pipelines.traces.exporters: names 'awsray', which is not defined under exporters; "
        "did you mean 'awsxray'?",
        "collector.additions.service.pipelines.metrics/mine.exporters: is missing or empty; name at least one",
    ]


def test_memory_is_limited_first_or_not_at_all() -> None:
    theirs = {
        "processors": {"memory_limiter/mine": {}},
        "service": {
            "pipelines": {
                "traces": {"processors": ["memory_limiter/mine"]},
                "traces/mine": {"receivers": ["otlp"], "processors": ["memory_limiter"], "exporters": ["awsxray"]},
            }
        },
    }
    assert faults(theirs) == [
        "collector.additions.service.pipelines.traces.processors: limits memory after other processors, which hold it "
        "already; put memory_limiter first, or leave it to the pipelines that have it"
    ]


def test_a_pipeline_of_no_signal() -> None:
    theirs = {"service": {"pipelines": {"mine": {"receivers": ["otlp"], "exporters": ["awsxray"]}}}}
    assert faults(theirs) == [
        "collector.additions.service.pipelines.mine: carries no signal; begin its name with traces, metrics or logs"
    ]


@pytest.mark.parametrize(
    ("key", "value"), [("api_key", "hunter2"), ("Authorization", "Basic hunter2"), ("url", "https://me:hunter2@host/")]
)
def test_a_secret_in_plain_text_is_refused_and_not_repeated(key: str, value: str) -> None:
    theirs = {"exporters": {"awsxray": {"headers": [{key: value}]}}}
    assert faults(theirs) == [
        f"collector.additions.exporters.awsxray.headers.0.{key}: is a secret in plain text, which everyone who may "
        "read task definitions can see; send to a partner by `destinations`, whose headers are ARNs of secrets"
    ]
    assert faults({"exporters": {"awsxray": {key: "${env:X}"}}}) == []


def test_a_conflict_never_repeats_a_secret() -> None:
    ours = OURS | {"exporters": {"awsxray": {"api_key": "${env:KEY}"}}}
    found = faults({"exporters": {"awsxray": {"api_key": "hunter2"}}}, ours)
    assert len(found) == 2
    assert "hunter2" not in "".join(found)


@pytest.mark.parametrize("pattern", Pattern)
def test_a_release_that_lacks_what_we_use_is_refused(monkeypatch: pytest.MonkeyPatch, pattern: Pattern) -> None:
    release = adot.RELEASES["v0.49.0"]
    lacking = adot.Release(
        release.extensions - {"file_storage"}, release.receivers, release.processors, release.exporters - {"awsxray"}
    )
    monkeypatch.setitem(adot.RELEASES, "v0.50.0", lacking)  # pyright: ignore[reportArgumentType]
    image = f"mirror/adot:v0.50.0@sha256:{'0' * 64}"
    assert [str(fault) for fault in collector.faults(inputs(pattern, {}), image)] == [
        "collector.image: is a release without awsxray, file_storage, which our own configuration uses "
        f"(got '{image[:76]}...); keep a release that has it"
    ]


@pytest.mark.parametrize("pattern", Pattern)
def test_our_own_configurations_are_without_fault(pattern: Pattern) -> None:
    assert collector.faults(inputs(pattern, {}), adot.IMAGE) == []


def test_the_front_stays_ours() -> None:
    theirs = {"exporters": {"debug": None}, "service": {"pipelines": {"traces": {"exporters": ["debug"]}}}}
    with_additions = inputs(Pattern.SERVICE, theirs)
    assert "debug" in collector.configuration(with_additions)["exporters"]
    assert collector.front(with_additions) == collector.front(inputs(Pattern.SERVICE, {}))


_TEXTS = some.text(some.characters(exclude_characters="\0"))


@given(_TEXTS, _TEXTS)
def test_texts_arrive_as_they_are(key: str, value: str) -> None:
    """Also those that look like YAML, and a `$`: it is for the collector to read."""
    theirs = {"exporters": {"debug": {key: value}}}
    configuration = collector.configuration(inputs(Pattern.SIDECAR, theirs))
    assert configuration["exporters"]["debug"] == {key: value}
    assert json.loads(json.dumps(configuration))["exporters"]["debug"] == {key: value}


@pytest.mark.parametrize(
    "value", ["${env:HOME}", "$$1", "yes", "0:30", "- a", "a: b", "#", "'\"", "a\nb", "{{ }}", "!!python/object", "*x"]
)
def test_hostile_texts_survive_the_yaml(value: str) -> None:
    text = collector.to_yaml(collector.configuration(inputs(Pattern.SIDECAR, {"exporters": {"debug": {value: value}}})))
    assert yaml.safe_load(text)["exporters"]["debug"] == {value: value}
