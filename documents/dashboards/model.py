"""What a dashboard is once it is made."""

from dataclasses import dataclass
from typing import Final

WORKSPACE: Final = "ws-of-this-stack"
"""Stands for the id of the AMP workspace, which AWS chooses when it makes the workspace."""


@dataclass(frozen=True)
class Dashboard:
    """A Grafana dashboard. `json` is canonical: sorted keys, the same bytes on any day, ids of one Grafana left out."""

    uid: str
    title: str
    json: str

    def placed(self, workspace: str) -> str:
        """The text with the id of the AMP workspace that it is about."""
        return self.json.replace(WORKSPACE, workspace)
