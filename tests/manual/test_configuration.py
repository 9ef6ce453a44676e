"""The page of all keys: what it says of a model, and that it says it of every key."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any

import pytest
from pydantic import Field

from documents.environment import Settings
from documents.model import Model
from manual import configuration
from manual.schema import schema


class Speed(StrEnum):
    FAST = "fast"
    SLOW = "slow"


class Wheel(Model):
    """One of several."""

    size: Annotated[int, Field(ge=1, le=9)]
    """Inches; docs/tasks.md."""


class Car(Model):
    """All of it."""

    name: str
    """What it is called."""
    speed: Speed = Speed.FAST
    """How it goes, a
    line long."""
    wheels: tuple[Wheel, ...] = ()
    """What it stands on."""
    named: Mapping[str, Wheel | Speed] = {}
    """Others, or a word."""
    share: Annotated[float, Field(gt=0, le=1)] | None = None
    """Of the way."""
    free: Mapping[str, Any] = {}
    """Whatever."""
    one: Annotated[tuple[str, ...], Field(min_length=1)] = ("a", "b")
    """At least one."""


def test_the_page_of_a_model() -> None:
    page = configuration.page(schema(Car))
    assert page[page.index("## All") :] == (
        "## All of them\n"
        "\n"
        "| key | type | default | allowed | meaning |\n"
        "|---|---|---|---|---|\n"
        "| `name` | text | required |  | What it is called. |\n"
        "| `speed` | text | `fast` | `fast`, `slow` | How it goes, a line long. |\n"
        "| [`wheels`](#wheelsn) | list of maps | none |  | What it stands on. |\n"
        "| [`named`](#wheelsn) | map of maps or texts | none |  | Others, or a word. |\n"
        "| `share` | number | none | above 0, at most 1 | Of the way. |\n"
        "| `free` | map | none |  | Whatever. |\n"
        "| `one` | list of texts | `a`, `b` | at least 1 entry | At least one. |\n"
        "\n"
        "## `wheels.N`\n"
        "\n"
        "One of several.\n"
        "\n"
        "| key | type | default | allowed | meaning |\n"
        "|---|---|---|---|---|\n"
        "| `size` | whole number | required | 1 to 9 | Inches; [tasks](../tasks.md). |\n"
    )


def models(fragment: Any) -> list[tuple[str, Any]]:
    """Every map of known keys, by name."""
    return [one for one in [*fragment["$defs"].items(), ("Settings", fragment)] if "properties" in one[1]]


@pytest.mark.parametrize(("name", "definition"), models(schema(Settings)))
def test_every_key_is_described(name: str, definition: Any) -> None:
    """In sentences that a reader of any language gets, and that no table breaks."""
    undescribed = [key for key, one in definition["properties"].items() if not one.get("description")]
    assert undescribed == []
    assert [key for key, one in definition["properties"].items() if not one["description"].endswith(".")] == []


def test_every_key_of_a_stack_file_is_on_the_page() -> None:
    page = configuration.page(schema(Settings))
    for _, definition in models(schema(Settings)):
        for key in definition["properties"]:
            assert f"`{key}`" in page
