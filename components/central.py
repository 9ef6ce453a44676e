"""Several accounts: what a central account has to have for this stack, and the role by which others write to ours."""

import json
from collections.abc import Collection, Iterable, Mapping
from typing import TypedDict

import pulumi

from components.identity import role
from components.site import Site
from documents import accounts, policies
from documents.central import Central, Writers
from documents.dashboards import Dashboard
from documents.signals import TraceEndpoint, Traces


class CentralAccountArgs(TypedDict):
    """What the stack needs there. `task_roles` are ARNs of roles that exist and are not named like the stack's, `rules`
    Prometheus rules files (YAML) by the name of their namespace."""

    site: Site
    central: Central
    traces: Traces
    task_roles: Collection[str]
    rules: Mapping[str, str]
    dashboards: Iterable[Dashboard]


class CentralAccount(pulumi.ComponentResource):
    """Documents for whoever looks after the central account; on AWS it is nothing.

    `role` is the CloudFormation template (JSON) of the role that the stack's collectors assume.
    """

    role: pulumi.Output[str]

    def __init__(self, name: str, args: CentralAccountArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("ecs-observability:index:CentralAccount", name, None, opts)
        site = args["site"]

        def template(partition: str, account: str) -> str:
            writers = {site.names.task_roles(partition, account, site.identity.path), *args["task_roles"]}
            return json.dumps(accounts.role_template(args["central"], writers, args["traces"]), sort_keys=True)

        self.role = pulumi.Output.all(site.partition, site.account).apply(lambda known: template(*known))
        self.register_outputs(
            {
                "account": args["central"].account,
                "role": self.role,
                "rules": dict(args["rules"]),
                "dashboards": {one.uid: one.json for one in args["dashboards"]},
            }
        )


class WriterRoleArgs(TypedDict):
    """Who may write, and to which workspace."""

    site: Site
    writers: Writers
    workspace_arn: pulumi.Input[str]


class WriterRole(pulumi.ComponentResource):
    """The role that collectors of other accounts assume to write to one workspace of this one."""

    arn: pulumi.Output[str]

    def __init__(self, name: str, args: WriterRoleArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("ecs-observability:index:WriterRole", name, None, opts)
        site, writers = args["site"], args["writers"]
        trust = policies.writers_trust(
            writers.roles, organization=writers.organization, external_id=writers.external_id
        )
        # Others choose by themselves how their traces come.
        entrances = tuple(TraceEndpoint) if writers.traces else ()
        made, _ = role(
            f"{name}-role",
            site=site,
            role_name=site.names.writer_role,
            trust=pulumi.Output.from_input(trust),
            statements=pulumi.Output.from_input(args["workspace_arn"]).apply(
                lambda arn: policies.central_write(arn, entrances)
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.arn = made.arn
        self.register_outputs({"arn": self.arn})
