"""AetherGraph: its configuration as services on the runtime that it names, or one process on a user's machine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pulumi

from components.base import SkerryComponent
from components.blueprints.applications import make_applications
from components.blueprints.deployment import deployment_fact
from components.configuration import FlatConfig
from skerry.application import parts_of
from skerry.config.aethergraph import AetherGraphSpec
from skerry.config.application import ApplicationsSpec, Need
from skerry.config.spec import DeploymentSpec, Layer
from skerry.facts import ComponentFacts, EndpointFact, Tier
from skerry.systems.aethergraph import ON_ONE_MACHINE, described, plan_of
from skerry.systems.aethergraph_environment import PRIMITIVES, SLACK_HOSTS, host_of

Outputs = dict[str, pulumi.Input[object]]

SHARED: Final = "shared"
"""The output of every runtime with where what services share is: place -> text; no secret stands in it."""


class AetherGraph(SkerryComponent):
    """The root of a deployment of AetherGraph: carries what the whole of it is under."""

    def __init__(
        self, spec: DeploymentSpec, opts: pulumi.ResourceOptions | None = None, name: str = "aethergraph"
    ) -> None:
        """Register the root."""
        super().__init__(name, ComponentFacts(deployment=deployment_fact(spec)), opts)


class OutsideService(SkerryComponent):
    """What somebody else runs under a law of its own, and what graphs or people say reaches: a model, Slack."""

    def __init__(
        self,
        name: str,
        spec: DeploymentSpec,
        *,
        role: str,
        hosts: Mapping[str, int],
        jurisdiction: str,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Say whom the deployment talks to; it makes nothing.

        Args:
            name: the component's name.
            spec: the deployment.
            role: what it is.
            hosts: host -> port.
            jurisdiction: the country whose law holds there.
            opts: Pulumi's options.
        """
        endpoints = tuple(
            EndpointFact(
                name=host.replace(".", "-"),
                host=host,
                port=port,
                protocol="https",
                direction="egress",
                scope="internet",
                why=role,
            )
            for host, port in hosts.items()
        )
        facts = ComponentFacts(
            tier=Tier.PLATFORM,
            data_class=spec.data_class,
            jurisdiction=jurisdiction,
            role=role,
            vendor_hosted=next(iter(hosts)),
            endpoints=endpoints,
            encrypted_in_transit=True,
        )
        super().__init__(name, facts, opts)
        self.finish()


def fill(root: AetherGraph, spec: DeploymentSpec, config: FlatConfig) -> Outputs:
    """Declare a deployment of AetherGraph under its root and return its outputs.

    Args:
        root: the root; it is not finished here.
        spec: the checked configuration.
        config: the flat values and secrets beside it.

    Raises:
        CatalogError: a pin is missing.
        ConfigError: a key is named that `config` does not have.
        UsageError: the configuration does not describe it.
    """
    own = described(spec)
    if spec.layer is not Layer.BASE:
        outside(root, spec, own)
    if spec.mode in ON_ONE_MACHINE:
        from components.blueprints.aethergraph_local import make_local

        return make_local(root, spec, own, config)
    plan = plan_of(spec)
    outputs = make_applications(root, spec, plan, config)
    if SHARED in outputs:
        outputs["stores"] = connections(plan, outputs.pop(SHARED))
    return outputs


def outside(root: SkerryComponent, spec: DeploymentSpec, own: AetherGraphSpec) -> None:
    """Say whom on the internet the deployment talks to, and under which law they stand."""
    options = pulumi.ResourceOptions(parent=root)
    llm, slack = own.llm, own.slack
    if llm is not None and not llm.cidrs and llm.jurisdiction is not None:
        host, port = host_of(llm.url)
        OutsideService(
            "llm", spec, role="model-provider", hosts={host: port}, jurisdiction=llm.jurisdiction, opts=options
        )
    if slack is not None:
        hosts = dict.fromkeys(SLACK_HOSTS[slack.delivery], 443)
        OutsideService("slack-api", spec, role="chat", hosts=hosts, jurisdiction=slack.jurisdiction, opts=options)


def connections(plan: ApplicationsSpec, shared: pulumi.Input[object]) -> dict[str, pulumi.Input[str]]:
    """Return where the four stores are, under names that are the same in every mode.

    Args:
        plan: the services; each that needs all stores is told of them in the same words.
        shared: place -> what stands there, as the runtime says it.
    """
    whole = {Need.DATABASE, Need.CACHE, Need.BUCKET}
    row = next(row for row in plan.services.values() if row.definition and whole <= set(row.definition.needs))
    told = {**(row.definition.environment if row.definition else {}), **row.environment}
    places: Mapping[str, Any] = shared if isinstance(shared, Mapping) else {}
    return {output: pulumi.Output.concat(*parts_of(told[variable], places)) for output, variable in PRIMITIVES.items()}
