"""Pieces of a configuration become one, and never silently another."""

import pytest

from documents.collector.part import Part, merged, pipeline


def test_parts_are_joined_section_by_section() -> None:
    one = Part(receivers={"otlp": {"a": 1}}, processors={"batch": {}}, pipelines={"traces": {"receivers": ["otlp"]}})
    other = Part(extensions={"zpages": {}}, receivers={"zipkin": {}}, exporters={"debug": None})
    assert merged([one, other]) == Part(
        extensions={"zpages": {}},
        receivers={"otlp": {"a": 1}, "zipkin": {}},
        processors={"batch": {}},
        exporters={"debug": None},
        pipelines={"traces": {"receivers": ["otlp"]}},
    )
    assert list(merged([one, other]).receivers) == ["otlp", "zipkin"]
    assert merged([]) == Part()


def test_what_two_parts_say_alike_is_said_once() -> None:
    one = Part(receivers={"otlp": {"a": {"b": [1]}}})
    assert merged([one, Part(receivers={"otlp": {"a": {"b": [1]}}}), one]) == one


@pytest.mark.parametrize("section", ["extensions", "receivers", "processors", "exporters", "pipelines"])
def test_one_name_never_means_two_things(section: str) -> None:
    one, other = Part(**{section: {"x": {"a": 1}}}), Part(**{section: {"x": {"a": 2}}})
    with pytest.raises(ValueError, match=f"^{section} has two different 'x'$"):
        merged([one, Part(), other])


def test_one_name_may_stand_in_two_sections() -> None:
    both = merged([Part(receivers={"awsxray": {"a": 1}}), Part(exporters={"awsxray": {"a": 2}})])
    assert both == Part(receivers={"awsxray": {"a": 1}}, exporters={"awsxray": {"a": 2}})


def test_a_pipeline_says_nothing_of_what_it_has_not() -> None:
    assert pipeline(["a", "b"], ["c"], ["d"]) == {"receivers": ["a", "b"], "processors": ["c"], "exporters": ["d"]}
    assert pipeline(["a"], [], ["d"]) == {"receivers": ["a"], "exporters": ["d"]}
