"""The pack as Pulumi's engine runs it: a program of its own, from a copy that has nothing of this repository beside it,
asked over the engine's protocol. The CLI itself runs it in tests/pulumi_cli."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import empty_pb2, json_format, struct_pb2
from pulumi.runtime.proto import analyzer_pb2, analyzer_pb2_grpc

from policy.rules import RESOURCE_RULES, STACK_RULES
from tests.policy.examples import EXAMPLES, role_policy

pytestmark = pytest.mark.slow

PACK = Path(__file__).resolve().parents[2] / "policy"
UNKNOWN_STRING = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""What stands in a preview for a text that is not known yet (pulumi_policy.proxy)."""


@pytest.fixture(scope="module")
def analyzer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[analyzer_pb2_grpc.AnalyzerStub]:
    pack = tmp_path_factory.mktemp("elsewhere") / "policy"
    shutil.copytree(PACK, pack, ignore=shutil.ignore_patterns("__pycache__"))
    # Isolated from the environment's PYTHONPATH and from the working directory, as nobody has this repository there.
    process = subprocess.Popen([sys.executable, "-u", str(pack)], cwd=pack.parent, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield analyzer_pb2_grpc.AnalyzerStub(channel)
    finally:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()


def struct(inputs: Any) -> struct_pb2.Struct:
    return json_format.ParseDict(json.loads(json.dumps(inputs)), struct_pb2.Struct())


def test_the_pack_has_every_rule(analyzer: analyzer_pb2_grpc.AnalyzerStub) -> None:
    info = analyzer.GetAnalyzerInfo(empty_pb2.Empty())
    assert info.name == "ecs-observability"
    levels = {policy.name: policy.enforcementLevel for policy in info.policies}
    assert levels == {
        **{rule.name: analyzer_pb2.ADVISORY if rule.advisory else analyzer_pb2.MANDATORY for rule in RESOURCE_RULES},
        **{rule.name: analyzer_pb2.MANDATORY for rule in STACK_RULES},
    }


@pytest.mark.parametrize("rule", [rule.name for rule in RESOURCE_RULES])
def test_resources_are_judged(analyzer: analyzer_pb2_grpc.AnalyzerStub, rule: str) -> None:
    for example in EXAMPLES[rule]:
        for name, resource in example.resources.items():
            request = analyzer_pb2.AnalyzeRequest(
                type=resource.type, urn=resource.urn, name=name, properties=struct(resource.inputs)
            )
            answer = analyzer.Analyze(request)
            mine = [one.message for one in answer.diagnostics if one.policyName == rule]
            wanted = example.says.get(name, ())
            assert len(mine) == len(wanted)
            assert all(any(text in message for message in mine) for text in wanted)


@pytest.mark.parametrize("rule", [rule.name for rule in STACK_RULES])
def test_stacks_are_judged(analyzer: analyzer_pb2_grpc.AnalyzerStub, rule: str) -> None:
    for example in EXAMPLES[rule]:
        request = analyzer_pb2.AnalyzeStackRequest(
            resources=[
                analyzer_pb2.AnalyzerResource(
                    type=resource.type,
                    urn=resource.urn,
                    name=name,
                    properties=struct({**resource.inputs, "id": resource.id}),
                )
                for name, resource in example.resources.items()
            ]
        )
        mine = {(one.urn, one.message) for one in analyzer.AnalyzeStack(request).diagnostics if one.policyName == rule}
        wanted = {(f"urn:{name}", text) for name, texts in example.says.items() for text in texts}
        assert len(mine) == len(wanted)
        assert all(any(urn == other and text in message for other, message in mine) for urn, text in wanted)


def test_what_a_preview_does_not_know_is_said_and_refuses_nothing(analyzer: analyzer_pb2_grpc.AnalyzerStub) -> None:
    request = analyzer_pb2.AnalyzeRequest(
        type=role_policy()[0], urn="urn:one", name="one", properties=struct({"policy": UNKNOWN_STRING})
    )
    answer = analyzer.Analyze(request)
    assert {one.policyName for one in answer.diagnostics} == {"least-privilege", "no-confused-deputy", "no-strangers"}
    assert all("during preview" in one.message for one in answer.diagnostics)
    assert {one.enforcementLevel for one in answer.diagnostics} == {analyzer_pb2.ADVISORY}


def test_a_preview_knows_what_belongs_together_before_there_are_ids(analyzer: analyzer_pb2_grpc.AnalyzerStub) -> None:
    everything = next(example for example in EXAMPLES["private-buckets"] if not example.says).resources
    resources = [
        analyzer_pb2.AnalyzerResource(
            type=resource.type,
            urn=resource.urn,
            name=name,
            properties=struct(
                {key: UNKNOWN_STRING if key == "bucket" else one for key, one in resource.inputs.items()}
            ),
            propertyDependencies={
                key: analyzer_pb2.AnalyzerPropertyDependencies(urns=["urn:bucket"])
                for key in resource.inputs
                if key == "bucket"
            },
        )
        for name, resource in everything.items()
    ]
    whole = analyzer.AnalyzeStack(analyzer_pb2.AnalyzeStackRequest(resources=resources))
    assert [one.message for one in whole.diagnostics if one.policyName == "private-buckets"] == []
    without = [one for one in resources if "Policy" not in one.type]
    lacking = analyzer.AnalyzeStack(analyzer_pb2.AnalyzeStackRequest(resources=without))
    [said] = [one for one in lacking.diagnostics if one.policyName == "private-buckets"]
    assert (said.urn, "takes requests without TLS" in said.message) == ("urn:bucket", True)
