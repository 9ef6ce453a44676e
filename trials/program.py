"""`make bench`: how long the program itself takes, side by side with the bare SDK, in one run.

Ratios are the result; seconds depend on the machine. A measurement is a run in a fresh interpreter; its time is the
CPU that the run used, which a busy machine falsifies less than a clock, and the least of `ROUNDS` counts.
"""

import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import jinja2
from rich.console import Console

from preview.recorder import record

ROUNDS: Final = 3
COUNTS: Final = (1, 10, 100)
"""Applications."""

GOAL: Final = 1.3
"""How much longer than the plain program ours may take."""
LINEAR: Final = 1.2
"""How much more a further application may take from one line of the page to the next, where time is called linear."""

_ROOT: Final = Path(__file__).resolve().parent.parent
_PAGE: Final = _ROOT / "docs" / "program-speed.md"
_STACK: Final = "dev"

_PLAIN: Final = """\
import pulumi_aws as aws

for number in range({count}):
    aws.cloudwatch.LogGroup(f"group-{{number}}")
"""
_FLOOR: Final = """\
import pulumi

for number in range({count}):
    pulumi.CustomResource("aws:cloudwatch/logGroup:LogGroup", f"group-{{number}}", {{}})
"""
BARE: Final[Mapping[str, str]] = {"plain": _PLAIN, "floor": _FLOOR}
"""Programs that register so many resources without inputs: of a class of the SDK, and of none."""


def applications(count: int) -> dict[str, Any]:
    """The configuration of a stack with so many applications."""
    image = "public.ecr.aws/example/shop:1.0.0"
    made = [{"name": f"shop-{number:03}", "image": image, "port": 8080} for number in range(count)]
    return {"ecs-observability:applications": made}


def write_bare(folder: Path, text: str, count: int) -> None:
    """A Pulumi program that registers so many resources, and nothing else."""
    (folder / "Pulumi.yaml").write_text("name: bare\nruntime: python\n", encoding="utf-8")
    (folder / f"Pulumi.{_STACK}.yaml").write_text("config: {aws:region: eu-west-1}\n", encoding="utf-8")
    (folder / "__main__.py").write_text(text.format(count=count), encoding="utf-8")


@dataclass(frozen=True)
class Runs:
    """Seconds of CPU for so many applications, which are so many `resources`: ours, plain and floor."""

    applications: int
    resources: int
    seconds: Mapping[str, float]

    @property
    def ratio(self) -> float:
        """Ours to plain."""
        return self.seconds["ours"] / self.seconds["plain"]


@dataclass(frozen=True)
class Figures:
    """Everything that the page shows; seconds of CPU."""

    runs: Sequence[Runs]
    imports: Mapping[str, float]
    render: Mapping[str, float]

    def slopes(self, name: str) -> list[float]:
        """Seconds for each further application, from one number of them to the next."""
        return [
            (after.seconds[name] - before.seconds[name]) / (after.applications - before.applications)
            for before, after in zip(self.runs, self.runs[1:], strict=False)
        ]

    @property
    def added(self) -> list[float]:
        """What ours takes for each further application beyond what plain takes for its resources."""
        return [ours - plain for ours, plain in zip(self.slopes("ours"), self.slopes("plain"), strict=True)]


def is_linear(slopes: Sequence[float]) -> bool:
    """Whether each is hardly more than the one before; less is no fault."""
    return all(after <= LINEAR * before for before, after in pairwise(slopes))


def seconds(*arguments: str) -> float:
    """CPU that a fresh interpreter uses for these arguments. Raises CalledProcessError if it fails."""
    with subprocess.Popen([sys.executable, *arguments], cwd=_ROOT, stdout=subprocess.DEVNULL) as child:
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise subprocess.CalledProcessError(child.returncode, arguments)
    return used.ru_utime + used.ru_stime


def in_turns(wanted: Mapping[str, Sequence[str]], progress: Callable[[str], None]) -> dict[str, float]:
    """The least time of each; they take turns, so that a busy minute hits all of them."""
    taken: dict[str, list[float]] = {name: [] for name in wanted}
    for number in range(ROUNDS):
        progress(f"round {number + 1} of {ROUNDS}: {', '.join(wanted)}")
        for name, arguments in wanted.items():
            taken[name].append(seconds(*arguments))
    return {name: min(found) for name, found in taken.items()}


def runs(count: int, folder: Path, progress: Callable[[str], None]) -> Runs:
    """Ours with so many applications, and bare programs with as many resources."""
    registered = len(record(_ROOT, _STACK, config=applications(count)).resources)
    wanted: dict[str, Sequence[str]] = {"ours": ("-m", "trials.program", "ours", str(count))}
    for name, text in BARE.items():
        program = folder / f"{name}-{count}"
        program.mkdir()
        write_bare(program, text, registered)
        wanted[name] = ("-m", "trials.program", str(program))
    progress(f"{count} applications, {registered} resources")
    return Runs(count, registered, in_turns(wanted, progress))


def measured(progress: Callable[[str], None]) -> Figures:
    """Everything, in a few minutes."""
    with tempfile.TemporaryDirectory() as folder:
        of_programs = [runs(count, Path(folder), progress) for count in COUNTS]
    classes = sorted({_class(one.type) for one in record(_ROOT, _STACK).resources if one.type.startswith("aws:")})
    # A module is loaded when something of it is asked for.
    bare = "; ".join(("import pulumi, pulumi_aws as aws", *classes))
    imports = in_turns(
        {"ours": ("-c", "import components, settings"), "plain": ("-c", bare), "floor": ("-c", "import pulumi")},
        progress,
    )
    render = in_turns({name: ("-m", "preview", name) for name in ("dev", "prod")}, progress)
    return Figures(of_programs, imports, render)


def _class(token: str) -> str:
    """`aws.ec2.Vpc` for `aws:ec2/vpc:Vpc`."""
    package, module, name = token.split(":")
    return f"{package}.{module.partition('/')[0]}.{name}"


def page(figures: Figures) -> str:
    """The text of docs/program-speed.md."""
    loader = jinja2.FileSystemLoader(Path(__file__).parent)
    templates = jinja2.Environment(loader=loader, undefined=jinja2.StrictUndefined, autoescape=False)  # noqa: S701 - it is Markdown
    return templates.get_template("program-speed.md.j2").render(
        figures=figures,
        goal=GOAL,
        is_linear=is_linear,
        tolerance=LINEAR - 1,
        rounds=ROUNDS,
        machine=f"{platform.system()} on {platform.machine()}",
        cores=os.cpu_count(),
        python=platform.python_version(),
    )


def main(arguments: Sequence[str]) -> int:
    """Without arguments measures, prints the page and writes it; otherwise it is one of the runs."""
    match arguments:
        case ["ours", count]:
            record(_ROOT, _STACK, config=applications(int(count)))
        case [program]:
            record(Path(program), _STACK)
        case _:
            text = page(measured(Console(stderr=True).print))
            sys.stdout.write(text)
            _PAGE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
