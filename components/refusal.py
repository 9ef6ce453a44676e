"""How what AWS answers stops a deployment."""

from collections.abc import Sequence
from typing import Final

import pulumi

from documents.faults import ConfigurationError, Fault


class RefusedError(pulumi.RunError):
    """Faults that a program learns of only when it asks AWS.

    Pulumi prints the text of a RunError, also of one that an output raises. It would print a traceback of any other
    error, and put a ValueError, which ConfigurationError is, into a second one.
    """

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults: Final = tuple(faults)
        super().__init__(f"this stack cannot be deployed:\n{ConfigurationError(faults)}")


def refuse(faults: Sequence[Fault]) -> None:
    """Raises RefusedError if there are any."""
    if faults:
        raise RefusedError(faults)
