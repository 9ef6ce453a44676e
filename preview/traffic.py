"""What comes in from outside in a recorded stack, and how new versions come to it, as a table for a person."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from documents.prices import HOURS, Prices, shown
from preview import wiring
from preview.costs import files
from preview.recording import Recording, Resource
from preview.wiring import Running

_RULE: Final = "aws:lb/listenerRule:ListenerRule"
_TARGET_GROUP: Final = "aws:lb/targetGroup:TargetGroup"
_CONDITIONS: Final[Mapping[str, str]] = {"hostHeader": "host", "pathPattern": "path", "httpHeader": "header"}


def lines(recording: Recording, runs: Iterable[Running], prices: Prices | None) -> Iterator[str]:
    """Markdown: the load balancer, and a row for each listener rule in the order in which they are tried. Nothing where
    nothing comes in, and no dollars without prices."""
    rules = sorted(recording.of_type(_RULE), key=lambda rule: int(rule.inputs["priority"]))
    if not rules:
        return
    for balancer in recording.of_type(wiring.BALANCER):
        where = "internal" if balancer.inputs.get("internal") else "facing the internet"
        kept = "deletion protected" if balancer.inputs.get("enableDeletionProtection") else "not deletion protected"
        logs = wiring.table(balancer.inputs.get("accessLogs")).get("bucket")
        written = f"access logs in `{logs}`" if logs else "no access logs"
        cost = _cost(balancer, prices)
        yield f"Load balancer `{wiring.aws_name(balancer)}`: {where}, {kept}, {written}. {cost}"
        yield ""
    yield "| priority | requests | application | how new versions come to them | rolled back by |"
    yield "|---:|---|---|---|---|"
    behind = list(_behind(recording, runs))
    for rule in rules:
        for run, groups in behind:
            if groups & _groups(recording, rule):
                asked = "; ".join(_condition(one) for one in map(wiring.table, wiring.items(rule.inputs["conditions"])))
                who = f"{run.name}{_share(recording, rule, groups)}"
                row = (rule.inputs["priority"], asked, who, _strategy(run), _alarms(run))
                yield f"| {' | '.join(map(str, row))} |"


def _cost(balancer: Resource, prices: Prices | None) -> str:
    zones = len(wiring.items(balancer.inputs.get("subnets")))
    addresses = 0 if balancer.inputs.get("internal") else zones
    beside = f" with {addresses} public addresses" if addresses else ""
    if prices is None:
        return f"It is billed by the hour{beside}, and by capacity units. {files.NO_DOLLARS}"
    fixed = (prices["balancer.hour"].first + addresses * prices["address"].first) * HOURS
    unit = prices["balancer.unit"].first * HOURS
    return (
        f"It costs {shown(fixed)} dollars a month{beside}, and {shown(unit)} for each capacity unit "
        f"that it needs all the time, by list prices of {prices.region} (docs/traffic.md#what-it-costs)."
    )


def _behind(recording: Recording, runs: Iterable[Running]) -> Iterator[tuple[Running, set[str]]]:
    """Services behind a load balancer, with the names of their target groups."""
    for run in runs:
        arns: list[Any] = []
        for target in map(wiring.table, wiring.items(run.service.inputs.get("loadBalancers"))):
            advanced = wiring.table(target.get("advancedConfiguration"))
            arns += [target.get("targetGroupArn"), advanced.get("alternateTargetGroupArn")]
        found = (wiring.meant(recording, arn, _TARGET_GROUP) for arn in arns if arn)
        if names := {group.name for group in found if group}:
            yield run, names


def _groups(recording: Recording, rule: Resource) -> set[str]:
    """The names of the target groups that a rule leads to."""
    arns: list[Any] = []
    for action in map(wiring.table, wiring.items(rule.inputs.get("actions"))):
        forward = wiring.items(wiring.table(action.get("forward")).get("targetGroups"))
        arns += [action.get("targetGroupArn"), *(wiring.table(group).get("arn") for group in forward)]
    found = (wiring.meant(recording, arn, _TARGET_GROUP) for arn in arns if arn)
    return {group.name for group in found if group}


def _share(recording: Recording, rule: Resource, groups: set[str]) -> str:
    """What of the requests goes to these target groups, where it is not all."""
    weights = {
        found.name: int(group.get("weight", 0))
        for action in map(wiring.table, wiring.items(rule.inputs.get("actions")))
        for group in map(wiring.table, wiring.items(wiring.table(action.get("forward")).get("targetGroups")))
        if (found := wiring.meant(recording, group.get("arn"), _TARGET_GROUP))
    }
    own = sum(weight for name, weight in weights.items() if name in groups)
    return f", {100 * own / sum(weights.values()):g} %" if own < sum(weights.values()) else ""


def _condition(condition: Mapping[str, Any]) -> str:
    ((kind, said),) = condition.items()
    values = wiring.table(said)
    named = f" `{values['httpHeaderName']}`" if "httpHeaderName" in values else ""
    return f"{_CONDITIONS[kind]}{named} {' or '.join(f'`{one}`' for one in wiring.items(values.get('values')))}"


def _strategy(run: Running) -> str:
    """What ECS does, in the words of its own configuration."""
    configuration = wiring.table(run.service.inputs.get("deploymentConfiguration"))
    minutes = configuration.get("bakeTimeInMinutes")
    bake = f", then {minutes} minutes with the old ones beside them" if minutes != "0" else ""
    match configuration.get("strategy"):
        case "CANARY":
            step = wiring.table(configuration.get("canaryConfiguration"))
            text = f"{step['canaryPercent']:g} % for {step['canaryBakeTimeInMinutes']} minutes, then all{bake}"
        case "LINEAR":
            step = wiring.table(configuration.get("linearConfiguration"))
            text = f"{step['stepPercent']:g} % more every {step['stepBakeTimeInMinutes']} minutes{bake}"
        case "BLUE_GREEN":
            text = f"all at once{bake}"
        case _:
            text = "task by task"
    stages = [
        f"; waits at {', '.join(wiring.items(hook.get('lifecycleStages')))}"
        for hook in map(wiring.table, wiring.items(configuration.get("lifecycleHooks")))
    ]
    return text + "".join(stages)


def _alarms(run: Running) -> str:
    names = wiring.items(wiring.table(run.service.inputs.get("alarms")).get("alarmNames"))
    return f"{len(names)} alarms" if names else "no alarm"
