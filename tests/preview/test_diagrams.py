"""The pictures of the project's own stacks show what their recordings have."""

import re
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

import pytest

from preview import diagrams
from preview.recorder import record
from preview.recording import Recording

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module", params=["dev", "prod"])
def recording(request: pytest.FixtureRequest) -> Recording:
    return record(ROOT, request.param)


def words(svg: str) -> Counter[str]:
    return Counter(one.text or "" for one in ElementTree.fromstring(svg).iter(f"{SVG}text"))


def boxes(svg: str) -> Counter[str]:
    return Counter(one.get("class") or "" for one in ElementTree.fromstring(svg).iter(f"{SVG}rect"))


def test_what_is_made(recording: Recording) -> None:
    svg = diagrams.made(recording)
    said, drawn = words(svg), boxes(svg)
    services = recording.of_type("aws:ecs/service:Service")
    assert {text for text in said if text.startswith("service ")} == {
        f"service {one.inputs['name']}" for one in services
    }
    assert drawn["task"] == len(services)
    assert sum(bool(re.fullmatch(r"eu-west-1[a-c]", text)) for text in said) == len(
        recording.of_type("aws:ec2/subnet:Subnet")
    )
    alarms = len(recording.of_type("aws:cloudwatch/metricAlarm:MetricAlarm"))
    assert said[f"{alarms} alarms"] == 1
    assert said["critical, heartbeat, warning"] == 1
    assert (drawn["person"] == 1) == bool(recording.of_type("aws:sns/topicSubscription:TopicSubscription"))


def test_which_way_telemetry_goes(recording: Recording) -> None:
    said = words(diagrams.telemetry(recording))
    if recording.stack == "dev":
        assert said["collector"] == 2
        assert (said["OTLP on localhost"], said["OTLP"]) == (2, 0)
        assert (said["remote write"], said["segments"]) == (2, 2)
        assert said["People"] == 0
    else:
        assert (said["front"], said["collector"]) == (1, 1)
        assert (said["OTLP on localhost"], said["OTLP"]) == (1, 2)
        assert (said["remote write"], said["segments"]) == (1, 1)
        assert said["People"] == 1
    assert (said["asks"], said["alerts"], said["alarms"]) == (3, 1, 1)


def test_the_same_recording_gives_the_same_bytes(recording: Recording) -> None:
    assert diagrams.made(recording) == diagrams.made(recording)
    assert diagrams.telemetry(recording) == diagrams.telemetry(recording)


def test_no_secret_and_nothing_of_a_user_is_in_it(recording: Recording) -> None:
    text = diagrams.made(recording) + diagrams.telemetry(recording)
    assert "<your" not in text
    assert "&lt;your" not in text
