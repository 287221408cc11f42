"""Public programs spoilt or changed in one place: both engines refuse them, or both tell the same graph."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.simulators.examples import Both, Program, Workshop, checkout, load_table, where_to_get
from tests.simulators.graph_equality import compare, read_command

PROGRAMS = {program.folder: program for program in load_table().programs}
MAIN = "__main__.py"
_LINES = 8
"""As many lines as a reader takes in at once; the command prints forty of asyncio."""


@dataclass(frozen=True)
class Variant:
    """A program with one text replaced, and how both engines refuse it."""

    folder: str
    old: str
    new: str
    fails: str = ""
    at: str = ""
    """The place that the embedded engine names."""
    config: dict[str, str] = field(default_factory=dict)
    file: str = MAIN


_DIVIDED = "import pulumi\npulumi.Output.from_input(0).apply(lambda v: 1 / v)\n"
_REGION = "import pulumi_aws as aws\naws.get_availability_zones().names[0]"
REFUSED = {
    "a configuration value is missing": Variant(
        "kubernetes-py-jenkins", 'config.require("username")', 'config.require("userName")', "userName", "__main__.py:"
    ),
    "a region does not exist": Variant(
        "aws-py-webserver", "import pulumi_aws as aws", _REGION,
        "getAvailabilityZones", "__main__.py:", {"aws:region": "eu-centrl-1"},
    ),
    "an exception inside apply": Variant(
        "gcp-py-instance-nginx", "import pulumi\n", _DIVIDED,
        "division by zero", "__main__.py:",
    ),
    "an exception inside a component": Variant(
        "kubernetes-py-guestbook/components", 'labels = {"app": name}', "raise LookupError('no such mode')",
        "no such mode", "service_deployment.py:", file="service_deployment.py",
    ),
    "a file that is not there": Variant(
        "aws-py-s3-folder", 'FileAsset(filepath)', 'FileAsset(filepath + ".gone")', ".gone", "__main__.py:"
    ),
    "an argument that the SDK does not have": Variant(
        "aws-py-webserver", "import pulumi_aws as aws\n", "import pulumi_aws as aws\naws.sns.Topic('t', nonsense=1)\n",
        "nonsense", "__main__.py:",
    ),
    "a call in its plain form about what does not exist yet": Variant(
        "aws-py-webserver", "import pulumi_aws as aws\n", "import pulumi_aws as aws\n"
        "aws.ec2.get_vpc(id=aws.ec2.Vpc('v', cidr_block='10.0.0.0/16').id)\n",
        "", "aws:ec2/getVpc:getVpc at __main__.py:",
    ),
    "a name that is used twice": Variant(
        "kubernetes-py-nginx", "import pulumi\n",
        "import pulumi\nfrom pulumi_kubernetes.core.v1 import Namespace\nNamespace('twice')\nNamespace('twice')\n",
        "twice", "__main__.py:",
    ),
}  # fmt: skip

_TRANSFORM = """
def _renamed(args):
    if args.type_ == "kubernetes:apps/v1:Deployment":
        name = {**args.props["metadata"], "name": "renamed"} if args.props.get("metadata") else {"name": "renamed"}
        return pulumi.ResourceTransformResult({**args.props, "metadata": name}, args.opts)
    return None


pulumi.runtime.register_stack_transform(_renamed)
"""
_ALIASES = """
_opts = pulumi.ResourceOptions(
    aliases=[pulumi.Alias(name="old"), pulumi.Alias(type_="aws:s3:Old"), "urn:pulumi:dev::former::x:y:Z::w"]
)
import pulumi_aws

pulumi_aws.s3.Bucket("b", opts=_opts)
"""
_PARENT = """
class _Group(pulumi.ComponentResource):
    def __init__(self, name, opts=None):
        super().__init__("site:index:Group", name, {"tier": 1}, opts)


