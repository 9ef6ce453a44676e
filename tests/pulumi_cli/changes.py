"""What a user changes in a stack that runs, and what each change did to its resources when that was written down.

`python -m tests.pulumi_cli.changes` writes it down anew, and docs/updates.md with it; it needs the Pulumi CLI.
"""

import copy
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final, Self

import yaml

from documents.alerting.alerts import ALERTS
from tests.pulumi_cli.cloud import Call, Thing
from tests.pulumi_cli.stack import ROOT, Run, Stack

RECORDED: Final = Path(__file__).with_name("changes.yaml")
PAGE: Final = ROOT / "docs" / "updates.md"
BEGIN: Final = "<!-- What follows is written by `python -m tests.pulumi_cli.changes`. -->\n"

Values = Mapping[str, Any]


@dataclass(frozen=True)
class Effects:
    """Resources by what an update does to them, each as `<type> <name>`, sorted. A replaced one is made anew, and the
    old one is deleted."""

    created: tuple[str, ...] = ()
    updated: tuple[str, ...] = ()
    replaced: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()

    @classmethod
    def of(cls, run: Run, existed: frozenset[str], exists: frozenset[str]) -> Self:
        """What a run came to, by its granted requests and by what was there before and after: what is in a Grafana
        workspace goes with it, and nobody is asked to delete it."""
        asked = {
            operation: {name_of(call) for call in run.calls if call.operation == operation and not call.error}
            for operation in ("create", "update", "delete")
        }
        replaced = asked["create"] & asked["delete"]
        return cls(
            tuple(sorted(asked["create"] - replaced)),
            tuple(sorted(asked["update"])),
            tuple(sorted(replaced)),
            tuple(sorted((asked["delete"] - replaced) | (existed - exists))),
        )

    @classmethod
    def read(cls, written: Mapping[str, list[str]]) -> Self:
        return cls(**{kind: tuple(names) for kind, names in written.items()})

    def written(self) -> dict[str, list[str]]:
        return {each.name: list(getattr(self, each.name)) for each in fields(self) if getattr(self, each.name)}


def name_of(one: Call | Thing) -> str:
    """The type and the name of what is there, or of what somebody asked for."""
    return f"{short(one.type)} {one.name}"


def short(token: str) -> str:
    """A type as the CLI prints it."""
    package, module, kind = token.split(":")
    return f"{package}:{module.partition('/')[0]}:{kind}"


@dataclass(frozen=True)
class Change:
    """A change of the dev stack with all its alerts. `turn` gives the keys to change from those that it has; `text` is
    a path of the project, what is there, and what is written for it. `before` are keys of the stack before the change,
    where these are not the dev stack's. `back` is what taking it back is called, if anybody would."""

    title: str
    turn: Callable[[Values], Values] = lambda _: {}
    text: tuple[str, str, str] | None = None
    before: Values = field(default_factory=dict[str, Any])
    back: str = ""
    day: int | None = None

    def make(self, stack: Stack) -> Run:
        stack.configure(**self.turn({**stack.configurations(), **self.before}))
        if self.text:
            path, old, new = self.text
            file = stack.project / path
            content = file.read_text(encoding="utf-8")
            assert old in content, f"{path} has no {old!r}"
            file.write_text(content.replace(old, new), encoding="utf-8")
        return stack.up(day=self.day)


def _application(values: Values, index: int, **keys: Any) -> Values:
    applications = copy.deepcopy(values["applications"])
    applications[index] |= keys
    return {"applications": applications}


def _without(values: Values, index: int) -> Values:
    return {"applications": [one for place, one in enumerate(values["applications"]) if place != index % 2]}


def _with_another(values: Values) -> Values:
    return {"applications": [*values["applications"], {**values["applications"][-1], "name": "returns"}]}


def _alerts(values: Values, **keys: Any) -> Values:
    return {"alerts": {**values["alerts"], **keys}}


def _grafana_off(values: Values) -> Values:
    return {"grafana": {"enabled": False}, **_alerts(values, traces=False)}


_OURS: Final = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
_MIRRORED: Final = {
    "image": f"{_OURS}/ecr-public/aws-observability/aws-otel-collector:v0.49.0",
    "drainImage": f"{_OURS}/ecr-public/docker/library/busybox:1.37.0",
}

