"""How configurations travel: what is too large, where it goes, and the way back."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from documents import travel

HASH = "13550350a8681c84c861aac2e5b440161c2b33a3e4f302ac680ca5b686de48de"
ADDRESS = f"s3://shop-dev-config-123456789012.s3.eu-west-1.amazonaws.com/collector/shop-dev-web/{HASH}.yaml"


def container(name: str = "collector", text: str | None = "a: 1\n") -> dict[str, Any]:
    content = [{"name": "AOT_CONFIG_CONTENT", "value": text}] if text is not None else []
    return {
        "name": name,
        "command": ["--feature-gates=x"],
        "environment": [*content, {"name": "AWS_REGION", "value": "eu-west-1"}],
    }


def test_what_fits_is_carried() -> None:
    assert travel.too_large([container(), container("web", None)], 10_000) == {}


def test_the_limit_counts_everything_and_a_reserve() -> None:
    """To the byte: one more beside and it no longer fits."""
    free = 65_536 - 8_192 - travel.size([container()])
    assert travel.too_large([container()], free) == {}
    assert travel.too_large([container()], free + 1) == {"collector": "a: 1\n"}


def test_the_largest_moves_first_and_alone_where_that_is_enough() -> None:
    front, behind = container("front", "f" * 20_000), container("collector", "c" * 50_000)
    assert travel.too_large([front, behind], 0) == {"collector": "c" * 50_000}
    assert travel.too_large([front, behind], 40_000) == {"collector": "c" * 50_000, "front": "f" * 20_000}


def test_letters_beyond_ascii_count_as_they_may_be_written() -> None:
    assert travel.size([{"name": "é"}]) == len(json.dumps([{"name": "\\u00e9"}])) - 1


def test_the_key_changes_with_every_byte() -> None:
    assert travel.digest("a") != travel.digest("a\n")
    assert travel.key("shop-dev-web", "hello!") == f"collector/shop-dev-web/{travel.digest('hello!')}.yaml"


def test_the_address_is_the_only_form_that_adot_knows() -> None:
    assert travel.address("b", "eu-west-1", "k.yaml") == "s3://b.s3.eu-west-1.amazonaws.com/k.yaml"
    assert travel.address("b", "cn-north-1", "k.yaml") == "s3://b.s3.cn-north-1.amazonaws.com.cn/k.yaml"


def test_a_collector_that_reads_from_s3_carries_nothing() -> None:
    """`AOT_CONFIG_CONTENT` would win over `--config`."""
    drain = container("drain", None)
    assert travel.moved([container(), drain], {"collector": ADDRESS}) == [
        {
            "name": "collector",
            "command": [f"--config={ADDRESS}", "--feature-gates=x"],
            "environment": [{"name": "AWS_REGION", "value": "eu-west-1"}],
        },
        drain,
    ]


def test_only_an_address_of_ours_is_taken_for_one() -> None:
    assert travel.source({"command": [f"--config={ADDRESS}"]}) == ADDRESS
    assert travel.source({"command": ["--config=s3://theirs.s3.eu-west-1.amazonaws.com/x.yaml"]}) is None
    assert travel.source({"command": None}) is None
    assert travel.source({}) is None


@given(some.text())
def test_there_and_back(text: str) -> None:
    address = travel.address("bucket", "eu-west-1", travel.key("shop-dev-web", text))
    [moved] = travel.moved([container(text=text)], {"collector": address})
    assert travel.content(moved) is None
    back = travel.carrying(moved, text)
    assert back["command"] == ["--feature-gates=x"]
    assert travel.content(back) == text


def test_other_bytes_than_those_of_the_address_are_refused() -> None:
    [moved] = travel.moved([container()], {"collector": ADDRESS})
    with pytest.raises(ValueError, match="is not the configuration that the container reads"):
        travel.carrying(moved, "a: 2\n")


def test_definitions_that_ecs_would_refuse() -> None:
    fits = [{"name": "web", "image": "x" * (65_536 - travel.size([{"name": "web", "image": ""}]))}]
    assert travel.checked(fits) == fits
    with pytest.raises(ValueError, match="have 65,537 bytes, and ECS takes 65,536"):
        travel.checked([{**fits[0], "name": "web1"}])
