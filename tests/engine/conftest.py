"""A project in a temporary folder, from the text of its program and of its stack files."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

PRELUDE = """
import pulumi
from pulumi import Alias, Output, ResourceOptions as Opts

config = pulumi.Config()


class Thing(pulumi.CustomResource):
    made: pulumi.Output[str]

    def __init__(self, name, props=None, opts=None):
        super().__init__("sim:core:Thing", name, {"made": None, **(props or {})}, opts)


class Provider(pulumi.ProviderResource):
    def __init__(self, name, props=None, opts=None):
        super().__init__("sim", name, props or {}, opts)


class Group(pulumi.ComponentResource):
    def __init__(self, name, props=None, opts=None, body=None):
        super().__init__("pkg:index:Group", name, props or {}, opts)
        if body:
            body(self)
        self.register_outputs({"named": name})
"""

MakeProject = Callable[..., Path]


@pytest.fixture
def make_project(tmp_path: Path) -> MakeProject:
    """Write a project named `demo`; `stacks` maps a stack's name to the text of its file."""

    def make(
        main: str,
        stacks: Mapping[str, str] = {"dev": ""},
        *,
        folder: str = "program",
        pulumi_yaml: str = "name: demo\nruntime: python\nstackConfigDir: stacks\n",
        files: Mapping[str, str] = {},
        prelude: bool = True,
    ) -> Path:
        root = tmp_path / folder
        (root / "stacks").mkdir(parents=True)
        (root / "Pulumi.yaml").write_text(pulumi_yaml)
        (root / "__main__.py").write_text((PRELUDE if prelude else "") + textwrap.dedent(main))
        for name, text in stacks.items():
            (root / "stacks" / f"Pulumi.{name}.yaml").write_text(textwrap.dedent(text))
        for name, text in files.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(textwrap.dedent(text))
        return root

    return make


@pytest.fixture
def first_line() -> int:
    """The line of `__main__.py` on which a test's own text starts (its first line break included)."""
    return PRELUDE.count("\n") + 1
