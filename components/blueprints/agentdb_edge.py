"""The edge layer of AgentDB: caches that only read, as the files of the hosts that run them.

Nothing of it is made by a deployment: `skerry render` writes the files, and who has the host's account starts them.
"""

from __future__ import annotations

from pathlib import Path

import pulumi

from components.base import SkerryComponent
from components.blueprints.deployment import target_fact
from components.configuration import FlatConfig
from skerry.catalog import load_catalog
from skerry.config.agentdb import AgentDbSpec
from skerry.config.hybrid_edge import EdgeCacheSpec
from skerry.config.spec import DeploymentSpec
from skerry.facts import ComponentFacts, EndpointFact, ImageFact, ScalingFact, Tier
from skerry.systems.edge_environment import edge_environment, health_path, layers_of, port, write_url
from skerry.systems.edge_files import EdgeApp, files_of
from skerry.systems.edge_places import FUNCTIONS, bounds_of, country_of_place, memory_of, ordered

Outputs = dict[str, pulumi.Input[object]]


class EdgeCache(SkerryComponent):
    """A cache on machines of somebody else, with the files that start it."""

    def __init__(
        self,
        name: str,
        spec: DeploymentSpec,
        agentdb: AgentDbSpec,
        cache: EdgeCacheSpec,
        image: ImageFact,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Describe it.

        Args:
            name: the component's name.
            spec: the deployment.
            agentdb: its configuration.
            cache: the cache's own.
            image: of AgentDB; hosts that run functions take none.
            opts: Pulumi's options.
        """
        app = EdgeApp(
            name=f"{agentdb.name}-{name}",
            image=image.deployed_as,
            cache=cache,
            environment=edge_environment(agentdb, cache),
            secrets=tuple(sorted(agentdb.secrets)),
            port=port(),
            health=health_path(),
            memory_mib=memory_of(agentdb),
            longest_request_s=agentdb.longest_request_s,
            write_url=write_url(layers_of(agentdb), cache),
        )
        super().__init__(name, _facts(spec, agentdb, cache, image), opts, props={"files": files_of(app)})
        options = pulumi.ResourceOptions(parent=self)
        for place in ordered(cache):
            EdgePlace(f"{name}-{place}", spec, country_of_place(cache, place), "edge-cache", options)
        self.finish()


class EdgePlace(SkerryComponent):
    """A place where a cache keeps answers or sends writes, and the law that holds there."""

    def __init__(
        self,
        name: str,
        spec: DeploymentSpec,
        jurisdiction: str | None,
        role: str,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Say where it is; it makes nothing.

        Args:
            name: the component's name.
            spec: the deployment.
            jurisdiction: the country or bloc.
            role: what stands there.
            opts: Pulumi's options.
        """
        facts = ComponentFacts(tier=Tier.EXECUTION, data_class=spec.data_class, jurisdiction=jurisdiction, role=role)
        super().__init__(name, facts, opts)
        self.finish()


def make_edge(root: SkerryComponent, spec: DeploymentSpec, agentdb: AgentDbSpec, config: FlatConfig) -> Outputs:
    """Describe the caches and return the stack outputs.

    Args:
        root: the parent; it is not finished here.
        spec: the checked configuration.
        agentdb: its part of AgentDB.
        config: the flat values beside it.

    Raises:
        CatalogError: the image's reference cannot be used.
        UsageError: the configuration describes no layers.
    """
    lock = config.get("imagesLock")
    catalog = load_catalog(lock=Path(lock) if lock else None)
    image = catalog.image("agentdb", target_fact(spec), "AgentDB at the edge", reference=agentdb.image)
    options = pulumi.ResourceOptions(parent=root)
    layers = layers_of(agentdb)
    caches = layers.caches
    for name, region in sorted(layers.regions.items()):
        EdgePlace(f"region-{name}", spec, region.jurisdiction, "regional-layer", options)
    for name, cache in sorted(caches.items()):
        EdgeCache(f"edge-{name}", spec, agentdb, cache, image, options)
    return {"edges": {name: f"https://{cache.host}" for name, cache in sorted(caches.items())}}


def _facts(spec: DeploymentSpec, agentdb: AgentDbSpec, cache: EdgeCacheSpec, image: ImageFact) -> ComponentFacts:
    layers, functions = layers_of(agentdb), cache.runs_on in FUNCTIONS
    low, high = bounds_of(cache)
    places = len(cache.reads)
    return ComponentFacts(
        tier=Tier.EXECUTION,
        data_class=spec.data_class,
        role="edge-app",
        vendor_hosted=cache.runs_on.value,
        encrypted_in_transit=True,
        # Its host runs it: no manifest carries it.
        images=() if functions else (image.model_copy(update={"declared": True}),),
        ports={} if functions else {"http": port()},
        endpoints=tuple(
            EndpointFact(
                name=f"region-{region}",
                host=layers.regions[region].host,
                port=443,
                protocol="https",
                direction="egress",
                scope="internet",
                why="reads what it has not, and sends writes",
            )
            for region in sorted({*cache.reads.values(), *((cache.writes_to,) if cache.writes_to else ())})
        ),
        scaling=None
        if functions
        else ScalingFact(
            minimum=low * places, typical=max(low, 1) * places, maximum=high * places, autoscaler=cache.runs_on.value
        ),
    )
