"""Programs run as the engine would run them, and refused as the engine would refuse them."""

import os
import sys
from pathlib import Path

import pytest

from preview.recorder import UNKNOWN, ProgramError, Resource, Secret, record

WORKSPACE = "aws:amp/workspace:Workspace"
TOPIC = "aws:sns/topic:Topic"
LOST = "urn:pulumi:dev::toy::toy:index:Lost::lost"
PARAMETER = "aws:ssm/parameter:Parameter"

COMPONENT = """
class Metrics(pulumi.ComponentResource):
    def __init__(self, name, opts=None):
        super().__init__("toy:index:Metrics", name, {"size": 2}, opts)
        child = ResourceOptions(parent=self)
        self.workspace = aws.amp.Workspace(f"{name}-workspace", alias="toy", tags={"a": "b"}, opts=child)
        self.rules = aws.amp.RuleGroupNamespace(
            f"{name}-rules", name="toy", workspace_id=self.workspace.id, data="groups: []\\n", opts=child
        )
        self.register_outputs({"arn": self.workspace.arn})
"""


def test_components_parents_dependencies_and_placeholders(project):
    recording = record(
        project(COMPONENT + "m = Metrics('metrics')\npulumi.export('url', m.workspace.prometheus_endpoint)\n"), "dev"
    )
    parent = "urn:pulumi:dev::toy::toy:index:Metrics::metrics"
    rules = "urn:pulumi:dev::toy::toy:index:Metrics$aws:amp/ruleGroupNamespace:RuleGroupNamespace::metrics-rules"
    workspace = "urn:pulumi:dev::toy::toy:index:Metrics$aws:amp/workspace:Workspace::metrics-workspace"
    plain = {"custom": True, "provider": "", "options": {}, "outputs": {}}
    assert recording.resources == (
        Resource(
            urn=rules,
            type="aws:amp/ruleGroupNamespace:RuleGroupNamespace",
            name="metrics-rules",
            parent=parent,
            inputs={"data": "groups: []\n", "name": "toy", "workspaceId": "<metrics-workspace.id>"},
            dependencies=(workspace,),
            **plain,
        ),
        Resource(
            urn=workspace,
            type=WORKSPACE,
            name="metrics-workspace",
            parent=parent,
            inputs={"alias": "toy", "tags": {"a": "b"}},
            dependencies=(),
            **plain,
        ),
        Resource(
            urn=parent,
            type="toy:index:Metrics",
            name="metrics",
            parent="",
            inputs={"size": 2},
            dependencies=(),
            **(plain | {"custom": False, "outputs": {"arn": "<metrics-workspace.arn>"}}),
        ),
    )
    assert recording.outputs == {"url": "<metrics-workspace.prometheusEndpoint>"}
    assert (recording.project, recording.stack, recording.region) == ("toy", "dev", "eu-west-1")
    assert recording.warnings == ()
    assert recording.named(WORKSPACE, "metrics-workspace").urn == workspace
    assert recording.by_urn(rules).name == "metrics-rules"
    with pytest.raises(KeyError, match="there are: metrics-workspace"):
        recording.named(WORKSPACE, "other")


def test_grandchildren_have_the_whole_chain_of_types_in_their_urn(project):
    program = """
    class Inner(pulumi.ComponentResource):
        def __init__(self, name, opts=None):
            super().__init__("toy:index:Inner", name, None, opts)
            aws.amp.Workspace("deep", opts=ResourceOptions(parent=self))
    class Outer(pulumi.ComponentResource):
        def __init__(self, name, opts=None):
            super().__init__("toy:index:Outer", name, None, opts)
            Inner("inner", ResourceOptions(parent=self))
    Outer("outer")
    """
    (deep,) = record(project(program), "dev").of_type(WORKSPACE)
    assert deep.urn == f"urn:pulumi:dev::toy::toy:index:Outer$toy:index:Inner${WORKSPACE}::deep"


