"""Each rule of the policy pack takes what is right and refuses what is wrong; real stacks are judged in
tests/components/test_every_stack.py."""

import pytest

from documents.model import holds_secret
from policy.rules import RESOURCE_RULES, STACK_RULES, ResourceRule, StackRule, access, encryption, escalation, trust
from tests.policy.examples import EXAMPLES, Example

RULES = {rule.name: rule for rule in (*RESOURCE_RULES, *STACK_RULES)}


def found(rule: ResourceRule | StackRule, example: Example) -> dict[str, list[str]]:
    """What the rule says, by name of the resource."""
    every = list(example.resources.values())
    names = {resource.urn: name for name, resource in example.resources.items()}
    said = (
        rule.check(every)
        if isinstance(rule, StackRule)
        else [(resource, fault) for resource in every for fault in rule.check(resource.type, resource.inputs)]
    )
    faults: dict[str, list[str]] = {}
    for resource, fault in said:
        faults.setdefault(names[resource.urn], []).append(fault)
    return faults


CASES = [
    pytest.param(name, example, id=f"{name}-{index}")
    for name, examples in EXAMPLES.items()
    for index, example in enumerate(examples)
]


@pytest.mark.parametrize(("name", "example"), CASES)
def test_a_rule_says_what_is_wrong_and_nothing_else(name: str, example: Example) -> None:
    said = found(RULES[name], example)
    assert {key: len(texts) for key, texts in said.items()} == {key: len(texts) for key, texts in example.says.items()}
    for key, texts in example.says.items():
        for text, wanted in zip(said[key], texts, strict=True):
            assert wanted in text


def test_every_rule_has_an_example_that_passes_and_one_that_fails() -> None:
    assert set(EXAMPLES) == set(RULES)
    for name, examples in EXAMPLES.items():
        assert {bool(example.says) for example in examples} == {True, False}, name


def test_aws_knows_every_action_of_the_paths_to_more_permissions() -> None:
    named = {*escalation.ALONE, *(action for way in escalation.WITH_ROLE for action in way)}
    # AWS closed AWS Data Pipeline to new customers; who has it still may use it.
    assert {action for action in named if not access.details(action)} <= {
        "datapipeline:CreatePipeline",
        "datapipeline:PutPipelineDefinition",
    }


def test_services_without_the_usual_conditions_have_their_source() -> None:
    for alternative in trust.ALTERNATIVES:
        assert alternative.source.startswith("https://docs.aws.amazon.com/"), alternative.service.pattern
        assert alternative.why


@pytest.mark.parametrize("name", ["DB_PASSWORD", "TOKEN", "API_KEY", "passwd", "LEVEL", "KEYBOARD", "TOKENS", "PASSED"])
def test_the_pack_and_the_program_know_secrets_by_the_same_names(name: str) -> None:
    """Two patterns, since the pack stands alone."""
    assert bool(encryption.SECRET.search(name)) is holds_secret(name, "")
