"""Stack files read as the CLI reads them."""

from pathlib import Path

import pytest

from preview.recording import ProgramError, Secret
from preview.stack import load

CONFIG = """
config:
  aws:region: {value: eu-west-1}
  size: {type: integer, default: 2}
  on: {type: boolean, default: true}
  names: {type: array, items: {type: string}, default: []}
  owner: {type: string}
  token: {type: string, secret: true}
"""


def test_values_and_defaults_reach_the_program_as_texts(project):
    root = project(
        "",
        CONFIG,
        """
        config:
          toy:owner: ops
          toy:token: {secure: v1:abc}
          toy:names: [a, b]
          toy:free: {when: 12:30, answer: yes, day: 2026-11-22, secret: {secure: v1:def}, ratio: 0.5}
        """,
    )
    files = load(root, "dev")
    assert files.texts == {
        "aws:region": "eu-west-1",
        "toy:size": "2",
        "toy:on": "true",
        "toy:names": '["a", "b"]',
        "toy:owner": "ops",
        "toy:token": "<secret>",
        "toy:free": '{"answer": "yes", "day": "2026-11-22", "ratio": 0.5, "secret": "<secret>", "when": "12:30"}',
    }
    assert files.secret_keys == {"toy:token", "toy:free"}
    assert files.values["toy:token"] == Secret("<secret>")
    assert files.values["toy:free"] == {
        "when": "12:30",
        "answer": "yes",
        "day": "2026-11-22",
        "secret": Secret("<secret>"),
        "ratio": 0.5,
    }
    assert files.warnings == ()


def test_all_faults_come_at_once(project):
    root = project(
        "",
        CONFIG,
        """
        config:
          toy:ownr: ops
          toy:token: plain
          toy:names: [a, 1]
          toy:size: many
          stray: 1
        """,
    )
    with pytest.raises(ProgramError) as refused:
        load(root, "dev")
    assert str(refused.value) == (
        "invalid configuration of stack 'dev':\n"
        "  stray: has no namespace; write toy:stray\n"
        "  toy:size: has the wrong type (got 'many'); give a whole number\n"
        "  toy:names: has the wrong type (got a list); give a list of texts\n"
        "  toy:owner: is missing; give a text (is 'ownr' meant for it?)\n"
        "  toy:token: is not encrypted; set it with pulumi config set --secret toy:token"
    )
    assert "plain" not in str(refused.value)


def test_overrides_go_before_the_file(project):
    root = project("", CONFIG, "config:\n  toy:owner: ops\n  toy:token: {secure: x}\n  toy:size: 3\n")
    files = load(root, "dev", {"size": 7, "aws:region": "us-east-1", "owner": "me", "names": ["x"]})
    assert (files.texts["toy:size"], files.texts["aws:region"], files.texts["toy:names"]) == ("7", "us-east-1", '["x"]')
    assert load(root, "dev", {"size": None}).texts["toy:size"] == "2"
    with pytest.raises(ProgramError, match="toy:owner: is missing; give a text"):
        load(root, "dev", {"owner": None})


@pytest.mark.parametrize(
    ("stack", "text", "message"),
    [
        ("prod", "", "no stack 'prod': Pulumi.prod.yaml does not exist; there are: dev"),
        ("../dev", "", "no stack '../dev': Pulumi.../dev.yaml does not exist; there are: dev"),
        ("dev", "config:\n  a: [", "Pulumi.dev.yaml: not readable as YAML: expected the node content, but found"),
        ("dev", "config:\n  toy:a: 1\n  toy:a: 2\n", "not readable as YAML: the key 'toy:a' stands twice in line 3"),
        ("dev", "- 1\n", "Pulumi.dev.yaml: has no keys; give a map of keys and values"),
        ("dev", "config: [1]\n", "Pulumi.dev.yaml: config: has the wrong type (got a list); give a map"),
    ],
)  # fmt: skip
def test_unreadable_files_are_named(project, stack, text, message):
    with pytest.raises(ProgramError) as refused:
        load(project("", "", text), stack)
    assert message in str(refused.value)


def test_no_project(tmp_path: Path):
    with pytest.raises(ProgramError, match=r"Pulumi.yaml does not exist"):
        load(tmp_path, "dev")


def test_values_that_only_the_cli_knows_are_warned_of(project):
    files = load(project("", "", "environment: [shared]\n"), "dev")
    assert files.warnings == (
        "Pulumi.dev.yaml: the values of its `environment` are known to the CLI only and are missing here",
    )


def test_anchors_and_merge_keys(project):
    root = project(
        "", "", "config:\n  toy:a: &a {x: 1, y: 2}\n  toy:b: {<<: *a, y: 3}\n  toy:c: *a\n  toy:d:\n  toy:e: 010\n"
    )
    files = load(root, "dev")
    assert files.values == {
        "toy:a": {"x": 1, "y": 2},
        "toy:b": {"x": 1, "y": 3},
        "toy:c": {"x": 1, "y": 2},
        "toy:d": None,
        "toy:e": "010",
    }
