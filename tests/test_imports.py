"""The program loads what it needs and no more: modules of provider SDKs take a tenth of a second each, and some half a
second. What a whole run loads, tests/trials/test_program.py says."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

LOADED = """
import json, sys

def held():
    of_providers = ("pulumi_aws", "pulumi_docker_build", "pulumiverse_grafana")
    # `pulumi_aws` puts a lazy module in the place of each; what is in one is there once it is loaded.
    aws = {name.split(".")[1] for name in sys.modules if name.startswith("pulumi_aws.") and name.count(".") > 1}
    return [name for name in of_providers if name in sys.modules], sorted(aws)

import settings
first = held()
import components
print(json.dumps([first, held()]))
"""


def test_what_the_entry_point_loads() -> None:
    done = subprocess.run([sys.executable, "-c", LOADED], cwd=ROOT, capture_output=True, check=True, timeout=300)
    of_settings, of_components = json.loads(done.stdout)
    assert of_settings == [[], []]
    assert of_components == [
        ["pulumi_aws", "pulumi_docker_build", "pulumiverse_grafana"],
        ["amp", "cloudwatch", "ec2", "ecs", "iam", "servicediscovery", "vpc"],
    ]
