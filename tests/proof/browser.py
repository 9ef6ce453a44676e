"""The report in a headless Chromium, where there is one: what is drawn, how wide, how well it can be read and used."""

import json
import re
import subprocess
from dataclasses import dataclass
from html import unescape
from pathlib import Path

import pytest

from proof.chromium import CHROMIUM, flags

needed = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on PATH")

_FRAME = Path(__file__).with_name("frame.html")


@dataclass(frozen=True)
class Seen:
    """The page as it looks and behaves.

    `boards` are the charts with something drawn in them, by dashboard; `widths` is how wide the page was each time;
    `faint` are texts of too little contrast, `nameless` controls that say nothing to a screen reader, `unreachable`
    what a keyboard does not get to, `twice` ids; `documents` the lengths of all documents as shown, and `found` those
    in which the text "receivers:" is; `backgrounds` before and after the switch of light and dark; `console` is what
    it complained of.
    """

    charts: tuple[str, ...]
    boards: dict[str, tuple[str, ...]]
    widths: frozenset[int]
    faint: frozenset[str]
    nameless: tuple[str, ...]
    unreachable: tuple[str, ...]
    twice: tuple[str, ...]
    documents: tuple[str, ...]
    found: tuple[str, ...]
    backgrounds: tuple[str, str]
    console: tuple[str, ...]


def look(page: Path, profile: Path, *, width: int = 1280, dark: bool = False) -> Seen:
    """Opens a page in a frame of that width, and uses it."""
    frame = page.with_name(f"frame-{width}.html")
    frame.write_text(_FRAME.read_text().replace("PAGE", page.name).replace("WIDTH", str(width)), encoding="utf-8")
    asked = [
        *(str(CHROMIUM), *flags(profile, dark=dark), "--virtual-time-budget=40000", "--enable-logging=stderr"),
        *("--allow-file-access-from-files", f"--window-size={max(width, 600)},3000", "--dump-dom", frame.as_uri()),
    ]
    done = subprocess.run(asked, capture_output=True, text=True, timeout=120, check=True)
    said = re.findall(r'<pre id="seen">(.*?)</pre>', done.stdout, re.DOTALL)
    console = tuple(re.findall(r"CONSOLE[^\]]*\] (.*)", done.stderr))
    assert said[0], f"the page was not used to its end: {console}"
    seen = json.loads(unescape(said[0]))
    return Seen(
        charts=tuple(seen["charts"]),
        boards={uid: tuple(drawn) for uid, drawn in seen["boards"].items()},
        widths=frozenset(seen["widths"]),
        faint=frozenset(seen["faint"]),
        nameless=tuple(seen["nameless"]),
        unreachable=tuple(seen["unreachable"]),
        twice=tuple(seen["twice"]),
        documents=tuple(seen["paths"]),
        found=tuple(seen["found"]),
        backgrounds=(seen["before"], seen["after"]),
        console=console,
    )
