"""`python -m preview.price_list REGION`: the prices of a region from AWS's public price list, into their file."""

import argparse
import sys
from pathlib import Path

from preview.costs import files
from preview.exits import Exit
from preview.price_list.refresh import AWS, refresh
from preview.price_list.rules import RULES
from preview.recording import ProgramError


def main() -> int:
    """The command. Exit status: 0, 1 if no file was written, 2 for what is wrong with the command line."""
    parser = argparse.ArgumentParser(prog="python -m preview.price_list", description=__doc__)
    parser.add_argument("region", metavar="REGION", help="a region of AWS, for example eu-central-1")
    parser.add_argument("--keep", metavar="PRICE", action="append", default=[], help="leave this price as it is")
    parser.add_argument("--list", default=AWS, metavar="URL", help="where the price list is")
    parser.add_argument("--folder", type=Path, default=files.FOLDER, help="where files of prices are")
    arguments = parser.parse_args()
    try:
        found = refresh(arguments.region, arguments.folder, arguments.list, frozenset(arguments.keep))
    except ProgramError as error:
        print(f"error: {error}\nnothing was written", file=sys.stderr)
        return Exit.FAILED
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    print(f"{len(found.prices)} prices of {found.region}, {len(found.offers)} offers read")
    for name, price in found.prices.items():
        if name not in RULES or name in arguments.keep:
            print(f"not read: {name}, {price.reference}, {price.date or 'undated'}; {price.unverified or 'as it was'}")
    return Exit.GOOD


if __name__ == "__main__":
    sys.exit(main())
