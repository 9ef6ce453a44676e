"""The plugin that Pulumi starts for a program in any language: `python components <address of the engine>`."""

import sys
from pathlib import Path

# Run as a directory, this would be no package, and its neighbours could not be imported.
sys.path[0] = str(Path(__file__).resolve().parent.parent)

if __name__ == "__main__":
    from pulumi.provider import main

    from components.package import Package

    main(Package(), sys.argv[1:])
