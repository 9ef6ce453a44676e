"""That the comparison of a state with a recording fails where they are not the same."""

import json
from typing import Any, Final

import pytest

from preview.engine import SECRET, SIGNATURE
from preview.recorder import Secret
from tests.pulumi_cli.asserts import differences, known_of

ROLE: Final = "arn:aws:iam::123456789012:role/shop"
ENCRYPTED: Final = {
    SIGNATURE: SECRET,
    "ciphertext": "v1:0123456789abcdef:0123456789abcdef",
}
"""As a state has what is secret."""

STATES: Final[list[dict[str, Any]]] = [
    {"urn": "urn:pulumi:dev::shop::aws:iam/role:Role::shop-task", "id": "shop", "outputs": {"arn": ROLE}},
    {
        "urn": "urn:pulumi:dev::shop::aws:ecs/cluster:Cluster::cluster",
        "id": "shop",
        "outputs": {"arn": "arn:aws:ecs:eu-west-1:123456789012:cluster/shop", "settings": [{"value": "a"}, {}]},
    },
]


def policy(*resources: str, action: str = "a:A") -> str:
    """A document as the program writes it."""
    return json.dumps({"Statement": [{"Action": action, "Resource": resources}], "Version": "2012-10-17"})


SAME: Final[dict[str, tuple[Any, Any]]] = {
    "a text": ("shop", "shop"),
    "a list of numbers": ([1, 0.5, True], [1, 0.5, True]),
    "nothing": ({"a": None, "b": []}, {"a": None, "b": []}),
    "a placeholder": ({"roleArn": ROLE}, {"roleArn": "<shop-task.arn>"}),
    "an id": ("shop", "<shop-task.id>"),
    "a placeholder in a text": (f'{{"Resource": "{ROLE}/*"}}', '{"Resource": "<shop-task.arn>/*"}'),
    "a part of a list": ("a", "<cluster.settings.value>"),
    "services of a cluster": ("arn:aws:ecs:eu-west-1:123456789012:service/shop/*", "<cluster.arn>/*"),
    "the account": ("arn:aws:kms:eu-west-1:123456789012:alias/shop", "arn:aws:kms:eu-west-1:<account>:alias/shop"),
    "a text that is no placeholder": ("<{{ .Annotations }}|a>", "<{{ .Annotations }}|a>"),
    "a policy": (policy(f"{ROLE}/*", "arn:aws:s3:::z"), policy("arn:aws:s3:::z", "<shop-task.arn>/*")),
    "a secret": ({"key": ENCRYPTED}, {"key": Secret("a")}),
    "a list with a secret in it": (ENCRYPTED, [{"user": "AWS", "password": Secret("a")}]),
}

OTHER: Final[dict[str, tuple[Any, Any, str]]] = {
    "a value": ({"cpu": "512"}, {"cpu": "256"}, "cpu"),
    "a nested value": ({"a": [{"b": 1}, {"b": 2}]}, {"a": [{"b": 1}, {"b": 3}]}, "a[1].b"),
    "a type": ({"a": True}, {"a": 1}, "a"),
    "a number as a text": ({"a": 1}, {"a": "1"}, "a"),
    "a key more": ({"a": {"b": 1, "c": 2}}, {"a": {"b": 1}}, "a"),
    "a key less": ({"a": {"b": 1}}, {"a": {"b": 1, "c": 2}}, "a"),
    "an item less": ({"a": [1]}, {"a": [1, 2]}, "a"),
    "the text around a placeholder": (f"{ROLE}/*", "<shop-task.arn>/logs", ""),
    "the text after a placeholder": (f"{ROLE}/*", "<shop-task.arn>", ""),
    "what stands for a placeholder": (ROLE, "<shop-task.id>", ""),
    "a placeholder of nothing": (ROLE, "<shop-execution.arn>", ""),
    "the order of a list": ({"a": ["1", "1", "2"]}, {"a": ["1", "2", "1"]}, "a[1]"),
    "a resource of a policy": (policy(ROLE, "b"), policy("<shop-task.arn>", "a"), "Statement[0].Resource"),
    "an action of a policy": (policy(ROLE, action="a:B"), policy("<shop-task.arn>"), "Statement[0].Action"),
    "a dot of a text": ("1x0", "1.0", ""),
    "a secret in the clear": ({"key": "a"}, {"key": Secret("a")}, "key"),
    "what is no secret": ({"key": ENCRYPTED}, {"key": "a"}, "key"),
}


@pytest.mark.parametrize("what", SAME)
def test_the_same(what: str) -> None:
    made, recorded = SAME[what]
    assert [*differences(made, recorded, known_of(STATES))] == []


@pytest.mark.parametrize("what", OTHER)
def test_another(what: str) -> None:
    made, recorded, path = OTHER[what]
    differing = [each.partition(": is ")[0] for each in differences(made, recorded, known_of(STATES))]
    assert differing[:1] == [path]
