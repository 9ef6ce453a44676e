"""Where what a container writes goes: a log group of the stack, one that exists, or wherever FireLens routes it.

Sources: Amazon ECS API Reference, FirelensConfiguration and LogConfiguration; Amazon ECS Developer Guide, "Send Amazon
ECS logs to an AWS service or AWS Partner"; Fluent Bit's manual, "Amazon CloudWatch" (`cloudwatch_logs`); Amazon
CloudWatch Logs API Reference, CreateLogGroup (names of log groups).
"""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field, field_validator

from documents import names
from documents.faults import Fault, wrong
from documents.model import ImageReference, Model, SecretArn, Whole, holds_secret, some
from documents.policies import Statement

IMAGE: Final = "public.ecr.aws/aws-observability/aws-for-fluent-bit:3.4.16"
"""AWS's build of Fluent Bit, for both architectures; 2.x ended on 2026-06-30."""

_FIRELENS: Final = "firelens"
_CLOUDWATCH: Final = "cloudwatch_logs"

_GROUP: Final = re.compile(r"[\w./#-]{1,512}", re.ASCII)
_OPTION: Final = re.compile(r"[A-Za-z][\w.-]*", re.ASCII)
_ACTION: Final = re.compile(r"[a-z0-9-]+:[A-Za-z0-9]+")
_ARN: Final = re.compile(r"arn:aws[a-z-]*:[a-z0-9-]+:[^\s:]*:[^\s:]*:(?!\*$)\S+")
_FILE: Final = re.compile(r"/\S+\.(?:conf|yaml|yml)")


def _group(value: str) -> str:
    if not _GROUP.fullmatch(value):
        raise wrong("is not the name of a log group", "write it as /shop/storefront, which is no ARN")
    if value.startswith("aws/"):
        raise wrong("begins with aws/, which AWS keeps for itself", "give a log group of yours")
    return value


def _action(value: str) -> str:
    if not _ACTION.fullmatch(value):
        raise wrong("is not one action of IAM", "write it as firehose:PutRecordBatch, without wildcards")
    return value


def _of_one_service(actions: tuple[str, ...]) -> tuple[str, ...]:
    # A closed network has an endpoint for each service, with a policy of its own.
    if len({action.partition(":")[0] for action in actions}) > 1:
        raise wrong("has actions of more than one service", "give each service a permission of its own")
    return actions


def _resource(value: str) -> str:
    if not _ARN.fullmatch(value):
        raise wrong(
            "is not the ARN of something", "write it as arn:aws:firehose:eu-west-1:123456789012:deliverystream/logs"
        )
    return value


def _file(value: str) -> str:
    if not _FILE.fullmatch(value):
        raise wrong("is not a configuration of Fluent Bit in the image", "write it as /fluent-bit/shop.conf")
    return value


def _names_options(options: Mapping[str, str]) -> Mapping[str, str]:
    for name in options:
        if not _OPTION.fullmatch(name):
            raise wrong(f"has the option {name!r}", "use the words of Fluent Bit's manual", secret=True)
    return options


class Permission(Model):
    """What the router does with its destination."""

    actions: Annotated[
        tuple[Annotated[str, AfterValidator(_action)], ...], AfterValidator(some), AfterValidator(_of_one_service)
    ]
    """Actions of one service, none with a wildcard."""
    resources: Annotated[tuple[Annotated[str, AfterValidator(_resource)], ...], AfterValidator(some)]
    """ARNs of what they are for."""


class FireLens(Model):
    """A log router beside the container."""

    image: ImageReference = IMAGE
    """Image of the router."""
    memory: Annotated[Whole, Field(ge=64, le=4096)] = 128
    """Its hard limit in MiB."""
    essential: bool = True
    """Whether the task ends with its router."""
    config_file: Annotated[str, AfterValidator(_file)] | None = None
    """Path of a configuration of Fluent Bit in the image."""
    options: Annotated[Mapping[str, str], AfterValidator(_names_options)] = {}
    """Options of an output of Fluent Bit: with a `Name` they are the whole of it, without one they are added to ours,
    which writes to the log group. docs/logs.md#firelens."""
    secret_options: Annotated[Mapping[str, SecretArn], AfterValidator(_names_options)] = {}
    """Options whose values are ARNs in Secrets Manager or SSM Parameter Store."""
    permissions: tuple[Permission, ...] = ()
    """What the router does with its destination."""

    @field_validator("options")
    @classmethod
    def _no_plain_secret(cls, options: Mapping[str, str]) -> Mapping[str, str]:
        for name, value in options.items():
            if holds_secret(name, value):
                raise wrong(
                    f"gives {name} as plain text, which everyone who may read task definitions can see",
                    "move it to secretOptions with the ARN of a Secrets Manager secret or SSM parameter",
                    secret=True,
                )
        return options

    @field_validator("secret_options")
    @classmethod
    def _one_source(cls, options: Mapping[str, str], info: Any) -> Mapping[str, str]:
        if both := sorted(set(options).intersection(info.data.get("options", ()))):
            raise wrong(f"has {', '.join(both)}, which options has as well", "keep one of the two", secret=True)
        return options

    @property
    def elsewhere(self) -> bool:
        """Whether the lines go to an output of the user's own choice."""
        return any(name.lower() == "name" for name in self.options)

    @property
    def statements(self) -> tuple[Statement, ...]:
        """What the user lets the router do."""
        return tuple(
            {
                "Sid": f"RouteLogs{index}",
                "Effect": "Allow",
                "Action": list(one.actions),
                "Resource": list(one.resources),
            }
            for index, one in enumerate(self.permissions)
        )


