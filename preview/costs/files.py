"""The files of prices, one for each region."""

import functools
import json
from pathlib import Path
from typing import Final

from documents import prices
from documents.faults import ConfigurationError
from documents.prices import Price, Prices
from preview.recording import ProgramError

FOLDER: Final = Path(__file__).parent / "prices"

REFERENCE: Final = "us-east-1"
"""The region whose prices the project has, and compares ways to build a stack with."""


def load(region: str, folder: Path = FOLDER) -> Prices:
    """The prices of a region. Raises ProgramError if there is no file, or what is wrong with it."""
    file = folder / f"{region}.json"
    if region not in (known := regions(folder)):
        raise ProgramError(
            f"no prices of {region!r} are known here, only of {' and '.join(known) or 'no region'}: make a file "
            f"of them with `make prices REGION={region}` (AWS's public price list, no credentials), or say whose "
            f"prices to take instead, with `PRICES={REFERENCE}`"
        )
    try:
        found = prices.parsed(json.loads(file.read_text("utf-8")))
    except OSError as error:
        raise ProgramError(f"{file.name}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        if isinstance(error, ConfigurationError):
            raise ProgramError(f"{file.name} is no file of prices:\n{error}") from error
        raise ProgramError(f"{file.name} is no file of prices: it is not JSON in UTF-8") from error
    if found.region != region:
        raise ProgramError(f"{file.name} is no file of prices: it has those of {found.region!r}")
    return found


def regions(folder: Path = FOLDER) -> list[str]:
    """The regions that have a file."""
    return sorted(file.stem for file in folder.glob("*.json"))


@functools.cache
def at_hand(region: str) -> Prices:
    """The prices of a region, or those of `REFERENCE` where it has none: for comparing ways, and never without the name
    of the region whose prices they are."""
    return load(region if region in regions() else REFERENCE)


def fargate(found: Prices, processor: str, kind: str = "fargate") -> tuple[Price, Price] | None:
    """What a vCPU and a GB cost on a processor as ECS names it; `kind` is `fargate` or `fargate-spot`."""
    name = f"{kind}.{'arm' if processor == 'ARM64' else 'x86'}"
    vcpu, gigabyte = found.get(f"{name}.vcpu"), found.get(f"{name}.gigabyte")
    return (vcpu, gigabyte) if vcpu and gigabyte else None
