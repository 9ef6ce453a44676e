"""The Go tests of what is our own in the collector."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from tools.build import ENVIRONMENT, PROGRAMS, TOOLS, toolchain


@pytest.mark.slow
def test_the_go_tests_of_the_exporter_pass(tmp_path: Path) -> None:
    collector = PROGRAMS["collector"]
    go, _ = toolchain()
    environment = {
        **ENVIRONMENT,
        # With the flags of the build its compiled packages are used, which are hundreds.
        "GOFLAGS": f"{ENVIRONMENT['GOFLAGS']} -trimpath -tags={collector.tags}",
        "GOTMPDIR": str(tmp_path),
    }
    tested = subprocess.run(
        # Not ./..., which also compiles the whole collector, where no tests are.
        [go, "test", "./awsxray"],
        cwd=TOOLS / collector.module,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    # Other words of success are those of a package without tests.
    if not re.fullmatch(r"ok\s+collector/awsxray\s+(\(cached\)|[\d.]+s)\n", tested.stdout):
        pytest.fail(f"go test ended with exit code {tested.returncode}:\n{tested.stdout}", pytrace=False)