def test_options(project):
    program = """
    async def prepare(args): ...
    hook = pulumi.ResourceHook("prepare", prepare)
    workspace = aws.amp.Workspace("workspace")
    provider = aws.Provider("other", region="us-east-1")
    aws.amp.Workspace("second", opts=ResourceOptions(
        provider=provider, protect=True, deleted_with=workspace, replacement_trigger=3, ignore_changes=["kms_key_arn"],
        delete_before_replace=False, replace_on_changes=["alias"], retain_on_delete=True, depends_on=[workspace],
        hooks=pulumi.ResourceHookBinding(before_create=[hook]), aliases=[pulumi.Alias(name="old")],
        custom_timeouts=pulumi.CustomTimeouts(create="5m"),
    ))
    """
    recording = record(project(program), "dev")
    second = recording.named(WORKSPACE, "second")
    first = recording.named(WORKSPACE, "workspace")
    assert second.provider == "urn:pulumi:dev::toy::pulumi:providers:aws::other"
    assert second.dependencies == (first.urn,)
    assert second.options == {
        "aliases": [{"name": "old"}],
        "custom_timeouts": {"create": "5m"},
        "delete_before_replace": False,
        "deleted_with": first.urn,
        "hooks": {"before_create": ["prepare"]},
        "ignore_changes": ["kmsKeyArn"],
        "protect": True,
        "replace_on_changes": ["alias"],
        "replacement_trigger": 3,
        "retain_on_delete": True,
    }
    assert first.options == {}


def test_deleted_with_is_inherited_as_the_engine_does(project):
    program = COMPONENT + "other = aws.amp.Workspace('other')\nMetrics('m', ResourceOptions(deleted_with=other))\n"
    recording = record(project(program), "dev")
    other = recording.named(WORKSPACE, "other").urn
    assert recording.named(WORKSPACE, "m-workspace").options == {"deleted_with": other}


def test_outputs_of_every_kind(project):
    program = """
    zone = aws.route53.Zone("zone", name="example.com")
    task = aws.ecs.TaskDefinition("task", family="toy", container_definitions="[]", tags={"a": "b"})
    certificate = aws.acm.Certificate("certificate", domain_name="example.com", validation_method="DNS")
    pulumi.export("list", zone.name_servers)
    pulumi.export("number", task.revision)
    pulumi.export("tags", task.tags_all)
    pulumi.export("region", task.region)
    pulumi.export("nested", certificate.domain_validation_options[0].resource_record_name)
    pulumi.export("unset", task.skip_destroy)  # Python's SDK leaves None out, as it does with the real engine.
    pulumi.export("given", task.family)
    """
    assert record(project(program), "dev").outputs == {
        "given": "toy",
        "list": ["<zone.nameServers>"],
        "nested": "<certificate.domainValidationOptions.resourceRecordName>",
        "number": "<task.revision>",
        "region": "eu-west-1",
        "tags": {"a": "b"},
    }


def test_secrets_stay_secret_and_are_never_printed(project):
    program = """
    token = pulumi.Config().require_secret("token")
    aws.ssm.Parameter("parameter", type="SecureString", value=token.apply(lambda value: f"prefix {value}"))
    key = aws.iam.AccessKey("key", user="somebody")
    pulumi.export("token", token)
    pulumi.export("computed", key.secret)
    """
    root = project(program, stack="config:\n  toy:token: {secure: v1:abc}\n")
    recording = record(root, "dev")
    assert recording.named(PARAMETER, "parameter").inputs == {
        "type": "SecureString",
        "value": Secret("prefix <secret>"),
    }
    assert recording.outputs == {"token": Secret("<secret>"), "computed": Secret("<key.secret>")}
    assert "<secret>" not in repr(recording)


def test_a_preview_survives_unknowns(project):
    program = COMPONENT + (
        "m = Metrics('metrics')\n"
        "pulumi.export('url', m.workspace.prometheus_endpoint.apply(lambda url: url + 'api'))\n"
        "pulumi.export('alias', m.workspace.alias)\n"
        "pulumi.export('preview', pulumi.runtime.is_dry_run())\n"
    )
    recording = record(project(program), "dev", preview=True)
    assert recording.outputs == {"url": UNKNOWN, "alias": "toy", "preview": True}
    (rules,) = recording.of_type("aws:amp/ruleGroupNamespace:RuleGroupNamespace")
    assert rules.inputs["workspaceId"] is UNKNOWN


