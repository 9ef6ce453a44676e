"""The site builds from the pages as they are, without a warning and without anything from a network."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.pages import ROOT, pages

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the built site."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-n", "-c", "docs"]
    # No proxy answers there: whoever asks a network fails.
    closed = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9")
    built = subprocess.run(
        [*command, "-d", str(folder / "doctrees"), str(ROOT), str(folder / "html")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "", "HOME": str(folder), "LANG": "C.UTF-8", **closed},
    )
    assert (built.returncode, built.stderr) == (0, "")
    return folder / "html"


def test_every_page_is_there(site: Path) -> None:
    made = {str(path.relative_to(site).with_suffix(".md")) for path in site.rglob("*.html")}
    own = {name for name in pages() if name.startswith(("docs/", "sample/")) or "/" not in name}
    assert made - own == {"genindex.md", "search.md", "index.md"}
    assert own <= made


def test_nothing_is_fetched_from_elsewhere(site: Path) -> None:
    fetched = {
        source
        for page in site.rglob("*.html")
        for source in re.findall(
            r'<(?:script|img|link|iframe|source)\b[^>]*?\b(?:src|href)="(https?:[^"]+|//[^"]+)"', page.read_text()
        )
    }
    assert fetched == set()


def test_the_first_page_leads_to_the_contents(site: Path) -> None:
    assert 'url=docs/index.html"' in (site / "index.html").read_text()
    assert "Getting started" in (site / "docs/index.html").read_text()
