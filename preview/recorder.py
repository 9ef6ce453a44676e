"""Runs a Pulumi program without engine and cloud, and keeps what it asked for.

The program runs as the Pulumi CLI runs it (the same `__main__.py`, working directory, configuration and event loop), in
contextvars and an event loop of its own, so that one process can run it any number of times and no run sees another.

In place of the engine stands a monitor that refuses what the engine refuses. What only AWS can know is answered with a
named placeholder, `<resource name.output name>`; in a preview it is unknown, as it is in `pulumi preview`.
"""

import asyncio
import contextlib
import contextvars
import importlib
import runpy
import sys
from collections.abc import Generator, Iterable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pulumi
from pulumi.runtime import run_in_stack
from pulumi.runtime import settings as runtime_settings
from pulumi.runtime.config import set_all_config

from documents.faults import ConfigurationError
from preview.engine import Log, Monitor
from preview.recording import UNKNOWN, ProgramError, Recording, Resource, Secret, Unknown
from preview.stack import load

__all__ = ["UNKNOWN", "ProgramError", "Recording", "Resource", "Secret", "Unknown", "record"]


def record(root: Path, stack: str, *, config: Mapping[str, Any] | None = None, preview: bool = False) -> Recording:
    """Run `root/__main__.py` for `stack` and return what it asked for.

    `config` goes before the stack's file (see `stack.load`). With `preview`, computed outputs are unknown.

    Raises ProgramError where the engine or the program itself would refuse with a text for a person. Every other
    exception of the program comes out as it is.
    """
    root = root.resolve()
    files = load(root, stack, config)
    program = root / "__main__.py"
    if not program.is_file():
        raise ProgramError(f"no program in {root}: __main__.py does not exist")
    log = Log()
    monitor = Monitor(files, preview)

    async def run() -> None:
        runtime_settings.configure(
            runtime_settings.Settings(
                project=files.project,
                stack=stack,
                monitor=monitor,
                engine=log,
                dry_run=preview,
                organization="organization",
                root_directory=str(root),
            )
        )
        runtime_settings.ROOT.set(None)
        set_all_config(dict(files.texts), sorted(files.secret_keys))
        await run_in_stack(lambda: _ignored(runpy.run_path(str(program), run_name="__main__")))

    try:
        with _home(root), asyncio.Runner() as runner:
            # Whatever is still under way after a failure would otherwise print "exception was never retrieved".
            runner.get_loop().set_exception_handler(lambda _loop, _context: None)
            runner.run(run(), context=contextvars.copy_context())
    except SystemExit as ended:
        raise ProgramError(_together(log.errors, f"the program ended itself: sys.exit({ended.code!r})")) from ended
    except Exception as error:
        if text := _text_of(error):
            raise ProgramError(_together(log.errors, text)) from error
        if monitor.refusals:
            raise ProgramError(monitor.refusal()) from error
        raise
    if monitor.refusals:
        raise ProgramError(monitor.refusal())
    if log.errors:
        raise ProgramError(_together(log.errors))
    return Recording(
        project=files.project,
        stack=stack,
        region=monitor.region,
        config=files.values,
        resources=monitor.recorded(),
        outputs=monitor.stack_outputs,
        warnings=files.warnings + tuple(sorted(set(log.warnings))),
    )


def _ignored(_globals: object) -> None:
    """A program's globals are no result."""


def _together(errors: Iterable[str], *more: str) -> str:
    return "\n".join(dict.fromkeys((*errors, *more)))


def _text_of(error: BaseException) -> str:
    """What the program wanted a person to read, when anything in the chain of `error` was raised for that."""
    link: BaseException | None = error
    seen: set[int] = set()
    while link is not None and id(link) not in seen:
        if isinstance(link, (pulumi.RunError, ProgramError)):
            return str(link)
        if isinstance(link, ConfigurationError):
            return f"this stack cannot be deployed:\n{link}"
        seen.add(id(link))
        link = link.__cause__
    return ""


@contextlib.contextmanager
def _home(root: Path) -> Generator[None]:
    """Working directory and import path as `python root` has them.

    Modules of a root that this process does not import from anyway are forgotten afterwards, and modules of this
    process do not stand in for equally named ones of that root.
    """
    with contextlib.chdir(root):
        if any(Path(entry or ".").resolve() == root for entry in sys.path):
            yield
            return
        own = {path.stem for path in root.iterdir() if path.is_dir() or path.suffix == ".py"} - {"__main__"}
        hidden = _forget(own)
        sys.path.insert(0, str(root))
        importlib.invalidate_caches()
        try:
            yield
        finally:
            sys.path.remove(str(root))
            _forget(own)
            sys.modules.update(hidden)


def _forget(top_level: set[str]) -> dict[str, ModuleType]:
    names = [name for name in sys.modules if name.partition(".")[0] in top_level]
    return {name: sys.modules.pop(name) for name in names}
