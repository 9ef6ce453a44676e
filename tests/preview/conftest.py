"""Small Pulumi programs on disk."""

from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

Project = Callable[..., Path]

IMPORTS = "import json\nimport pulumi\nimport pulumi_aws as aws\nfrom pulumi import ResourceOptions\n"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Writes a project named `toy` with a stack `dev`; further files by name."""

    def write(program: str, config: str = "", stack: str = "config:\n  aws:region: eu-west-1\n", **files: str) -> Path:
        root = tmp_path / "toy"
        root.mkdir(exist_ok=True)
        (root / "Pulumi.yaml").write_text(f"name: toy\nruntime: python\n{dedent(config)}")
        (root / "Pulumi.dev.yaml").write_text(dedent(stack))
        (root / "__main__.py").write_text(IMPORTS + dedent(program))
        for name, text in files.items():
            (root / f"{name}.py").write_text(dedent(text))
        return root

    return write
