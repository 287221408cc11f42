"""Whole deployments of the systems without tiers, for every Pulumi language: what a stack file says, as arguments."""

from collections.abc import Mapping
from typing import Any, NotRequired, TypedDict

import pulumi

from components.base import SkerryComponent
from components.package.deployment import PassedConfig, of_system, secrets_there
from components.package.remote import Remote
from components.package.specs import Deployment
from skerry.config.spec import System


class AgentDbArgs(TypedDict):
    """What an AgentDb takes."""

    deployment: Deployment
    """The deployment of system `agentdb`, as `skerry:deployment` of a stack file has it, in camelCase."""
    secrets: NotRequired[Mapping[str, pulumi.Input[str]]]
    """The secrets that `deployment` names, by those names; left out where it names none."""
    images_lock: NotRequired[str]
    """Path of a lock file; left out, the package's own images/images.lock."""
    organization: NotRequired[str]
    """The organization of the base stack, where the state backend knows any; left out, `organization`."""


class AetherGraphArgs(TypedDict):
    """What an AetherGraph takes."""

    deployment: Deployment
    """The deployment of system `aethergraph`, as `skerry:deployment` of a stack file has it, in camelCase."""
    secrets: NotRequired[Mapping[str, pulumi.Input[str]]]
    """The secrets that `deployment` names, by those names; left out where it names none."""
    images_lock: NotRequired[str]
    """Path of a lock file; left out, the package's own images/images.lock."""
    organization: NotRequired[str]
    """The organization of the base stack, where the state backend knows any; left out, `organization`."""


class ApplicationsArgs(TypedDict):
    """What an Applications takes."""

    deployment: Deployment
    """The deployment of system `applications`, as `skerry:deployment` of a stack file has it, in camelCase."""
    secrets: NotRequired[Mapping[str, pulumi.Input[str]]]
    """The secrets that `deployment` names, by those names; left out where it names none."""
    images_lock: NotRequired[str]
    """Path of a lock file; left out, the package's own images/images.lock."""
    organization: NotRequired[str]
    """The organization of the base stack, where the state backend knows any; left out, `organization`."""


class AgentDb(Remote):
    """A whole deployment of AgentDB, one of its layers, or what joins its regions. One in a program."""

    made: pulumi.Output[Mapping[str, Any]]
    """What its stack exports, by name: addresses, namespaces, and what a further layer reads."""

    def __init__(self, name: str, args: AgentDbArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Declare what a program passes; `make` takes it."""

    @classmethod
    def make(cls, name: str, args: AgentDbArgs, opts: pulumi.ResourceOptions) -> SkerryComponent:
        """Make the deployment."""
        from components.blueprints import agentdb

        spec = of_system(args["deployment"], System.AGENTDB)
        secrets_there(spec, args)
        root = agentdb.AgentDb(spec, opts, name)
        root.finish(made=agentdb.fill(root, spec, PassedConfig(args)))
        return root


class AetherGraph(Remote):
    """A whole deployment of AetherGraph, or one of its layers. One in a program."""

    made: pulumi.Output[Mapping[str, Any]]
    """What its stack exports, by name: addresses, stores, and what a further layer reads."""

    def __init__(self, name: str, args: AetherGraphArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Declare what a program passes; `make` takes it."""

    @classmethod
    def make(cls, name: str, args: AetherGraphArgs, opts: pulumi.ResourceOptions) -> SkerryComponent:
        """Make the deployment."""
        from components.blueprints import aethergraph

        spec = of_system(args["deployment"], System.AETHERGRAPH)
        secrets_there(spec, args)
        root = aethergraph.AetherGraph(spec, opts, name)
        root.finish(made=aethergraph.fill(root, spec, PassedConfig(args)))
        return root


class Applications(Remote):
    """Services of any kind and what they share, each on its runtime. One in a program."""

    made: pulumi.Output[Mapping[str, Any]]
    """What its stack exports, by name: addresses, stores, and what a further layer reads."""

    def __init__(self, name: str, args: ApplicationsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Declare what a program passes; `make` takes it."""

    @classmethod
    def make(cls, name: str, args: ApplicationsArgs, opts: pulumi.ResourceOptions) -> SkerryComponent:
        """Make the deployment."""
        from components.blueprints import applications

        spec = of_system(args["deployment"], System.APPLICATIONS)
        secrets_there(spec, args)
        root = applications.Applications(spec, opts, name)
        root.finish(made=applications.fill(root, spec, PassedConfig(args)))
        return root
