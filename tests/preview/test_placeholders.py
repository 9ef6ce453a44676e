"""Stand-ins for judges."""

import re

from preview.placeholders import fill
from preview.recorder import record

PROGRAM = """
workspace = aws.amp.Workspace("metrics", alias="toy")
role = aws.iam.Role("role", name="toy-role", assume_role_policy="{}")
group = aws.ec2.SecurityGroup("same", vpc_id="vpc-1")
logs = aws.cloudwatch.LogGroup("logs", name="/toy")
queue = aws.sqs.Queue("queue", name="toy")
"""


def test_fill(project):
    recording = record(project(PROGRAM), "dev")

    def filled(text: str) -> str:
        return fill(recording, text)

    assert re.fullmatch(r"arn:aws:aps:eu-west-1:123456789012:workspace/ws-[0-9a-f-]{36}", filled("<metrics.arn>"))
    assert re.fullmatch(
        r"https://aps-workspaces\.eu-west-1\.amazonaws\.com/workspaces/ws-[0-9a-f-]{36}/api/v1/remote_write",
        filled("<metrics.prometheusEndpoint>api/v1/remote_write"),
    )
    assert filled("<role.arn> <role.id>") == "arn:aws:iam::123456789012:role/toy-role toy-role"
    assert re.fullmatch(r"sg-[0-9a-f]{17}", filled("<same.id>"))
    assert filled("<logs.arn>:*") == "arn:aws:logs:eu-west-1:123456789012:log-group:/toy:*"
    assert filled("<queue.arn> <queue.url>") == "arn:aws:sqs:eu-west-1:123456789012:toy toy-url"
    assert filled("<account>") == "123456789012"
    assert fill(recording, "<account> <role.arn>", account="000000000000") == (
        "000000000000 arn:aws:iam::000000000000:role/toy-role"
    )


def test_what_is_not_ours_stays(project):
    recording = record(project(PROGRAM), "dev")
    assert fill(recording, "<your Identity Center user id> <stranger.arn>") == (
        "<your Identity Center user id> <stranger.arn>"
    )
