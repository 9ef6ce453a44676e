"""What a dashboard is once it is made."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Dashboard:
    """A Grafana dashboard. `json` is canonical: sorted keys, the same bytes on any day, ids of one Grafana left out."""

    uid: str
    title: str
    json: str
