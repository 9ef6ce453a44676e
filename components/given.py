"""Values that a program of any language gives: what of them is known now, and what must not come later or in secret."""

import re
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar, cast

import pulumi
import pulumi_aws as aws
from pulumi.output import Unknown

from documents.elsewhere import ContainerDefinitions
from documents.environment import StackApplication, StackTask
from documents.faults import UNTOLD, ConfigurationError, Fault
from documents.model import PENDING, Model, is_placeholder
from documents.names import Names

T = TypeVar("T")

_OF_WORKLOADS: Final = ("image", "environment", "secrets", "task_role", "execution_role")

EVENTUAL: Final[Mapping[type[Model], tuple[str, ...]]] = {
    StackApplication: _OF_WORKLOADS,
    StackTask: _OF_WORKLOADS,
    ContainerDefinitions: (
        "container_definitions",
        "cluster",
        "workspace_arn",
        "log_group_arn",
        "collector_address",
        "collector_clients_group_id",
    ),
}
"""The fields that other resources may give; everything else decides what is made."""


@dataclass(frozen=True)
class Allowed:
    """Keys that may come later, and keys that may be secret because what they hold is kept as a secret."""

    later: re.Pattern[str]
    secret: re.Pattern[str]


def settled(value: Any, key: str, found: list[Fault], allowed: Allowed) -> Any:
    """The value as far as it is known now, with `PENDING` for the rest, as a stack file would have it: Pulumi sends
    whole numbers as 5.0. What is not allowed goes to `found`."""
    if isinstance(value, pulumi.Output):
        output = cast("pulumi.Output[Any]", value)
        if _done(output.is_secret(), missing=False) and not allowed.secret.match(key):
            found.append(_shown(key))
        known = _done(output.is_known(), missing=False)
        return settled(_done(output.future(), missing=None) if known else Unknown(), key, found, allowed)
    if isinstance(value, Unknown | Awaitable):
        if not allowed.later.match(key):
            found.append(_late(key))
        return PENDING
    if isinstance(value, Mapping):
        return {
            name: settled(inner, f"{key}.{name}", found, allowed)
            for name, inner in cast("Mapping[str, Any]", value).items()
        }
    if isinstance(value, list | tuple):
        return [
            settled(inner, f"{key}.{index}", found, allowed) for index, inner in enumerate(cast("list[Any]", value))
        ]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def keys(model: type[Model]) -> dict[str, str]:
    """The keys of a model that other resources may give, by field."""
    return {name: model.model_fields[name].alias or name for name in EVENTUAL[model]}


@dataclass(frozen=True)
class Given:
    """What a component is given: its `values` but for what is null, and the stack and region that they are for; a
    region is empty where neither the component nor the stack has one."""

    values: Mapping[str, Any]
    names: Names
    region: str

    @classmethod
    def of(cls, args: Mapping[str, Any]) -> "Given":
        """The arguments of a component in the program that runs."""
        values = {key: value for key, value in args.items() if value is not None}
        region = values.pop("region", None) or pulumi.Config("aws").get("region")
        names = Names(pulumi.get_project(), pulumi.get_stack())
        return cls(values, names, region if isinstance(region, str) else "")

    def read(self, reader: Callable[[Mapping[str, Any], Names, str], T], allowed: Allowed) -> T:
        """What `reader` makes of what is known of the values now. Raises ConfigurationError with every fault."""
        found: list[Fault] = []
        known = {key: settled(value, key, found, allowed) for key, value in self.values.items()}
        if not self.region:
            remedy = "give it as a plain text, or set aws:region for the stack"
            found.append(Fault("region", "is missing", remedy, UNTOLD))
        try:
            asked = reader(known, self.names, self.region)
        except ConfigurationError as error:
            # What is wrong with a placeholder is no news.
            told = {fault.key for fault in found}
            raise ConfigurationError([*found, *(fault for fault in error.faults if fault.key not in told)]) from None
        if found:
            raise ConfigurationError(found)
        return asked

    def check_region(self, component: pulumi.ComponentResource) -> None:
        """Raises ConfigurationError where the component's provider is in another region: its resources would be there,
        and every document and ARN would say this one. Or where the provider does not know yet: then it answers nothing
        that is asked here, in a preview, and what is missing would be missed by a program deep inside."""
        there = aws.get_region(opts=pulumi.InvokeOptions(parent=component)).region or ""
        if there == self.region or is_placeholder(there):
            return
        problem, remedy = f"is not that of the provider, which is in {there}", f"give {there}, or another provider"
        if not there:
            problem = "cannot be compared with the provider's, which depends on what has not been made yet"
            remedy = "give the component a provider of which the program knows everything"
        raise ConfigurationError([Fault("region", problem, remedy, self.region)])


def has_outputs(value: Any) -> bool:
    """Whether anything in the value is an output."""
    if isinstance(value, Mapping):
        return any(has_outputs(inner) for inner in cast("Mapping[str, Any]", value).values())
    if isinstance(value, list | tuple):
        return any(has_outputs(inner) for inner in cast("list[Any]", value))
    return isinstance(value, pulumi.Output | Awaitable)


def _done(coroutine: Coroutine[Any, Any, T], missing: T) -> T:
    """What a coroutine returns if it has nothing to wait for, as with outputs that another language's program has sent;
    otherwise `missing`."""
    try:
        waiting_for = coroutine.send(None)
    except StopIteration as ended:
        return ended.value
    coroutine.close()
    # As the task of asyncio does that stops waiting; otherwise nobody could wait for it any more.
    waiting_for._asyncio_future_blocking = False
    return missing


def _shown(key: str) -> Fault:
    return Fault(
        key,
        "holds an encrypted value, which a task definition would show in plain text",
        "store it in Secrets Manager or SSM Parameter Store and give its ARN under `secrets`",
        UNTOLD,
    )


def _late(key: str) -> Fault:
    return Fault(
        key,
        "is not known before something else has been made, and decides what is made here",
        "give a value that the program knows",
        UNTOLD,
    )