def test_invokes(project):
    program = """
    pulumi.export("account", aws.get_caller_identity_output().account_id)
    pulumi.export("region", aws.get_region_output().region)
    pulumi.export("partition", aws.get_partition().partition)
    pulumi.export("zones", aws.get_availability_zones_output(state="available").names)
    pulumi.export("login", aws.ecr.get_authorization_token_output().password)
    """
    assert record(project(program), "dev").outputs == {
        "account": "<account>",
        "region": "eu-west-1",
        "partition": "aws",
        "zones": ["eu-west-1a", "eu-west-1b", "eu-west-1c"],
        "login": Secret("<registry.password>"),
    }
    china = record(project(program, stack="config:\n  aws:region: cn-north-1\n"), "dev").outputs
    assert china["partition"] == "aws-cn"


def test_what_exists_already_is_read(project):
    program = """
    cluster = aws.ecs.Cluster.get("cluster", "shared")
    pulumi.export("id", cluster.id)
    pulumi.export("arn", cluster.arn)
    """
    recording = record(project(program), "dev")
    assert recording.named("aws:ecs/cluster:Cluster", "cluster").options == {"read": "shared"}
    assert recording.outputs == {"id": "shared", "arn": "<cluster.arn>"}


@pytest.mark.parametrize(
    ("program", "refusals"),
    [
        (
            "aws.amp.Workspace('a')\naws.amp.Workspace('a')\naws.sns.Topic('b')\naws.sns.Topic('b')\n",
            [
                f"{WORKSPACE} 'a' is registered twice (urn:pulumi:dev::toy::{WORKSPACE}::a)",
                f"{TOPIC} 'b' is registered twice (urn:pulumi:dev::toy::{TOPIC}::b)",
            ],
        ),
        (
            "hooks = [pulumi.ResourceHook('h', lambda args: None) for _ in range(2)]\n"
            "aws.sns.Topic('t', opts=ResourceOptions(hooks=pulumi.ResourceHookBinding(before_create=hooks)))\n",
            ["two resource hooks are named 'h'"],
        ),
        (
            "from pulumi.resource import DependencyResource\n"
            f"lost = DependencyResource('{LOST}')\n"
            "lost._protect, lost._name, lost._aliases = None, 'lost', []\n"
            "aws.sns.Topic('t', opts=ResourceOptions(parent=lost, deleted_with=lost, depends_on=[lost]))\n",
            [
                f"{TOPIC} 't' depends on a resource that is not registered ({LOST})",
                f"{TOPIC} 't' has a parent that is not registered ({LOST})",
                f"{TOPIC} 't' is deleted with a resource that is not registered ({LOST})",
            ],
        ),
        (
            "pulumi.CustomResource('toy:Thing', 'thing')\n",
            ["toy:Thing 'thing' has a type that is not of the form package:module:Type"],
        ),
        (
            "aws.sns.Topic('t', opts=ResourceOptions(transforms=[lambda args: None]))\n",
            [f"{TOPIC} 't' has transforms, which a preview without the CLI does not run"],
        ),
    ],
)  # fmt: skip
def test_what_the_engine_refuses_is_refused_all_at_once(project, program, refusals):
    with pytest.raises(ProgramError) as refused:
        record(project(program), "dev")
    assert str(refused.value) == "\n  ".join(("the Pulumi engine would refuse this program:", *refusals))


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("raise pulumi.RunError('two words')\n", "two words"),
        ("from documents.faults import *\nraise ConfigurationError([Fault('a', 'is b', 'c')])\n",
         "this stack cannot be deployed:\n  a: is b; c"),
        ("pulumi.Config().require('owner')\n", "Missing required configuration variable 'toy:owner'"),
        ("pulumi.log.error('first')\npulumi.log.error('second')\n", "first\nsecond"),
        ("pulumi.log.error('first')\nraise pulumi.RunError('last')\n", "first\nlast"),
        ("def check(arn):\n    raise pulumi.RunError('late')\n"
         "w = aws.amp.Workspace('w')\naws.ssm.Parameter('p', type='String', value=w.arn.apply(check))\n", "late"),
        ("aws.ssm.get_parameter_output(name='x')\n",
         "the program asks AWS by aws:ssm/getParameter:getParameter, and a preview without the CLI has no answer"),
        ("pulumi.runtime.register_resource_transform(lambda args: None)\n",
         "a preview without the CLI does not run resource transforms"),
        ("import sys\nsys.exit(3)\n", "the program ended itself: sys.exit(3)"),
    ],
)  # fmt: skip
def test_what_a_program_tells_a_person_comes_out_clean(project, program, message):
    with pytest.raises(ProgramError) as refused:
        record(project(program), "dev")
    assert message in str(refused.value)


