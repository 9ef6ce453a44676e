"""Descriptions are what the docstrings below the fields of a model say."""

from documents.described import descriptions
from documents.model import Model


class Wheel(Model):
    """One of several."""

    size: int
    """Inches,
    as a rule."""
    spare: bool = False
    """Whether it is one."""
    silent: int = 0

    def turned(self) -> int:
        """Not a field."""
        return self.size


class Small(Wheel):
    """Smaller."""

    size: int = 3
    spare: bool = True
    """Always."""
    color: str = ""
    # A comment is not for readers.
    """Of the rim."""


def test_a_docstring_is_one_line() -> None:
    assert descriptions(Wheel) == {"size": "Inches, as a rule.", "spare": "Whether it is one."}


def test_a_field_that_says_nothing_has_the_description_of_its_base() -> None:
    assert descriptions(Small) == {"size": "Inches, as a rule.", "spare": "Always.", "color": "Of the rim."}
