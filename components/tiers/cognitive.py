"""The cognitive tier: frontier inference on GPUs (or at a provider), Scout and Architect agents. It keeps no state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil
from typing import Final

import pulumi
from pulumi_kubernetes.core.v1 import PersistentVolumeClaim, Secret

from components.base import SkerryComponent
from components.channels.object_store import ObjectAccess
from components.kubernetes.cluster import Cluster
from components.kubernetes.workload import EnvValue, config_map
from components.tiers.agents import AgentGroup, Environment
from components.tiers.model_server import ModelServer, Weights, wants_volume
from components.tiers.providers import (
    API_KEY_SECRET,
    first_hosted,
    hosted_endpoints,
    key_variables,
    provider_rows,
)
from components.tiers.providers import PORT as PORT
from skerry.config.spec import CognitiveSpec, ModelProvider
from skerry.facts import ComponentFacts, DataClass, StorageFact, Tier
from skerry.serving_plan import ServingPlan, plan
from skerry.units import GIB

PROVIDERS_MAP: Final = "model-providers"

WEIGHTS_CLAIM: Final = "model-weights"
"""The claim of the volume that holds the weights, where Skerry makes it."""

SPARE: Final = 1.2
"""Times the bytes of the weights: room for a second copy of the smaller files and of the file system's own."""

_ROLES: Final = {ModelProvider.LOCAL: "model", ModelProvider.SECOND_LOCAL: "second-model"}


class ModelWeights(SkerryComponent):
    """A volume that every server mounts read-only; a loader or a person fills it once."""

    def __init__(
        self,
        name: str,
        cluster: Cluster,
        *,
        namespace: str,
        spec: CognitiveSpec,
        made: ServingPlan,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make the claim, or say what is expected of one that is there.

        Args:
            name: the component's name.
            cluster: where it is.
            namespace: the namespace of the tier.
            spec: of the tier; its weights come from a volume.
            made: which models lie in it.
            opts: Pulumi's options.
        """
        weights = spec.serving.weights
        size = {server.model: server.file_bytes for server in made.servers}
        gib = ceil(sum(size.values()) / GIB * SPARE)
        storage = StorageFact(kind="model-cache", gib=gib, copies=1, storage_class=weights.storage_class or "")
        super().__init__(
            name,
            # Weights are no data of the customer, and not to be given away either.
            ComponentFacts(
                tier=Tier.COGNITIVE,
                role="model-weights",
                stateful=True,
                data_class=DataClass.INTERNAL,
                encrypted_at_rest=cluster.storage_encrypted,
                encrypted_in_transit=cluster.network_encrypted,
                storage=(storage,),
            ),
            opts,
        )
        self.claim: pulumi.Input[str] = weights.volume_claim or WEIGHTS_CLAIM
        if weights.volume_claim is None:
            PersistentVolumeClaim(
                self.child_name("claim"),
                metadata={
                    "name": WEIGHTS_CLAIM,
                    "namespace": namespace,
                    "labels": dict(cluster.labels),
                    # Many classes bind a claim only when a pod uses it, and the servers are not waited for either.
                    "annotations": {"pulumi.com/skipAwait": "true"},
                },
                spec={
                    "accessModes": ["ReadWriteMany"],
                    "storageClassName": weights.storage_class,
                    "resources": {"requests": {"storage": f"{gib}Gi"}},
                },
                opts=self.store_options(),
            )
        self.finish(claim=self.claim, gib=gib)


class CognitiveTier(SkerryComponent):
    """Inference and the agents that explore and plan."""

    model_url: str | None
    """Where other tiers may prompt the local model; None where there is none."""

    def __init__(
        self,
        name: str,
        cluster: Cluster,
        *,
        namespace: str,
        spec: CognitiveSpec,
        objects: ObjectAccess,
        environment: Environment,
        api_keys: Mapping[str, pulumi.Input[str]] | None = None,
        depends_on: Sequence[pulumi.Resource] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make the tier.

        Args:
            name: the component's name.
            cluster: where it runs.
            namespace: its namespace, which exists.
            spec: providers in order, models, agents.
            objects: the object store.
            environment: where the channels and stores are.
            api_keys: of hosted providers, secret: Kubernetes Secret, as `stack_keys` names it -> key; left out, the
                Secrets are there already, or all inference is local.
            depends_on: what must be there before the agents.
            opts: Pulumi's options.

        Raises:
            SizingError: a model does not fit the GPUs of one node, or all servers do not fit the machines.
        """
        endpoints = hosted_endpoints(spec)
        super().__init__(name, ComponentFacts(tier=Tier.COGNITIVE, role="tier", endpoints=endpoints), opts)
        servers = self._servers(cluster, namespace, spec, objects)
        rows = {"providers.json": provider_rows(spec, namespace)}
        config_map(self, "providers", cluster, namespace, PROVIDERS_MAP, rows)
        for secret, key in (api_keys or {}).items():
            self._keep(secret, key, cluster, namespace)
        agents: dict[str, EnvValue] = {**environment, **key_variables(spec)}
        for kind, agent in (("scout", spec.scout), ("architect", spec.architect)):
            AgentGroup(
                self.child_name(kind),
                cluster,
                kind=kind,
                namespace=namespace,
                tier=Tier.COGNITIVE,
                agent=agent,
                environment=agents,
                grpc=kind == "architect",
                config_maps={"providers": PROVIDERS_MAP},
                opts=self.child_options(depends_on=list(depends_on)),
            )
        local = servers.get(ModelProvider.LOCAL)
        self.model_url = f"http://{local.endpoint}:{PORT}/v1" if local else None
        self.finish(
            endpoint=local.endpoint if local else first_hosted(endpoints),
            port=PORT if local else 443,
            secret_ref=API_KEY_SECRET if endpoints else None,
            metrics_endpoint=local.metrics_endpoint if local else None,
        )

    def _servers(
        self, cluster: Cluster, namespace: str, spec: CognitiveSpec, objects: ObjectAccess
    ) -> dict[ModelProvider, ModelServer]:
        """Make the servers of every local model."""
        if ModelProvider.LOCAL not in spec.providers:
            return {}
        made = plan(spec, cluster.catalog.models, renames=cluster.renames_shared_gpus)
        weights = Weights(objects, None)
        if wants_volume(spec):
            volume = ModelWeights(
                self.child_name("weights"),
                cluster,
                namespace=namespace,
                spec=spec,
                made=made,
                opts=self.child_options(),
            )
            weights = Weights(None, volume.claim)
        return {
            server.provider: ModelServer(
                self.child_name(_ROLES[server.provider]),
                cluster,
                namespace=namespace,
                spec=spec,
                server=server,
                share=made.share,
                weights=weights,
                opts=self.child_options(),
            )
            for server in made.servers
        }

    def _keep(self, name: str, api_key: pulumi.Input[str], cluster: Cluster, namespace: str) -> None:
        """Make the Secret with the key of a hosted provider, or of all of them."""
        role = "api-key" + name.removeprefix(API_KEY_SECRET)
        Secret(
            self.child_name(role),
            metadata={"name": name, "namespace": namespace, "labels": dict(cluster.labels)},
            string_data={"api-key": api_key},
            opts=self.child_options(),
        )
