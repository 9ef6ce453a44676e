"""A headless Chromium, where there is one on PATH."""

import shutil
from pathlib import Path
from typing import Final

CHROMIUM: Final = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def flags(profile: Path, *, dark: bool = False) -> tuple[str, ...]:
    """How it is started: without a window, with a profile of its own, and nothing asked from any network."""
    return (
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--hide-scrollbars",
        "--disable-lcd-text",
        f"--user-data-dir={profile}",
        f"--blink-settings=preferredColorScheme={0 if dark else 1}",
    )
