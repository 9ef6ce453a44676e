"""Values as Grafana shows them: units, decimals, thresholds, mappings, and which of them hold for which series."""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from preview import wiring

Json = Mapping[str, Any]

_BYTES: Final[Mapping[str, float]] = {"bytes": 1, "kbytes": 2**10, "mbytes": 2**20, "gbytes": 2**30}
_BYTE_RATES: Final[Mapping[str, float]] = {
    **dict.fromkeys(("Bps", "binBps"), 1),
    **dict.fromkeys(("KBs", "KiBs"), 2**10),
    **dict.fromkeys(("MBs", "MiBs"), 2**20),
}
_RATES: Final[Mapping[str, str]] = {
    "reqps": " req/s",
    "ops": " ops/s",
    "cps": " c/s",
    "wps": " wr/s",
    "rps": " rd/s",
    "eps": " evt/s",
    "mps": " msg/s",
}
_SECONDS: Final[Mapping[str, float]] = {"ns": 1e-9, "µs": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3600, "d": 86400}
_LONG: Final = ((86400.0, " d"), (3600.0, " h"), (60.0, " min"), (1.0, " s"), (1e-3, " ms"), (1e-6, " µs"))
_LARGE: Final = ((1e12, " Tri"), (1e9, " Bil"), (1e6, " Mil"), (1e3, " K"))
_CURRENCIES: Final[Mapping[str, str]] = {"currencyUSD": "$", "currencyEUR": "€", "currencyGBP": "£", "currencyJPY": "¥"}
_HUES: Final = frozenset({"green", "yellow", "red", "blue", "orange", "purple"})


@dataclass(frozen=True)
class Axis:
    """How a panel's unit is drawn: values times `factor`, with `suffix` behind them."""

    factor: float
    suffix: str


def axis_of(unit: str, largest: float) -> Axis:
    """The axis for a Grafana unit, given the largest value that it has to show."""
    if unit in _BYTES or unit in _BYTE_RATES:
        base = _BYTES.get(unit) or _BYTE_RATES[unit]
        power = min(max(int(math.log(largest * base, 1024)), 0), 4) if largest > 0 else 0
        rate = "/s" if unit in _BYTE_RATES else ""
        return Axis(base / 1024**power, f" {('', 'Ki', 'Mi', 'Gi', 'Ti')[power]}B{rate}")
    if unit in _SECONDS:
        base = _SECONDS[unit]
        size, suffix = next((one for one in _LONG if largest * base >= one[0]), (base, f" {unit}"))
        return Axis(base / size, suffix)
    if unit in _RATES or unit == "short":
        size, suffix = next((one for one in _LARGE if largest >= one[0]), (1.0, ""))
        return Axis(1 / size, f"{suffix}{_RATES.get(unit, '')}")
    if unit in ("percent", "percentunit"):
        return Axis(1 if unit == "percent" else 100, " %")
    return Axis(1, f" {unit.removeprefix('suffix:').strip()}" if unit.startswith("suffix:") else "")


def colour(name: str) -> str:
    """A colour of Grafana's as CSS has it: its named ones follow the page's light or dark."""
    if re.fullmatch(r"#[0-9a-fA-F]{3,8}", name):
        return name
    hue = name.rpartition("-")[2]
    return f"var(--{hue})" if hue in _HUES else "var(--ink)"


@dataclass(frozen=True)
class Field:
    """How the values of one series or column are shown: Grafana's options by their ids, such as `custom.lineWidth`."""

    options: Json

    @property
    def unit(self) -> str:
        """The unit's name."""
        return str(self.options.get("unit") or "")

    @property
    def steps(self) -> tuple[tuple[float, str], ...]:
        """The thresholds: from which value on which colour holds, with minus infinity first."""
        stated = map(wiring.table, wiring.items(self.part("thresholds").get("steps")))
        return tuple((-math.inf if one.get("value") is None else float(one["value"]), one["color"]) for one in stated)

    @property
    def relative(self) -> bool:
        """Whether thresholds are percentages of the range from `min` to `max`."""
        return self.part("thresholds").get("mode") == "percentage"

    @property
    def cell(self) -> str:
        """What of a table's cell is coloured: `color-text`, `color-background` or nothing."""
        return str(self.part("custom.cellOptions").get("type") or "")

    def part(self, name: str) -> Json:
        """An option that has options of its own; none where it is not set."""
        return wiring.table(self.options.get(name))

    def number(self, name: str, otherwise: float) -> float:
        """An option that is a number."""
        value = self.options.get(name)
        return float(value) if isinstance(value, int | float) else otherwise

    def text(self, value: float) -> str:
        """A value as a panel shows it."""
        if mapped := self._mapped(value).get("text"):
            return str(mapped)
        if not math.isfinite(value):
            return "no value"
        axis = axis_of(self.unit, abs(value))
        decimals = self.options.get("decimals")
        scaled = value * axis.factor
        number = f"{scaled:,.{int(decimals)}f}" if decimals is not None else _plain(scaled)
        return f"{_CURRENCIES.get(self.unit, '')}{number}{axis.suffix}"

    def colour(self, value: float) -> str:
        """The colour of a value: that of its mapping or of the threshold that it has reached."""
        if named := self._mapped(value).get("color"):
            return colour(str(named))
        if self.relative:
            low, high = self.number("min", 0), self.number("max", 100)
            value = 100 * (value - low) / (high - low) if high > low else 0
        reached = [named for least, named in self.steps if not value < least]
        return colour(reached[-1]) if reached else "var(--ink)"

    def _mapped(self, value: float) -> Json:
        """What a value mapping makes of it."""
        for mapping in map(wiring.table, wiring.items(self.options.get("mappings"))):
            stated = wiring.table(mapping.get("options"))
            match mapping.get("type"):
                case "value":
                    if found := stated.get(f"{value:g}"):
                        return found
                case "range":
                    low, high = stated.get("from"), stated.get("to")
                    if (low is None or value >= low) and (high is None or value <= high):
                        return stated.get("result", {})
                case "special":
                    if stated.get("match") in ("null", "null+nan", "nan") and math.isnan(value):
                        return stated.get("result", {})
                case _:
                    pass
        return {}


def field(panel: Json, ref: str, *names: str) -> Field:
    """The options of a panel for the series of one query that has these names, after all that override them."""
    config: Json = panel.get("fieldConfig", {})
    options = dict(_flat(config.get("defaults", {})))
    for override in config.get("overrides", ()):
        if _matches(override["matcher"], ref, names):
            options |= {one["id"]: one.get("value") for one in override["properties"]}
    return Field(options)


def _flat(defaults: Json) -> Iterator[tuple[str, Any]]:
    for name, value in defaults.items():
        if name == "custom":
            yield from ((f"custom.{inner}", one) for inner, one in value.items())
        else:
            yield name, value


def _matches(matcher: Json, ref: str, names: tuple[str, ...]) -> bool:
    wanted: Any = matcher.get("options")
    match matcher.get("id"):
        case "byName":
            return wanted in names
        case "byFrameRefID":
            return wanted == ref
        case "byRegexp":
            return any(re.search(str(wanted).strip("/"), name) for name in names)
        case _:
            return False


def _plain(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
