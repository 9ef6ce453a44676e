"""The policy pack: `pulumi preview --policy-pack policy`. What it asks stands in `rules/`."""

from collections import ChainMap
from collections.abc import Callable, MutableMapping
from typing import Any, cast

from pulumi_policy import (
    EnforcementLevel,
    Policy,
    PolicyPack,
    PolicyResource,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy.proxy import UnknownValueError
from rules import REFERENCES, RESOURCE_RULES, STACK_RULES, Resource, ResourceRule, StackRule


def _of_resource(rule: ResourceRule) -> Callable[[ResourceValidationArgs, ReportViolation], None]:
    def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
        for fault in rule.check(args.resource_type, args.props):
            report(fault, None)

    return validate


def _of_stack(rule: StackRule) -> Callable[[StackValidationArgs, ReportViolation], None]:
    def validate(args: StackValidationArgs, report: ReportViolation) -> None:
        for resource, fault in rule.check([_linked(one) for one in args.resources]):
            report(fault, resource.urn)

    return validate


def _linked(resource: PolicyResource) -> Resource:
    """A resource whose references are URNs, as far as the engine knows whom they refer to: it does so in a preview as
    well, where ids are not known yet."""
    links: dict[str, Any] = {
        key: [one.urn for one in to] if key == "securityGroups" else to[0].urn
        for key, to in resource.property_dependencies.items()
        if key in REFERENCES and (len(to) == 1 or (to and key == "securityGroups"))
    }
    props = cast(MutableMapping[str, Any], resource.props)  # it is only read
    return Resource(resource.resource_type, resource.urn, ChainMap(links, props), _id(resource))


def _id(resource: PolicyResource) -> str:
    """Empty where there is none yet."""
    try:
        return resource.props.get("id", "")
    except UnknownValueError:
        return ""


def policies() -> list[Policy]:
    """The rules as Pulumi takes them."""
    return [
        *(
            ResourceValidationPolicy(
                rule.name,
                rule.description,
                _of_resource(rule),
                EnforcementLevel.ADVISORY if rule.advisory else EnforcementLevel.MANDATORY,
            )
            for rule in RESOURCE_RULES
        ),
        *(StackValidationPolicy(rule.name, rule.description, _of_stack(rule)) for rule in STACK_RULES),
    ]


if __name__ == "__main__":
    PolicyPack("ecs-observability", policies(), EnforcementLevel.MANDATORY)
