"""What is committed is what the code makes: `make reference` writes it anew."""

import pytest

from documents.environment import Settings
from manual import __main__ as manual
from manual import configuration
from manual.schema import schema

STALE = "is not what the code makes any more: run `make reference`"


def test_the_page_of_all_keys_is_not_stale() -> None:
    page = manual.ROOT / "docs/reference/configuration.md"
    assert page.read_text() == configuration.page(schema(Settings)), f"{page.name} {STALE}"


@pytest.mark.slow
def test_nothing_that_is_made_is_stale() -> None:
    made = dict(manual.files(manual.ROOT))
    assert {path.name for path, text in made.items() if path.read_text() != text} == set(), STALE
    folders = {path.parent for path in made}
    assert {path for folder in folders for path in folder.iterdir()} == set(made)
