"""The policy pack on the real engine: a deployment keeps to it; what does not is refused before it is made."""

import json
import shutil
import sys
from pathlib import Path

import pytest

from tests.pulumi_cli.stack import ROOT, Fresh, Stack

pytestmark = pytest.mark.slow

WITHOUT_A_KEY = """

import pulumi_aws

pulumi_aws.sns.Topic("without-a-key")
"""

BUCKETS = """
import json

import pulumi_aws as aws

DENY = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::shop/*",
        "Condition": {"Bool": {"aws:SecureTransport": "false"}}}

kept = aws.s3.Bucket("kept", bucket="kept")
aws.s3.BucketPublicAccessBlock("kept", bucket=kept.id, block_public_acls=True, block_public_policy=True,
                               ignore_public_acls=True, restrict_public_buckets=True)
aws.s3.BucketServerSideEncryptionConfiguration(
    "kept", bucket=kept.id, rules=[{"apply_server_side_encryption_by_default": {"sse_algorithm": "AES256"}}])
aws.s3.BucketPolicy("kept", bucket=kept.id, policy=json.dumps({"Version": "2012-10-17", "Statement": [DENY]}))
aws.s3.Bucket("left", bucket="left")
"""


@pytest.fixture
def on_time(fresh: Fresh) -> Fresh:
    """Stacks whose programs have the machine's clock: with the one of `Stack`, the pack's server is never found."""

    def new(name: str) -> Stack:
        stack = fresh(name)
        (stack.folder / "clock" / "sitecustomize.py").write_text("", encoding="utf-8")
        return stack

    return new


@pytest.fixture
def pack(tmp_path: Path) -> str:
    """The pack, to be run by the interpreter that has its requirements; on a user's machine that is on PATH."""
    folder = shutil.copytree(ROOT / "policy", tmp_path / "pack", ignore=shutil.ignore_patterns("__pycache__"))
    runtime = {"name": "python", "options": {"virtualenv": sys.prefix}}
    (folder / "PulumiPolicy.yaml").write_text(json.dumps({"runtime": runtime}), encoding="utf-8")
    return str(folder)


def test_the_stack_keeps_to_the_pack_and_what_does_not_is_refused(on_time: Fresh, pack: str) -> None:
    stack = on_time("dev")
    preview = stack.run("preview", "--policy-pack", pack)
    assert "[mandatory]" not in preview.output
    # Tasks of a stack without private subnets reach AWS by public addresses of their own.
    assert "[advisory]  no-public-address-of-tasks  (aws:ecs:Service: " in preview.output

    program = stack.project / "__main__.py"
    program.write_text(program.read_text(encoding="utf-8") + WITHOUT_A_KEY, encoding="utf-8")
    refused = stack.run("preview", "--policy-pack", pack, code=None)
    assert refused.code != 0
    assert "[mandatory]  encrypted-at-rest  (aws:sns:Topic: without-a-key)" in refused.output
    assert "stores messages in the clear; give it a key" in refused.output


def test_rules_about_a_whole_stack_know_what_belongs_together(on_time: Fresh, pack: str) -> None:
    """As the engine hands over who refers to whom."""
    stack = on_time("dev")
    (stack.project / "__main__.py").write_text(BUCKETS, encoding="utf-8")
    up = stack.up("--policy-pack", pack, code=None)
    assert "[mandatory]  private-buckets  (aws:s3:Bucket: left)" in up.output
    assert "(aws:s3:Bucket: kept)" not in up.output
    assert "takes requests without TLS" in up.output
