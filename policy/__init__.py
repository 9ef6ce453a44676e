"""A policy pack for Pulumi. It stands alone: nothing in it imports anything else of this repository."""
