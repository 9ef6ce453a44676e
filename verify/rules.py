"""What evaluates in AMP: rule groups and the Alertmanager, whose faults AMP reports only after a deployment."""

from collections import defaultdict, deque
from collections.abc import Iterator, Mapping
from typing import Any, Final

from documents.text import from_yaml
from preview.recording import Recording
from proof.prometheus import QueryError
from verify.aws import Aws, RefusedError, Workspace
from verify.differences import difference
from verify.panels import failed
from verify.verdict import Kind, Verdict

_ALERTMANAGER: Final = "aws:amp/alertManagerDefinition:AlertManagerDefinition"


async def checked(
    recording: Recording, documents: Mapping[str, str], aws: Aws, workspace: Workspace, identity: str
) -> list[Verdict]:
    """Verdicts on every namespace of rules, every rule, and the Alertmanager; `identity` is the workspace's id."""
    verdicts: list[Verdict] = []
    for path in sorted(documents):
        if path.startswith("rules/"):
            name = path.removeprefix("rules/").removesuffix(".yaml")
            verdicts += await _namespace(name, documents[path], aws, workspace, identity)
    if recording.of_type(_ALERTMANAGER):
        [definition] = (text for path, text in documents.items() if path.startswith("alertmanager/"))
        verdicts.append(await _alertmanager(definition, aws, workspace, identity))
    return verdicts


async def _namespace(name: str, text: str, aws: Aws, workspace: Workspace, identity: str) -> list[Verdict]:
    asked = ("rules", name, "")
    try:
        answer = await aws.ask("amp", "describe_rule_groups_namespace", workspaceId=identity, name=name)
        described = answer["ruleGroupsNamespace"]
        if problem := _inactive(described["status"]):
            return [Verdict(Kind.FAILED, *asked, found=problem, cause=f"rules: AMP refuses rules/{name}.yaml")]
        if bytes(described["data"]) != text.encode():
            cause = "rules: changed by hand, or the stack file has changed since; `make deploy` puts them back"
            return [Verdict(Kind.FAILED, *asked, found="other rules than the stack's", cause=cause)]
        loaded = await workspace.rule_groups()
    except (RefusedError, QueryError) as error:
        return [failed(asked, error)]
    return [Verdict(Kind.GOOD, *asked, found="the stack's own, active"), *_rules(text, loaded)]


def _rules(text: str, loaded: list[dict[str, Any]]) -> Iterator[Verdict]:
    """A verdict on each rule: loaded, and evaluated without an error."""
    # Rules of one name stand in the order of the file.
    states: defaultdict[tuple[str, str], deque[dict[str, Any]]] = defaultdict(deque)
    for group in loaded:
        for rule in group["rules"]:
            states[group["name"], rule["name"]].append(rule)
    document: Mapping[str, Any] = from_yaml(text) or {}
    for group in document.get("groups") or ():
        for rule in group["rules"]:
            name = str(rule.get("record") or rule.get("alert"))
            asked = ("rule", name, str(rule["expr"]))
            waiting = states[group["name"], name]
            state = waiting.popleft() if waiting else None
            if state is None:
                cause = "no data yet: AMP loads rules within a minute or two; ask again"
                yield Verdict(Kind.FAILED, *asked, found="not loaded", cause=cause)
            elif state["health"] == "err":
                cause = "query: AMP cannot evaluate it; its answer says why"
                yield Verdict(Kind.FAILED, *asked, found=str(state.get("lastError", "")), cause=cause)
            else:
                # An alert that fires is the stack's own business, not that of its deployment.
                firing = " and fires" if state.get("state") == "firing" else ""
                yield Verdict(Kind.GOOD, *asked, found=f"evaluates{firing}")


async def _alertmanager(text: str, aws: Aws, workspace: Workspace, identity: str) -> Verdict:
    asked = ("alertmanager", "definition", "")
    try:
        answer = await aws.ask("amp", "describe_alert_manager_definition", workspaceId=identity)
        described = answer["alertManagerDefinition"]
        if problem := _inactive(described["status"]):
            return Verdict(Kind.FAILED, *asked, found=problem, cause="alertmanager: AMP refuses its definition")
        if difference(text, bytes(described["data"]).decode(errors="replace"), "definition"):
            cause = "alertmanager: changed by hand, or the stack file has changed since; `make deploy` puts it back"
            return Verdict(Kind.FAILED, *asked, found="another definition than the stack's", cause=cause)
        status = await workspace.alertmanager()
    except RefusedError as error:
        return failed(asked, error)
    version = status.get("versionInfo", {}).get("version", "")
    return Verdict(Kind.GOOD, *asked, found=" ".join(filter(None, ("the stack's own, active", version))))


def _inactive(status: Mapping[str, str]) -> str:
    """AMP's own words where a definition is not active."""
    code = status["statusCode"]
    return "" if code == "ACTIVE" else " ".join(filter(None, (code, status.get("statusReason"))))
