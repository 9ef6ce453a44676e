"""What a stack costs in a month: what of it is billed, how much of that there is, and what this comes to.

Amounts are what a stack has (tasks, alarms, endpoints) or what somebody has to assume (requests, people, gigabytes).
Everything is exact: decimal numbers, rounded where they are shown and nowhere else.
"""

from documents.costs.assumptions import ASSUMPTIONS, Given, Scenario, Spread, assumed, in_scenario
from documents.costs.billing import Bill, bill, month
from documents.costs.charging import charges, people, running
from documents.costs.stack import ON_DEMAND, Instances, Mix, People, Run, Service, Size, Stack, Tasks, shares

__all__ = [
    "ASSUMPTIONS",
    "ON_DEMAND",
    "Bill",
    "Given",
    "Instances",
    "Mix",
    "People",
    "Run",
    "Scenario",
    "Service",
    "Size",
    "Spread",
    "Stack",
    "Tasks",
    "assumed",
    "bill",
    "charges",
    "in_scenario",
    "month",
    "people",
    "running",
    "shares",
]