class Logs(Model):
    """Where a container's lines go."""

    group: Annotated[str, AfterValidator(_group)] | None = None
    """Name of a log group that exists, in the stack's account and region; left out, one is made."""
    firelens: FireLens | None = None
    """A log router beside the container, `{}` for the defaults."""

    @property
    def memory(self) -> int:
        """MiB that the router takes of its task."""
        return self.firelens.memory if self.firelens else 0

    @property
    def images(self) -> tuple[str, ...]:
        """What is pulled for it."""
        return (self.firelens.image,) if self.firelens else ()

    @property
    def secrets(self) -> tuple[str, ...]:
        """ARNs of the secrets that ECS reads for it."""
        return tuple(self.firelens.secret_options.values()) if self.firelens else ()

    @property
    def statements(self) -> tuple[Statement, ...]:
        """What its router may do besides writing to the log group."""
        return self.firelens.statements if self.firelens else ()


def _word(value: object) -> object:
    return {_FIRELENS: {}} if value == _FIRELENS else value


WrittenLogs = Annotated[Logs, BeforeValidator(_word, json_schema_input_type=Literal["firelens"] | Logs)]
"""Or the one word `firelens`, for a router with nothing said of it."""


def router(wanted: FireLens, log: Mapping[str, Any]) -> dict[str, Any]:
    """The router's container. What it says of itself goes by `log`, or nobody would learn why lines are missing."""
    options = {"config-file-type": "file", "config-file-value": wanted.config_file} if wanted.config_file else {}
    return {
        "name": names.LOG_ROUTER,
        "image": wanted.image,
        "essential": wanted.essential,
        "cpu": 0,
        # The hard limit: a destination that does not answer must not take the application's memory.
        "memory": wanted.memory,
        "firelensConfiguration": {"type": "fluentbit"} | ({"options": options} if options else {}),
        "logConfiguration": dict(log),
    }


def routed(wanted: FireLens, *, group: str, region: str, container: str) -> dict[str, Any]:
    """The log configuration of a container whose lines the router gets."""
    ours = {
        "Name": _CLOUDWATCH,
        "region": region,
        "log_group_name": group,
        # It is ours or somebody's, and there before; made by the router it would be kept for ever.
        "auto_create_group": "false",
        # The router adds `<container>-firelens-<task>`; panels find an application's streams by this beginning.
        "log_stream_prefix": f"{container}/",
        # The line alone, as awslogs writes it, and not a record around it.
        "log_key": "log",
    }
    options = dict(wanted.options) if wanted.elsewhere else ours | dict(wanted.options)
    secrets = [{"name": name, "valueFrom": wanted.secret_options[name]} for name in sorted(wanted.secret_options)]
    return {"logDriver": "awsfirelens", "options": options} | ({"secretOptions": secrets} if secrets else {})


def route(wanted: FireLens, log_group_arn: str) -> list[Statement]:
    """What the task's role does so that the router can write: to this log group, and whatever else the user says."""
    ours: list[Statement] = [
        {
            "Sid": "RouteLogs",
            "Effect": "Allow",
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": f"{log_group_arn}:*",
        }
    ]
    return [*([] if wanted.elsewhere else ours), *wanted.statements]


def group_faults(found: Mapping[str, Any], key: str) -> list[Fault]:
    """What makes an existing log group unfit. `found` is what CloudWatch Logs says of it, by the provider's names."""
    if found["log_group_class"] != "DELIVERY":
        return []
    remedy = "give one of the class STANDARD or INFREQUENT_ACCESS"
    return [Fault(f"{key}.logs.group", "has the class DELIVERY, which nobody can ask", remedy, str(found["name"]))]


def warnings(logs: Logs, key: str) -> list[str]:
    """What whoever looks for lines has to know."""
    if not logs.firelens or not logs.firelens.elsewhere:
        return []
    return [
        f"{key}.logs.firelens: its lines go where its options say, so that no panel of logs shows them and no trace "
        "leads to them"
    ]