_opts = pulumi.ResourceOptions(
    parent=_Group("group", pulumi.ResourceOptions(protect=True, aliases=[pulumi.Alias(name="former")])),
    aliases=[pulumi.Alias(name="once")],
)
"""
_MOVED = """
_west = aws.Provider("west", region="us-west-1")


def _moved(args):
    if args.custom and args.type_.startswith("aws:"):
        return pulumi.ResourceTransformResult(args.props, pulumi.ResourceOptions.merge(args.opts, _WEST))
    return None


_WEST = pulumi.ResourceOptions(provider=_west, protect=True)
pulumi.runtime.register_stack_transform(_moved)
"""
_MANIFESTS = """
from pulumi_kubernetes.yaml import ConfigGroup

ConfigGroup("group", resource_prefix="a", yaml=['''
apiVersion: v1
kind: Namespace
metadata: {name: shop, annotations: {"on": "22", at: 22:22, since: 2020-01-01}}
---
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: ConfigMap, metadata: {name: c, namespace: shop}, data: {a: "1"}}
---
apiVersion: example.org/v1
kind: Widget
metadata: {name: w}
spec: {size: 1e3, deep: {empty: null}}
'''])
"""
EQUAL = {
    "a transform that renames": Variant("kubernetes-py-nginx", "import pulumi\n", f"import pulumi\n{_TRANSFORM}\n"),
    "a resource with aliases": Variant("aws-py-voting-app", "import pulumi\n", f"import pulumi\n{_ALIASES}\n"),
    "a region that does not exist, and nothing that asks for it": Variant(
        "aws-py-webserver", "import pulumi_aws as aws\n", "import pulumi_aws as aws\naws.sns.Topic('t')\n",
        config={"aws:region": "eu-centrl-1"},
    ),
    "a transform that takes everything under another provider": Variant(
        "aws-py-webserver", "import pulumi_aws as aws\n", f"import pulumi\nimport pulumi_aws as aws\n{_MOVED}"
        "aws.sns.Topic('moved')\n"
    ),
    "manifests that are read from a text": Variant(
        "kubernetes-py-nginx", "import pulumi\n", f"import pulumi\n{_MANIFESTS}\n"
    ),
    "a parent with an alias, protected": Variant(
        "aws-py-webserver", "import pulumi_aws as aws\n", f"import pulumi_aws as aws\n{_PARENT}\n"
        "aws.sns.Topic('topic', opts=_opts)\n"
    ),
}  # fmt: skip


def run(variant: Variant, tmp_path: Path) -> Both:
    program = PROGRAMS[variant.folder]
    if checkout(program) is None:
        pytest.skip(where_to_get(program))
    changed = Program.model_validate({**program.model_dump(), "config": {**program.config, **variant.config}})
    workshop = Workshop(tmp_path)
    return workshop.run(changed, workshop.lay_out(changed, {variant.file: (variant.old, variant.new)}))


@pytest.mark.usefixtures("_command")
@pytest.mark.parametrize("case", REFUSED)
def test_both_engines_refuse_it_and_ours_says_where(case: str, tmp_path: Path) -> None:
    variant = REFUSED[case]
    both = run(variant, tmp_path)
    assert both.engine is None
    assert both.command.returncode != 0
    assert variant.fails in both.command.text
    assert variant.fails in both.engine_error
    assert variant.at in both.engine_error
    assert len(both.engine_error.splitlines()) <= _LINES, both.engine_error
    assert "asyncio" not in both.engine_error


@pytest.mark.usefixtures("_command")
@pytest.mark.parametrize("case", EQUAL)
def test_both_engines_tell_the_same_graph(case: str, tmp_path: Path) -> None:
    both = run(EQUAL[case], tmp_path)
    assert both.engine is not None, both.engine_error
    assert both.command.returncode == 0, both.command.text[-2000:]
    found = compare(both.engine, read_command(both.command.stdout, both.plan))
    assert found.differences == []
