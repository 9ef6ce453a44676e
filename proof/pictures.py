"""`python -m proof.pictures STACK`: pictures for the documentation, from the report that `make prove` has written.

They go to docs/images: one of the report's beginning, and one of each dashboard in docs/images/dashboards.
"""

import argparse
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from proof.chromium import CHROMIUM, flags

_ROOT: Final = Path(__file__).resolve().parent.parent
_WIDTH: Final = 1280
_HIGHEST: Final = 2400
"""Of a longer dashboard the picture shows the beginning."""
_SCALE: Final = 0.75
"""Pages of documentation are no wider, and a picture stays below 200 kB."""
_FIRST: Final = 960
"""How much of the report's beginning its picture shows."""


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; its exit code is 2 where something that it needs is missing."""
    parser = argparse.ArgumentParser(prog="python -m proof.pictures", description=__doc__)
    parser.add_argument("stack", help="a stack that has a report, such as dev")
    page = _ROOT / "build" / parser.parse_args(arguments).stack / "report.html"
    if CHROMIUM is None:
        print("pictures: Chromium is needed, and is not on PATH", file=sys.stderr)
        return 2
    if not page.is_file():
        print(f"pictures: {page.relative_to(_ROOT)} does not exist; make prove writes it", file=sys.stderr)
        return 2
    for path in take(CHROMIUM, page.read_text(encoding="utf-8"), _ROOT / "docs" / "images"):
        print(f"{path.relative_to(_ROOT)}  {path.stat().st_size // 1024} KiB")
    return 0


def take(chromium: str, html: str, folder: Path) -> list[Path]:
    """Every picture of a report."""
    uids = re.findall(r'role="tabpanel" id="dashboard-([^"]+)" aria-labelledby="tab-', html)
    (folder / "dashboards").mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="pictures-") as temporary:
        camera = _Camera(chromium, Path(temporary))
        camera.take(html, "", _FIRST, folder / "report.png")
        alone = html.replace("<html ", "<html data-only ", 1)
        for uid in uids:
            shown = f"dashboard-{uid}"
            camera.take(alone, shown, min(camera.height(alone, shown), _HIGHEST), folder / "dashboards" / f"{uid}.png")
    return [folder / "report.png", *(folder / "dashboards" / f"{uid}.png" for uid in uids)]


class _Camera:
    def __init__(self, chromium: str, folder: Path) -> None:
        self._chromium = chromium
        self._folder = folder

    def height(self, html: str, shown: str) -> int:
        """How high the page is."""
        said = self._run(html, shown, 600, "--dump-dom")
        found = re.search(r'data-height="(\d+)"', said)
        return int(found[1]) if found else _FIRST

    def take(self, html: str, shown: str, height: int, picture: Path) -> None:
        """A picture of the page with that part of it shown."""
        self._run(html, shown, height, f"--screenshot={picture}")

    def _run(self, html: str, shown: str, height: int, *what: str) -> str:
        page = self._folder / "page.html"
        page.write_text(html, encoding="utf-8")
        asked = [
            *(self._chromium, *flags(self._folder / "profile"), "--virtual-time-budget=8000"),
            *(
                f"--force-device-scale-factor={_SCALE}",
                f"--window-size={_WIDTH},{height}",
                *what,
                f"{page.as_uri()}#{shown}",
            ),
        ]
        return subprocess.run(asked, capture_output=True, text=True, timeout=120, check=True).stdout


if __name__ == "__main__":
    sys.exit(main())
