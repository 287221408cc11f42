"""The meta tier: vectors, knowledge graph, documents, experiments, and the agents that learn. Internal only."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi

from components.base import SkerryComponent
from components.channels.object_store import ObjectAccess
from components.kubernetes.cluster import Cluster
from components.kubernetes.workload import EnvValue, login
from components.stores.backup import BackupStore
from components.stores.document import REPLICA_SET, DocumentStore
from components.stores.experiments import ExperimentTracker
from components.stores.graph import LICENCE as NEO4J_LICENCE
from components.stores.graph import GraphStore
from components.stores.relational import RelationalStore
from components.stores.vector import PGVECTOR_DATABASE, VectorStore
from components.tiers.agents import AgentGroup, Environment
from skerry.config.spec import MetaSpec, VectorStoreKind
from skerry.facts import BaselineFact, ComponentFacts, Tier


class MetaTier(SkerryComponent):
    """Keeps what was learnt; every store has members in several failure domains and is reached from inside only."""

    patterns: dict[str, EnvValue]
    """What agents are told who ask for patterns: the vector store."""
    knowledge: dict[str, EnvValue]
    """What agents are told who ask for all that was learnt: vectors, graph and documents."""

    def __init__(
        self,
        name: str,
        cluster: Cluster,
        *,
        namespace: str,
        spec: MetaSpec,
        objects: ObjectAccess,
        environment: Environment,
        licences: Sequence[str] = (),
        backup: BackupStore | None = None,
        answers: bool = False,
        depends_on: Sequence[pulumi.Resource] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make the tier.

        Args:
            name: the component's name.
            cluster: where it runs.
            namespace: its namespace, which exists.
            spec: stores and agents.
            objects: the object store.
            environment: where the channels are.
            licences: ids of the licences whose terms the configuration accepts.
            backup: where backups of its stores go; None makes none.
            answers: whether its agents take patterns over gRPC, from those who may not call its stores.
            depends_on: what must be there before.
            opts: Pulumi's options.
        """
        baselines: tuple[BaselineFact, ...] = ()
        if spec.baseline is not None:
            baselines = (cluster.catalog.baseline(spec.baseline, "the pattern library starts from it"),)
        super().__init__(name, ComponentFacts(tier=Tier.META, role="tier", baselines=baselines), opts)
        after = self.child_options(depends_on=list(depends_on))
        vector, experiments = self._stores(cluster, namespace, spec, objects, licences, backup, after)
        stores: dict[str, EnvValue] = {
            **environment,
            **self.knowledge,
            "MLFLOW_TRACKING_URI": pulumi.Output.concat("http://", experiments.endpoint, f":{experiments.port}"),
            "CROSS_CUSTOMER_LEARNING": "false",
        }
        if baselines:
            # Loaded once, from the object store, where the site put the carried baseline.
            stores["BASELINE"] = f"baselines/{baselines[0].name}/{baselines[0].version}"
        AgentGroup(
            self.child_name("learning"),
            cluster,
            kind="learning",
            namespace=namespace,
            tier=Tier.META,
            agent=spec.learning,
            environment=stores,
            grpc=answers,
            opts=after,
        )
        self.finish(
            endpoint=vector.endpoint,
            port=vector.port,
            secret_ref=vector.secret_ref,
            metrics_endpoint=vector.metrics_endpoint,
        )

    def _stores(
        self,
        cluster: Cluster,
        namespace: str,
        spec: MetaSpec,
        objects: ObjectAccess,
        licences: Sequence[str],
        backup: BackupStore | None,
        after: pulumi.ResourceOptions,
    ) -> tuple[VectorStore, ExperimentTracker]:
        """Make the stores, and set what agents are told of them."""
        vector = VectorStore(
            self.child_name("vectors"),
            cluster,
            namespace=namespace,
            kind=spec.vector_store,
            size=spec.vector,
            relational=spec.relational_kind,
            backup=backup,
            # CloudNativePG must be there before what it runs.
            opts=after if spec.vector_store is VectorStoreKind.PGVECTOR else self.child_options(),
        )
        graph = GraphStore(
            self.child_name("graph"),
            cluster,
            namespace=namespace,
            size=spec.graph,
            accepted=NEO4J_LICENCE in licences,
            backup=backup,
            opts=self.child_options(),
        )
        documents = DocumentStore(
            self.child_name("documents"),
            cluster,
            namespace=namespace,
            size=spec.documents,
            backup=backup,
            opts=self.child_options(),
        )
        experiments = self._experiments(cluster, namespace, spec, objects, backup, after)
        self.patterns = _patterns(vector, spec.vector_store)
        self.knowledge = {**self.patterns, **_knowledge(graph, documents)}
        return vector, experiments

    def _experiments(
        self,
        cluster: Cluster,
        namespace: str,
        spec: MetaSpec,
        objects: ObjectAccess,
        backup: BackupStore | None,
        after: pulumi.ResourceOptions,
    ) -> ExperimentTracker:
        """Make the experiment tracker and its database."""
        database = RelationalStore(
            "experiments-db",
            cluster,
            namespace=namespace,
            tier=Tier.META,
            database="mlflow",
            kind=spec.relational_kind,
            size=spec.relational,
            backup=backup,
            opts=after,
        )
        return ExperimentTracker(
            self.child_name("experiments"),
            cluster,
            namespace=namespace,
            database=database,
            objects=objects,
            authority=database.authority_of(spec.relational_authority),
            opts=self.child_options(),
        )


def _patterns(vector: VectorStore, kind: VectorStoreKind) -> dict[str, EnvValue]:
    if kind is VectorStoreKind.PGVECTOR:
        return {
            "VECTOR_URL": pulumi.Output.concat(
                "postgresql://", vector.endpoint, f":{vector.port}/{PGVECTOR_DATABASE}?sslmode=require"
            ),
            "VECTOR_USER": login(vector, "username"),
            "VECTOR_PASSWORD": login(vector, "password"),
        }
    scheme = "https://" if kind is VectorStoreKind.PINECONE else "http://"
    return {
        "VECTOR_URL": pulumi.Output.concat(scheme, vector.endpoint, f":{vector.port}"),
        "VECTOR_API_KEY": login(vector, "api-key"),
    }


def _knowledge(graph: GraphStore, documents: DocumentStore) -> dict[str, EnvValue]:
    return {
        "GRAPH_URL": pulumi.Output.concat("neo4j://", graph.endpoint, f":{graph.port}"),
        "GRAPH_AUTH": login(graph, "NEO4J_AUTH"),
        "DOCUMENTS_HOSTS": documents.endpoint,
        "DOCUMENTS_REPLICA_SET": REPLICA_SET,
        "DOCUMENTS_USER": login(documents, "username"),
        "DOCUMENTS_PASSWORD": login(documents, "password"),
    }
