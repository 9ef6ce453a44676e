"""The report in a headless Chromium, where there is one."""

import json
import re
import shutil
import subprocess
from dataclasses import dataclass
from html import unescape
from pathlib import Path

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

needed = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on PATH")

_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--virtual-time-budget=10000",
    "--enable-logging=stderr",
    "--allow-file-access-from-files",
)

# A window cannot be as narrow as a phone, so the page is looked at in a frame, which tells what it sees.
_FRAME = """<!doctype html><body style="margin:0">
<iframe id="page" src="%s" style="border:0;width:%dpx;height:3000px"></iframe>
<pre id="seen"></pre>
<script>
const page = document.getElementById("page");
page.addEventListener("load", () => setTimeout(() => {
  const inside = page.contentDocument;
  document.getElementById("seen").textContent = JSON.stringify({
    charts: [...inside.querySelectorAll(".chart")].map(one => one.id),
    drawn: [...inside.querySelectorAll(".chart")].filter(one => one.querySelector(".js-line")).map(one => one.id),
    width: inside.documentElement.scrollWidth,
    background: getComputedStyle(inside.body).backgroundColor,
  });
}, 2000));
</script>"""


@dataclass(frozen=True)
class Seen:
    """The page as it looks: ids of all charts and of those with a line in them; `console` is what it complained of."""

    charts: tuple[str, ...]
    drawn: tuple[str, ...]
    width: int
    background: str
    console: tuple[str, ...]


def look(page: Path, profile: Path, *, width: int = 1280, dark: bool = False) -> Seen:
    """Opens a page in a frame of that width."""
    frame = page.with_name(f"frame-{width}.html")
    frame.write_text(_FRAME % (page.name, width), encoding="utf-8")
    asked = [
        *(str(CHROMIUM), *_FLAGS, f"--user-data-dir={profile}"),
        *(f"--window-size={max(width, 600)},3000", f"--blink-settings=preferredColorScheme={0 if dark else 1}"),
        *("--dump-dom", frame.as_uri()),
    ]
    done = subprocess.run(asked, capture_output=True, text=True, timeout=120, check=True)
    found = re.findall(r'<pre id="seen">(.*?)</pre>', done.stdout, re.DOTALL)
    seen = json.loads(unescape(found[0]))
    console = tuple(re.findall(r"CONSOLE[^\]]*\] (.*)", done.stderr))
    return Seen(tuple(seen["charts"]), tuple(seen["drawn"]), seen["width"], seen["background"], console)
