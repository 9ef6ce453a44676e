"""What every run of the CLI has to be like."""

from collections.abc import Iterable

from preview.recorder import record
from tests.pulumi_cli.stack import PROJECT, Run, Stack


def assert_as_recorded(stack: Stack) -> None:
    """The engine's state is what `preview` records: the same resources with the same relations."""
    recorded = {resource.urn: resource for resource in record(stack.project, stack.name).resources}
    made = {_decrypted(urn, recorded): state for urn, state in stack.resources().items()}
    assert set(made) == set(recorded)
    root = f"urn:pulumi:{stack.name}::{PROJECT}::pulumi:pulumi:Stack::{PROJECT}-{stack.name}"
    for urn, resource in recorded.items():
        state = made[urn]
        assert state["parent"] == (resource.parent or root), urn
        assert sorted(state.get("dependencies", [])) == sorted(resource.dependencies), urn
        assert state.get("deletedWith", "") == resource.options.get("deleted_with", ""), urn
        if resource.custom and not resource.type.startswith("pulumi:providers:"):
            assert set(state["inputs"]) - {"__autonamed", "name"} == set(resource.inputs) - {"name"}, urn


def _decrypted(urn: str, recorded: Iterable[str]) -> str:
    """The URN of the recording: the name of an encrypted address has its digest, and the preview does not know it."""
    beginning, kind, digest = urn.rpartition("-https-")
    if not kind:
        return urn
    assert len(digest) == len("012345")
    return next(other for other in recorded if other.startswith(f"{beginning}{kind}"))


def assert_prints_no_fault(run: Run) -> None:
    assert not run.warnings
    assert not [line for line in run.output.splitlines() if "error:" in line or "Traceback" in line]
