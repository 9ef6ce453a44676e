"""The data sources of a stack's Grafana: fixed uids, so that documents need not wait for what AWS answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Source:
    """A data source: plugin `type`, our `uid`, and the plugin types that imported dashboards may name instead."""

    type: str
    uid: str
    aliases: tuple[str, ...] = ()

    @property
    def types(self) -> tuple[str, ...]:
        """Every plugin type that this source answers for."""
        return (self.type, *self.aliases)


AMP: Final = Source("grafana-amazonprometheus-datasource", "amp", ("prometheus",))
XRAY: Final = Source("grafana-x-ray-datasource", "xray", ("xray",))
CLOUDWATCH: Final = Source("cloudwatch", "cloudwatch")

SOURCES: Final = (AMP, XRAY, CLOUDWATCH)

MIXED: Final = Source("datasource", "-- Mixed --")
"""Grafana's own: every query of the panel names its data source."""


def source_of(kind: str, sources: Sequence[Source] = SOURCES) -> Source | None:
    """Our data source for a plugin type, or None if no data source of that kind is at hand."""
    return next((source for source in sources if kind in source.types), None)
