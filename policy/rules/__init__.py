"""The rules of the policy pack: pure functions over types and inputs of resources, in the engine's own terms.

`RESOURCE_RULES` look at one resource, `STACK_RULES` at all of a stack, because what they ask is said by several.
"""

from typing import Final

from . import access, encryption, escalation, network, trust
from .model import REFERENCES, Resource, ResourceRule, StackRule

__all__ = ["REFERENCES", "RESOURCE_RULES", "STACK_RULES", "Resource", "ResourceRule", "StackRule"]

RESOURCE_RULES: Final = (*access.RULES, *trust.RULES, *network.RESOURCE_RULES, *encryption.RESOURCE_RULES)
STACK_RULES: Final = (*escalation.RULES, *network.STACK_RULES, *encryption.STACK_RULES)
