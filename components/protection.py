"""Pulumi's `protect` for what holds data: neither deleted nor replaced until somebody takes it away."""

import copy

import pulumi

from documents.kept import HOLDS_DATA


def protect_data(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
    """A transformation, for a stack (`pulumi.runtime.register_stack_transformation`) or for one component (its option
    `transformations`): protects every resource below that holds data, unless its component has decided."""
    if args.type_ not in HOLDS_DATA or args.opts.protect is not None:
        return None
    opts = copy.copy(args.opts)
    opts.protect = True
    return pulumi.ResourceTransformationResult(args.props, opts)
