"""The base stack as the platform stack sees it: one reference, and outputs that must be there."""

from __future__ import annotations

from typing import Any

import pulumi

from components.configuration import FlatConfig
from skerry.config.spec import DeploymentSpec
from skerry.errors import ConfigError, Problem


def base_of(spec: DeploymentSpec, config: FlatConfig) -> pulumi.StackReference:
    """Return the reference to the stack that made the cluster.

    Args:
        spec: the deployment; `target.base_stack` names the base.
        config: the flat value `organization` where the state backend knows any; `organization` is the default.

    Raises:
        ConfigError: no base stack is named.
    """
    if spec.target.base_stack is None:
        problem = Problem("target.base_stack", f"is required on {spec.target.kind.value}")
        raise ConfigError(pulumi.get_stack(), [problem])
    organization = config.get("organization") or "organization"
    return pulumi.StackReference(f"{organization}/{pulumi.get_project()}/{spec.target.base_stack}")


def output_of(base: pulumi.StackReference, name: str) -> pulumi.Output[Any]:
    """Return an output of the base stack; while it is deployed one that is missing ends the program with a remedy."""

    def present(value: Any) -> Any:
        if value is None:
            problem = Problem("target.base_stack", f"that stack has no output '{name}'", "deploy it first")
            raise ConfigError(pulumi.get_stack(), [problem])
        return value

    return base.get_output(name).apply(present)
