"""`python -m preview.changes STACK --since FOLDER`: what appears, disappears and changes in what a stack asks for.

Compares two desired states, each recorded from a program and its stack file. It knows no state of a deployed stack, no
provider and no order: what a change replaces, and what it does to resources that only depend on a changed one, is told
by `pulumi preview` alone.
"""

import argparse
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from preview import wiring
from preview.computed import outputs_of
from preview.recorder import record
from preview.recording import ProgramError, Recording, Resource


@dataclass(frozen=True)
class Differences:
    """Resources in which two desired states differ; of the last, the inputs that do, by name and sorted."""

    appear: tuple[Resource, ...]
    disappear: tuple[Resource, ...]
    change: tuple[tuple[Resource, tuple[str, ...]], ...]


def between(before: Recording, after: Recording) -> Differences:
    """How `after` differs from `before`, components and what is only looked up left aside."""
    old, new = _made(before), _made(after)
    kept = {
        urn: _differing(_asked(old[urn], before.region), _asked(new[urn], after.region)) for urn in new if urn in old
    }
    return Differences(
        tuple(resource for urn, resource in new.items() if urn not in old),
        tuple(resource for urn, resource in old.items() if urn not in new),
        tuple((new[urn], names) for urn, names in kept.items() if names),
    )


def _made(recording: Recording) -> dict[str, Resource]:
    made = (each for each in recording.resources if each.made)
    return {each.urn: each for each in made if not each.type.startswith("pulumi:providers:")}


def _asked(resource: Resource, region: str) -> Mapping[str, Any]:
    """Its inputs, and the stack's region where the provider adds that to them."""
    return {"region": region, **resource.inputs} if "region" in outputs_of(resource.type) else resource.inputs


def _differing(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(name for name in sorted({*old, *new}) if old.get(name) != new.get(name))


def _lines(differences: Differences) -> list[str]:
    """One line for each resource; values are left out, since some are secret and many are long."""
    marked = [
        *(("appears", each, "") for each in differences.appear),
        *(("disappears", each, "") for each in differences.disappear),
        *(("changes", each, f": {', '.join(names)}") for each, names in differences.change),
    ]
    return [f"{what:<11} {wiring.short_type(each)} {each.name}{inputs}" for what, each, inputs in marked]


def main() -> int:
    """The command. Exit status: 0, 1 for what is wrong with either of the two, 2 for the command line."""
    parser = argparse.ArgumentParser(prog="python -m preview.changes", description=__doc__)
    parser.add_argument("stack", metavar="STACK", help="name of a stack: both folders have a file Pulumi.STACK.yaml")
    parser.add_argument("--since", type=Path, required=True, metavar="FOLDER", help="the project as it was")
    parser.add_argument("--root", type=Path, default=Path(), help="the project as it is (default: this folder)")
    arguments = parser.parse_args()
    try:
        found = between(record(arguments.since, arguments.stack), record(arguments.root, arguments.stack))
    except ProgramError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print("\n".join(_lines(found) or ["both ask for the same"]))
    print("Two desired states beside each other, and no diff of a deployed stack: ask `pulumi preview` for that.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
