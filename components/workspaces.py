"""The AMP workspaces that a stack has already, which an update may neither replace nor delete."""

from collections.abc import Sequence
from typing import Any

import pulumi_aws as aws

from components.site import Site


def own_workspaces(site: Site) -> Sequence[Any]:
    """What AMP says of each workspace that this stack has made, known by alias and tags. A program cannot read the
    stack's state, so it asks AWS, and waits for the answer: what is refused is refused before anything is changed."""
    named = aws.amp.get_workspaces(alias_prefix=site.names.prefix, opts=site.asking).workspace_ids
    found = [aws.amp.get_workspace(workspace_id=each, opts=site.asking) for each in named]
    return [one for one in found if _is_ours(site, one)]


def _is_ours(site: Site, workspace: Any) -> bool:
    tagged = all(workspace.tags.get(name) == site.tags[name] for name in ("pulumi:project", "pulumi:stack"))
    return tagged and workspace.alias == site.names.prefix