CHANGES: Final = (
    Change(
        "The content of `./sample`, from which both images are built",
        text=("sample/app.py", "A leaf does", "A leaf still does"),
    ),
    Change(
        "The collector's version, with a release of this project",
        text=("documents/adot.py", '"v0.49.0"', '"v0.50.0"'),
    ),
    Change(
        "The version of Grafana, with a release of this project",
        text=("components/grafana.py", 'VERSION: Final = "12.4"', 'VERSION: Final = "13.0"'),
    ),
    Change("Another `desiredCount` of an application", turn=lambda values: _application(values, 0, desiredCount=3)),
    Change(
        "The first application removed",
        turn=lambda values: _without(values, 0),
        back="An application added at the front",
    ),
    Change(
        "An application added at the end",
        turn=_with_another,
        back="The last application removed",
    ),
    Change("An application renamed", turn=lambda values: _application(values, 1, name="stock")),
    Change(
        "`pattern` from `sidecar` to `service`",
        turn=lambda _: {"pattern": "service"},
        back="`pattern` from `service` to `sidecar`",
    ),
    Change(
        "Two alerts turned off, one of AMP and one of CloudWatch",
        turn=lambda values: _alerts(values, disabled=["HighErrorRate", "AmpSeriesNearLimit"]),
        back="Both alerts turned on",
    ),
    Change(
        "Every alert turned off, and `alerts.traces` with them",
        turn=lambda values: _alerts(values, disabled=sorted(alert.name for alert in ALERTS), traces=False),
        back="Every alert turned on",
    ),
    Change(
        "`alerts.traces` turned off",
        turn=lambda values: _alerts(values, traces=False),
        back="`alerts.traces` turned on",
    ),
    Change(
        "Nobody told any more, `alerts.subscriptions`",
        turn=lambda values: _alerts(values, subscriptions=[]),
        back="Everybody told again",
    ),
    Change("Grafana turned off, and `alerts.traces` with it", turn=_grafana_off, back="Grafana turned on"),
    Change(
        "`network.egress` from `nat` to `endpoints`",
        turn=lambda _: {"network": {"private": True, "egress": "endpoints"}},
        before={"network": {"private": True}, "collector": _MIRRORED},
        back="`network.egress` from `endpoints` to `nat`",
    ),
    Change("Another `logs.retentionDays`", turn=lambda _: {"logs": {"retentionDays": 14}}),
    Change("Another tag under `tags`", turn=lambda _: {"tags": {"team": "shop"}}),
    Change("Nothing, ten days later", day=10),
)
"""Each on the dev stack as it comes, with `tests.pulumi_cli.stack.ALERTS`."""


def made(change: Change, stack: Stack) -> Mapping[str, tuple[Run, Effects]]:
    """Make the change in a deployed stack, and take it back where that has a name: each by what it is called."""
    was = stack.configurations()
    if change.before:
        stack.configure(**change.before)
        stack.up()
        was |= change.before
    there = {change.title: _observed(stack, lambda: change.make(stack))}
    if not change.back:
        return there
    for key in set(stack.configurations()) - set(was):
        stack.forget(key)
    stack.configure(**was)
    return {**there, change.back: _observed(stack, stack.up)}


def _observed(stack: Stack, update: Callable[[], Run]) -> tuple[Run, Effects]:
    existed = frozenset(map(name_of, stack.cloud.things()))
    run = update()
    return run, Effects.of(run, existed, frozenset(map(name_of, stack.cloud.things())))


def recorded() -> dict[str, Effects]:
    """What each change did when it was written down, by what it is called."""
    written = yaml.safe_load(RECORDED.read_text(encoding="utf-8"))
    return {title: Effects.read(effects or {}) for title, effects in written.items()}


def page(text: str, effects: Mapping[str, Effects]) -> str:
    """docs/updates.md with its tables as they have to be."""
    head, mark, _ = text.partition(BEGIN)
    assert mark, "the page has lost the line after which it is written"
    kinds = [each.name for each in fields(Effects)]
    rows = [
        f"| [{title}](#{_anchor(title)}) | " + " | ".join(str(len(getattr(each, kind)) or "") for kind in kinds) + " |"
        for title, each in effects.items()
    ]
    table = ["| change | " + " | ".join(kinds) + " |", "|---|" + "--:|" * len(kinds), *rows]
    sections = [_section(title, each) for title, each in effects.items()]
    return "\n".join([head + mark, *table, "", "## Each change, resource by resource", "", *sections])


def _section(title: str, effects: Effects) -> str:
    lines = [
        f"{mark} {resource}"
        for mark, kind in (("+", "created"), ("~", "updated"), ("+-", "replaced"), ("-", "deleted"))
        for resource in getattr(effects, kind)
    ]
    block = "\n".join(["```text", *(lines or ["nothing"]), "```"])
    return f"### {title}\n\n{block}\n"


def _anchor(title: str) -> str:
    return "".join(letter for letter in title.lower().replace(" ", "-") if letter.isalnum() or letter in "-_")


def _record() -> None:
    """Runs every change, and writes down what it did."""
    with tempfile.TemporaryDirectory() as folder, Stack.new(Path(folder) / "dev") as first:
        first.up()
        effects = dict[str, Effects]()
        for index, change in enumerate(CHANGES):
            with first.copy(Path(folder) / str(index)) as stack:
                effects |= {title: each for title, (_, each) in made(change, stack).items()}
    write(effects)


def write(effects: Mapping[str, Effects]) -> None:
    """Write the record and the page."""
    document = {title: each.written() for title, each in effects.items()}
    RECORDED.write_text(yaml.safe_dump(document, sort_keys=False, width=120, allow_unicode=True), encoding="utf-8")
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8"), effects), encoding="utf-8")


if __name__ == "__main__":
    _record()
