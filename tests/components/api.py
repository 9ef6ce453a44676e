"""Which changes of a package's schema break the programs that use it."""

from collections.abc import Iterator, Mapping
from typing import Any

Spec = Mapping[str, Any]


def breaks(before: Spec, after: Spec) -> list[str]:
    """What a program that was right before cannot do after. Additions and other descriptions are no breaks."""
    return [*_breaks(before, after)]


def _breaks(before: Spec, after: Spec) -> Iterator[str]:
    for kind in ("resources", "types"):
        for token, one in before[kind].items():
            if token not in after[kind]:
                yield f"{kind} {token} is gone"
                continue
            other = after[kind][token]
            if kind == "resources":
                faults = [
                    *_given(one["inputProperties"], other["inputProperties"]),
                    *_required(one["requiredInputs"], other["requiredInputs"]),
                    *_told(one, other),
                ]
            elif "enum" in one:
                values = [value["value"] for value in other["enum"]]
                faults = [f"the choice {each['value']} is gone" for each in one["enum"] if each["value"] not in values]
            else:
                faults = [
                    *_given(one["properties"], other["properties"]),
                    *_required(one["required"], other["required"]),
                ]
            yield from (f"{kind} {token}: {fault}" for fault in faults)


def _given(before: Spec, after: Spec) -> Iterator[str]:
    for key, one in before.items():
        if key not in after:
            yield f"{key} is gone"
        elif _type(one) != _type(after[key]):
            yield f"{key} has another type"
        elif not one.get("plain") and after[key].get("plain"):
            yield f"{key} no longer takes outputs"


def _required(before: list[str], after: list[str]) -> Iterator[str]:
    yield from (f"{key} has become required" for key in after if key not in before)


def _told(before: Spec, after: Spec) -> Iterator[str]:
    for key, one in before["properties"].items():
        if key not in after["properties"]:
            yield f"output {key} is gone"
        elif _type(one) != _type(after["properties"][key]):
            yield f"output {key} has another type"
        elif key in before["required"] and key not in after["required"]:
            yield f"output {key} is no longer always there"


def _type(spec: Any) -> Any:
    """What a value is, without what is said of it and without whether it may come later."""
    if isinstance(spec, Mapping):
        return {key: _type(value) for key, value in spec.items() if key not in ("description", "plain", "secret")}
    return [_type(one) for one in spec] if isinstance(spec, list) else spec
