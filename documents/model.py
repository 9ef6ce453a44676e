"""The base of every model of what a user may ask for, and the kinds of values that several of them have.

Stack files use the camelCase aliases, Python callers may use the field names; both get the same errors.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Final, cast

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, ValidationInfo, field_validator
from pydantic.alias_generators import to_camel

from documents.faults import wrong

PENDING: Final = "<known after deployment>"
"""A placeholder for what another resource will give; it is checked when it is known."""


class Model(BaseModel):
    """Frozen and strict about keys: a misspelt key is an error, not a default."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)

    @field_validator("*")
    @classmethod
    def _passed_on(cls, value: Any) -> Any:
        if _holds_nul(value):
            # It ends a text for every process, so that a variable or an argument would be cut off there.
            raise wrong("holds the character NUL, which no program can be given", "take it out")
        return value


def _holds_nul(value: Any) -> bool:
    """Whether the character stands in a text, or in one of those in a list or a map; models have looked themselves."""
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, Mapping):
        return any(_holds_nul(part) for pair in cast("Mapping[Any, Any]", value).items() for part in pair)
    return isinstance(value, (list, tuple)) and any(_holds_nul(part) for part in cast("Iterable[Any]", value))


_SECRET_ARN: Final = re.compile(
    r"arn:aws[a-z-]*:(?:secretsmanager:[a-z0-9-]+:\d{12}:secret:[^\s*?$]+|ssm:[a-z0-9-]+:\d{12}:parameter/[^\s*?$]+)"
)
"""Without wildcards and variables: it is a resource in IAM policies."""
PLACEHOLDER: Final = re.compile(r"<[^<>]+>")
_PENDING_ARN: Final = re.compile(rf"{PLACEHOLDER.pattern}(?::[^\s:]*){{0,3}}")
"""The ARN of a secret that is not known yet, with ECS's additions."""


def placeholder_in(value: str) -> str | None:
    """What is still to be filled in by the user somewhere in a text, as `<your account>` in an image reference."""
    found = re.search(r"<your [^<>]*>", value)
    return found[0] if found else None


def is_placeholder(value: str) -> bool:
    """Whether a text stands for a value that is not known yet.

    `<your Identity Center user id>` is for the user to fill in, `<metrics-workspace.arn>` for AWS.
    """
    return PLACEHOLDER.fullmatch(value) is not None


_SECRET_NAME: Final = re.compile(
    r"(?:(?:^|_)(?:PASS|PWD|SECRET|TOKEN|CREDENTIALS|(?:API|SECRET|ACCESS|PRIVATE)_?KEY)|PASSWD|PASSWORD|PASSPHRASE)$",
    re.IGNORECASE,
)
_SECRET_URL: Final = re.compile(r"[a-z0-9+.-]://[^/\s:@]*:[^/\s@]+@", re.IGNORECASE)
"""An address with a password in it, as in `postgres://user:password@host/`."""


def holds_secret(name: str, value: str) -> bool:
    """Whether a variable of this name and value looks like a secret."""
    return bool(_SECRET_NAME.search(name) or _SECRET_URL.search(value))


def _no_truth(value: object) -> object:
    """A truth value is a number to Python, and never what is meant by one here."""
    if isinstance(value, bool):
        raise wrong("has the wrong type", "give a whole number")
    return value


def some(values: tuple[str, ...]) -> tuple[str, ...]:
    """The values if there is any. Not pydantic's own check, which counts what is wrong in itself as missing."""
    if not values:
        raise wrong("has too few entries", "give at least 1, or leave it out")
    return values


def not_less_than_min(value: int, info: ValidationInfo) -> int:
    """The `max` of a model that has a `min` before it."""
    if value < info.data.get("min", 0):
        raise wrong(f"is less than min, which is {info.data['min']}", "give min at most as much as max")
    return value


def _secret_arn(value: str) -> str:
    if not _PENDING_ARN.fullmatch(value) and not _SECRET_ARN.fullmatch(value):
        raise wrong(
            "is not the ARN of a secret",
            "store it in Secrets Manager or SSM Parameter Store and give the ARN, never the value",
            secret=True,
        )
    return value


_IMAGE: Final = re.compile(
    r"(?:[a-z0-9.-]+(?::\d+)?/)?(?:[a-z0-9]+(?:[._-]+[a-z0-9]+)*/)*[a-z0-9]+(?:[._-]+[a-z0-9]+)*"
    r"(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?(?P<digest>@sha256:[0-9a-f]{64})?"
)


def image_reference(value: str) -> str:
    """An image with a tag or a digest: without one, every start may run something else."""
    if is_placeholder(value):
        return value
    match = _IMAGE.fullmatch(PLACEHOLDER.sub("placeholder", value))
    if not match:
        raise wrong("is not an image reference", "write it as repository:tag or repository@sha256:digest")
    if not match["tag"] and not match["digest"]:
        raise wrong("has neither tag nor digest", f"pin it, for example {value}:1.4.2")
    return value


Whole = Annotated[int, BeforeValidator(_no_truth)]
ImageReference = Annotated[str, AfterValidator(image_reference)]
SecretArn = Annotated[str, AfterValidator(_secret_arn)]
