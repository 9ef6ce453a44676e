"""Faults in what a user gave us: all of them at once, each with the key, the value and what would be right."""

import difflib
import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar, cast, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

T = TypeVar("T")

REFERENCE: Final = "<reference>"
BUILD: Final = "<build>"
"""Tags of the two forms of an image; pydantic puts them into the path of an error, where no reader needs them."""

_MAY_BE_SECRET: Final = frozenset(
    {
        "secrets", "environment", "command", "entryPoint", "entry_point", "headers", "https",
        "options", "secretOptions", "secret_options",
    }
)  # fmt: skip
"""Keys below which no value is ever printed."""

_UNSAID: Final = object()
"""Stands for a value that whoever knows everything that was given may still add; see `told`."""
UNTOLD: Final = object()
"""Stands for "never print the value": it may be a secret, or it is the key that is wrong."""


@dataclass(frozen=True)
class Kind:
    """A value of which only the kind is told, because it may be a secret."""

    of: Any


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong, under a key such as `applications.0.port`, and the value that was `got` there."""

    key: str
    problem: str
    remedy: str
    got: Any = _UNSAID

    def __str__(self) -> str:
        got = "" if self.got in (_UNSAID, UNTOLD) else f" (got {shown(self.got)})"
        return f"{_line(self.key, _MOST_OF_A_KEY)}: {_line(self.problem)}{got}; {_line(self.remedy)}"


_MOST_OF_A_KEY: Final = 200
_MOST_OF_A_TEXT: Final = 400


def _line(text: str, most: int = _MOST_OF_A_TEXT) -> str:
    """A text that may have words of the user in it, on one line, and no longer than anybody reads."""
    short = text if len(text) <= most else f"{text[:most]}..."
    return "".join(one if one.isprintable() else repr(one)[1:-1] for one in short)


class ConfigurationError(ValueError):
    """What a user gave us cannot be deployed. `faults` holds every reason; the text has one line for each."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults: Final = tuple(faults)
        super().__init__("\n".join(f"  {fault}" for fault in self.faults))


def wrong(problem: str, remedy: str, *, secret: bool = False) -> PydanticCustomError:
    """The error that a validator of a model raises; `Fault` is made from it once the key is known."""
    return PydanticCustomError("wrong", "{problem}", {"problem": problem, "remedy": remedy, "secret": secret})


def faults_of(error: ValidationError, model: type[BaseModel], root: str = "") -> list[Fault]:
    """Pydantic's errors in this project's words. `root` is the key under which `model` stands."""
    return [_fault(details, model, root) for details in error.errors(include_url=False)]


def collect(faults: list[Fault], make: Callable[[], T], model: type[BaseModel], root: str) -> T | None:
    """What `make` returns, or None after its faults were added to `faults`."""
    try:
        return make()
    except ValidationError as error:
        faults.extend(faults_of(error, model, root))
    except ConfigurationError as error:
        faults.extend(error.faults)
    return None


def told(faults: Iterable[Fault], values: Mapping[str, Any]) -> list[Fault]:
    """The faults, with the texts and numbers at their keys where they name no value and it may be told."""
    return [replace(fault, got=_value_at(values, fault.key)) if fault.got is _UNSAID else fault for fault in faults]


def _value_at(values: Any, key: str) -> Any:
    """The text or the number at a key, whose parts may have dots in them as well."""
    if not key:
        return values if isinstance(values, str | int | float) else _UNSAID
    inner = dict(enumerate(cast("list[Any]", values))) if isinstance(values, list) else values
    if not isinstance(inner, Mapping):
        return _UNSAID
    parts = [part for part in cast("Mapping[Any, Any]", inner) if f"{key}.".startswith(f"{part}.")]
    part = max(parts, key=lambda each: len(str(each)), default=None)
    # What is added to a collector's configuration may have a password in any text.
    if part is None or part in _MAY_BE_SECRET or part == "additions":
        return _UNSAID
    return _value_at(inner[part], key[len(str(part)) + 1 :])


def nearest(word: str, known: Iterable[str]) -> str:
    """What to write instead of an unknown word."""
    names = sorted(known)
    close = difflib.get_close_matches(word, names, n=1, cutoff=0.6)
    return f"did you mean {close[0]!r}?" if close else f"known: {', '.join(names)}"


def _fault(details: ErrorDetails, model: type[BaseModel], root: str) -> Fault:  # noqa: PLR0911 - one for each kind
    location = tuple(part for part in details["loc"] if part not in (REFERENCE, BUILD))
    key = ".".join(str(part) for part in (root, *location) if part != "")
    context = details.get("ctx", {})
    secret = bool(_MAY_BE_SECRET.intersection(location))
    got = UNTOLD if secret else details["input"]
    match details["type"]:
        case "wrong":
            return Fault(key, context["problem"], context["remedy"], UNTOLD if context["secret"] else got)
        case "missing":
            return Fault(key, "is missing", "give it a value", UNTOLD)
        case "extra_forbidden":
            return Fault(key, "is not a known key", nearest(str(location[-1]), _keys(model, location[:-1])), UNTOLD)
        case "enum" | "literal_error":
            return Fault(key, "is not one of the choices", f"choose {context['expected']}", got)
        case "greater_than_equal":
            return Fault(key, "is too small", f"give at least {context['ge']}", got)
        case "greater_than":
            return Fault(key, "is too small", f"give more than {context['gt']:g}", got)
        case "less_than_equal":
            return Fault(key, "is too large", f"give at most {context['le']}", got)
        case "too_short":
            return Fault(key, "has too few entries", f"give at least {context['min_length']}", context["actual_length"])
        case kind if kind.endswith(("_type", "_parsing")) or kind in ("int_from_float", "model_attributes_type"):
            remedy = f"give {_KINDS.get(kind.split('_')[0], 'another kind of value')}"
            return Fault(key, "has the wrong type", remedy, Kind(details["input"]) if secret else got)
        case _:
            return Fault(key, "is not valid", details["msg"][0].lower() + details["msg"][1:], got)


_KINDS: Final = {
    "int": "a whole number",
    "float": "a number",
    "string": "a text",
    "bool": "true or false",
    "list": "a list",
    "tuple": "a list",
    "dict": "a map of keys and values",
    "model": "a map of keys and values",
    "mapping": "a map of keys and values",
}


def _keys(model: type[BaseModel], path: Sequence[int | str]) -> list[str]:
    """The keys that the model at `path` below `model` knows."""
    current: type[BaseModel] = model
    for part in path:
        for name, field in current.model_fields.items():
            if part in (name, field.alias) and (inner := _model_in(field.annotation)):
                current = inner
    return [field.alias or name for name, field in current.model_fields.items()]


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if inspect.isclass(annotation) and issubclass(annotation, BaseModel):
        return annotation
    for argument in get_args(annotation):
        if found := _model_in(argument):
            return found
    return None


def shown(value: Any) -> str:
    """A value as an error prints it."""
    # What is in it may be a secret that stands in the wrong place.
    if isinstance(value, Kind | Mapping | list | tuple):
        return _kind(value.of if isinstance(value, Kind) else value)
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _kind(value: Any) -> str:
    match value:
        case None:
            return "nothing"
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "a text"
        case Mapping():
            return "a map"
        case _:
            return "a list"
