"""What a stack costs in a month: what of it is billed, how much of that there is, and what this comes to.

Amounts are what a stack has (tasks, alarms, endpoints) or what somebody has to assume (requests, people, gigabytes).
Everything is exact: decimal numbers, rounded where they are shown and nowhere else.
"""

from documents.costs.assumptions import ASSUMPTIONS, Given, Scenario, Spread, assumed, in_scenario
from documents.costs.billing import Bill, bill, month
from documents.costs.charging import charges, collectors_for
from documents.costs.stack import ON_DEMAND, Instances, Mix, Run, Service, Size, Stack, shares

__all__ = [
    "ASSUMPTIONS",
    "ON_DEMAND",
    "Bill",
    "Given",
    "Instances",
    "Mix",
    "Run",
    "Scenario",
    "Service",
    "Size",
    "Spread",
    "Stack",
    "assumed",
    "bill",
    "charges",
    "collectors_for",
    "in_scenario",
    "month",
    "shares",
]
