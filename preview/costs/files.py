"""The files of prices, one for each region."""

import json
from pathlib import Path
from typing import Final

from documents import prices
from documents.faults import ConfigurationError
from documents.prices import Price, Prices
from preview.recording import ProgramError

FOLDER: Final = Path(__file__).parent / "prices"

REFERENCE: Final = "us-east-1"
"""The region whose prices the project has, and with which it compares the patterns."""

NO_DOLLARS: Final = "Dollars are left out; [how to have them](#what-it-costs-in-a-month)."
"""In a section of the summary where no prices are known."""


def load(region: str, folder: Path = FOLDER) -> Prices:
    """The prices of a region. Raises ProgramError if there is no file, or what is wrong with it."""
    file = folder / f"{region}.json"
    if region not in regions(folder):
        raise ProgramError(missing(region, folder))
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


def chosen(region: str, named: str) -> Prices | None:
    """The prices that somebody named, or else those of a region; None where there is no file of it. Raises ProgramError
    if there is none of what was named."""
    return load(named or region) if named or region in regions() else None


def missing(region: str, folder: Path = FOLDER) -> str:
    """That there is no file of a region, and what to do."""
    return (
        f"no prices of {region!r} are known here, only of {' and '.join(regions(folder)) or 'no region'}: make a file "
        f"of them with `make prices REGION={region}` (AWS's public price list, no credentials), or say whose prices to "
        f"take instead, with `PRICES={REFERENCE}`"
    )


def fargate(found: Prices, processor: str, kind: str = "fargate") -> tuple[Price, Price] | None:
    """What a vCPU and a GB cost on a processor as ECS names it; `kind` is `fargate` or `fargate-spot`."""
    name = f"{kind}.{'arm' if processor == 'ARM64' else 'x86'}"
    vcpu, gigabyte = found.get(f"{name}.vcpu"), found.get(f"{name}.gigabyte")
    return (vcpu, gigabyte) if vcpu and gigabyte else None
