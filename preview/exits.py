"""How the commands of this project end."""

from enum import IntEnum


class Exit(IntEnum):
    """How a command ends: all is well, something is not, it could not be tried, somebody stopped it."""

    GOOD = 0
    FAILED = 1
    USAGE = 2
    INTERRUPTED = 130