def test_other_exceptions_keep_their_traceback(project):
    with pytest.raises(ZeroDivisionError) as raised:
        record(project("def deep():\n    return 1 / 0\ndeep()\n"), "dev")
    assert raised.traceback[-1].name == "deep"
    assert Path(raised.traceback[-1].path).name == "__main__.py"


def test_warnings_are_kept(project):
    assert record(project("pulumi.log.warn('b')\npulumi.log.warn('a')\n"), "dev").warnings == ("a", "b")


def test_runs_do_not_see_each_other(project, capfd):
    good = COMPONENT + (
        "import helper\nhelper.COUNT += 1\nMetrics(f'metrics-{helper.COUNT}')\n"
        "hook = pulumi.ResourceHook('h', lambda args: None)\n"
        "aws.sns.Topic('t', opts=ResourceOptions(hooks=pulumi.ResourceHookBinding(before_create=[hook])))\n"
    )
    helper = {"helper": "COUNT = 0\n"}
    modules, path, folder = set(sys.modules), list(sys.path), Path.cwd()
    first = record(project(good, **helper), "dev")
    for broken in (
        "w = aws.amp.Workspace('w')\nw.arn.apply(lambda arn: 1 / 0)\nraise pulumi.RunError('x')\n",
        "w = aws.amp.Workspace('w')\npulumi.export('x', w.arn.apply(lambda arn: 1 / 0))\n",
        "aws.amp.Workspace('w')\naws.amp.Workspace('w')\n",
    ):
        with pytest.raises((ProgramError, ZeroDivisionError)):
            record(project(broken, **helper), "dev")
        assert record(project(good, **helper), "dev") == first
    assert (list(sys.path), Path.cwd()) == (path, folder)
    assert "helper" not in set(sys.modules) - modules
    assert capfd.readouterr().err == ""


def test_thirty_runs_in_one_process_are_equal(project):
    root = project(COMPONENT + "Metrics('metrics')\n")
    first = record(root, "dev")
    assert all(record(root, "dev") == first for _ in range(29))


def test_modules_of_this_process_do_not_stand_in_for_those_of_the_program(project):
    ours = sys.modules["preview.stack"]
    root = project("import preview\npulumi.export('which', preview.WHICH)\n", preview="WHICH = 'theirs'\n")
    assert record(root, "dev").outputs == {"which": "theirs"}
    assert sys.modules["preview.stack"] is ours


def test_the_program_runs_in_its_own_folder(project):
    root = project("import os\npulumi.export('folder', os.getcwd())\n")
    assert record(root, "dev").outputs == {"folder": str(root)}
    os.chdir(root)
    assert record(Path(), "dev").outputs == {"folder": str(root)}


@pytest.fixture(autouse=True)
def _same_folder():
    before = Path.cwd()
    yield
    os.chdir(before)


def test_no_program(project):
    root = project("")
    (root / "__main__.py").unlink()
    with pytest.raises(ProgramError, match=r"no program in .*: __main__\.py does not exist"):
        record(root, "dev")


def test_empty_names_are_refused(project):
    with pytest.raises((ProgramError, TypeError), match="name"):
        record(project("aws.sns.Topic('')\n"), "dev")
