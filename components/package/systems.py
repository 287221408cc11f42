"""Whole deployments of the systems without tiers, for every Pulumi language: what a stack file says, as arguments."""

from collections.abc import Callable, Mapping
from typing import Any, NotRequired, TypedDict, TypeVar, cast

import pulumi

from components.base import SkerryComponent
from components.configuration import FlatConfig
from components.package.deployment import PassedConfig, deployment_of, of_system, secrets_there
from components.package.remote import Remote
from components.package.specs import Deployment
from skerry.config.spec import DeploymentSpec, System, TargetKind
from skerry.errors import UsageError

_Root = TypeVar("_Root", bound=SkerryComponent)


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


class HostsArgs(TypedDict):
    """What a Hosts takes."""

    deployment: Deployment
    """The deployment on machines, as `skerry:deployment` of a stack file has it, in camelCase."""
    secrets: NotRequired[Mapping[str, pulumi.Input[str]]]
    """The secrets that `deployment` names, by those names; left out where it names none."""
    images_lock: NotRequired[str]
    """Path of a lock file; left out, the package's own images/images.lock."""


def _made(
    system: System,
    root_of: Callable[[DeploymentSpec, pulumi.ResourceOptions, str], _Root],
    fill: Callable[[_Root, DeploymentSpec, FlatConfig], Mapping[str, pulumi.Input[object]]],
    name: str,
    args: AgentDbArgs | AetherGraphArgs | ApplicationsArgs,
    opts: pulumi.ResourceOptions,
) -> _Root:
    """Make the deployment that a program passes, under a root of its own."""
    spec = of_system(args["deployment"], system)
    if spec.target.kind is TargetKind.HOSTS:
        raise UsageError("a deployment on machines without an orchestrator is made by the component Hosts")
    secrets_there(spec, args)
    root = root_of(spec, opts, name)
    root.finish(made=fill(root, spec, PassedConfig(args)))
    return root


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

        return _made(System.AGENTDB, agentdb.AgentDb, agentdb.fill, name, args, opts)


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

        return _made(System.AETHERGRAPH, aethergraph.AetherGraph, aethergraph.fill, name, args, opts)


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

        return _made(System.APPLICATIONS, applications.Applications, applications.fill, name, args, opts)


class Hosts(Remote):
    """A whole deployment on machines without an orchestrator, of any system that has a form for them."""

    made: pulumi.Output[Mapping[str, Any]]
    """What its stack exports, by name: the address of each machine."""

    def __init__(self, name: str, args: HostsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Declare what a program passes; `make` takes it."""

    @classmethod
    def make(cls, name: str, args: HostsArgs, opts: pulumi.ResourceOptions) -> SkerryComponent:
        """Make the deployment."""
        from components.blueprints import hosts

        spec = deployment_of(args["deployment"])
        if spec.target.kind is not TargetKind.HOSTS:
            raise UsageError("Hosts makes deployments with target.kind: hosts: use the component of the system")
        # It reads no other stack, so that it is told of no organization.
        passed = cast("AgentDbArgs", args)
        secrets_there(spec, passed)
        config = PassedConfig(passed)
        root = hosts.Hosts(spec, hosts.plan_for(spec, config), opts, name)
        root.finish(made=hosts.fill(root, spec, config))
        return root
