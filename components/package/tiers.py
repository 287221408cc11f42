"""The three tiers and their agents, for every Pulumi language."""

from collections.abc import Mapping
from typing import NotRequired, TypedDict

import pulumi

from components.base import SkerryComponent
from components.package.addresses import (
    Broadcasts,
    Bucket,
    SecretKey,
    broadcasts_of,
    bucket_of,
    environment_of,
)
from components.package.cluster import Cluster, cluster_of, with_pool
from components.package.remote import Remote, with_outputs
from components.package.specs import Agent, Cognitive, Execution, Meta
from components.tiers import agents, cognitive, execution, meta, providers
from skerry.config.load import load_part
from skerry.config.spec import (
    AgentSpec,
    CognitiveSpec,
    ExecutionSpec,
    MetaSpec,
    ModelProvider,
    SmallModelPlacement,
)
from skerry.errors import ConfigError, Problem
from skerry.facts import Tier


class CognitiveTierArgs(TypedDict):
    """What a CognitiveTier takes."""

    cluster: Cluster
    """Where it runs."""
    namespace: str
    """The namespace of the tier, which exists."""
    cognitive: Cognitive
    """The GPU tier."""
    objects: Bucket
    """The bucket that holds the weights, under `models/<name>`."""
    api_key: NotRequired[pulumi.Input[str]]
    """The API key of hosted providers; required where `cognitive.providers` names one without a key of its own.

    Left out, none.
    """
    api_keys: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Hosted provider -> its own API key; left out, `apiKey` is for all of them."""
    environment: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Variables of every agent: where channels and stores are; left out, none."""
    secret_environment: NotRequired[Mapping[str, SecretKey]]
    """Variables of every agent from Kubernetes Secrets; left out, none."""


class CognitiveTier(Remote):
    """Inference and the agents that explore and plan."""

    endpoint: pulumi.Output[str]
    """Host name of the model server, or of the first hosted provider."""
    port: pulumi.Output[int]
    """TCP port, HTTP."""
    secret_ref: pulumi.Output[str] | None
    """Name of the Kubernetes Secret with its credentials; absent where none is needed."""
    metrics_endpoint: pulumi.Output[str] | None
    """URL of its metrics; absent where it has none of its own."""
    model_url: pulumi.Output[str] | None
    """Where other tiers may prompt the local model; absent where there is none."""

    def __init__(self, name: str, args: CognitiveTierArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Declare what a program passes; `make` takes it."""

    @classmethod
    def make(cls, name: str, args: CognitiveTierArgs, opts: pulumi.ResourceOptions) -> SkerryComponent:
        """Make the tier."""
        spec = load_part(CognitiveSpec, args["cognitive"], "cognitive")
        problems = []
        if ModelProvider.LOCAL in spec.providers:
            for field, value in (("pool", spec.pool), ("model", spec.model)):
                if value is None:
                    problems.append(Problem(f"cognitive.{field}", "is required for local inference", "add it"))
        if spec.api_key_secret is not None:
            problems.append(Problem("cognitive.api_key_secret", "names a key of a stack", "pass apiKey in its place"))
        if spec.api_key_secrets:
            problems.append(Problem("cognitive.api_key_secrets", "names keys of a stack", "pass apiKeys in its place"))
        keys, told = providers.passed_keys(spec, args.get("api_key"), args.get("api_keys", {}))
        problems += told
        if problems:
            raise ConfigError(name, problems)
        spec = spec.model_copy(update={"api_key_secrets": dict.fromkeys(args.get("api_keys", {}), "passed")})
        return cognitive.CognitiveTier(
            name,
            with_pool(cluster_of(args["cluster"]), args["cluster"], Tier.COGNITIVE, spec.pool),
            namespace=args["namespace"],
            spec=spec,
            objects=bucket_of(args["objects"]),
            environment=environment_of(args.get("environment", {}), args.get("secret_environment", {})),
            api_keys=keys,
            opts=opts,
        )


class ExecutionTierArgs(TypedDict):
    """What an ExecutionTier takes."""

    cluster: Cluster
    """Where it runs."""
    namespace: str
    """The namespace of the tier, which exists."""
    execution: Execution
    """The CPU tier."""
    pubsub: Broadcasts
    """What keeps the state of Ray's head."""
    objects: NotRequired[Bucket]
    """The bucket with the small model's weights; required where `execution.small_model` is cpu or gpu.

    Left out, none.
    """
    passwords: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Name of a database in `execution.data_endpoints` -> password; left out, none has a login made here."""
    environment: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Variables of every agent: where channels and stores are; left out, none."""
    secret_environment: NotRequired[Mapping[str, SecretKey]]
    """Variables of every agent from Kubernetes Secrets; left out, none."""


class ExecutionTier(Remote):
    """Ray, and the agents that transform and check."""

    endpoint: pulumi.Output[str]
    """Host name of Ray's head."""
    port: pulumi.Output[int]
    """TCP port of Ray's clients."""
    secret_ref: pulumi.Output[str] | None
    """Name of the Kubernetes Secret with its credentials; absent where none is needed."""
    metrics_endpoint: pulumi.Output[str] | None
    """URL of its metrics; absent where it has none of its own."""

    def __init__(self, name: str, args: ExecutionTierArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Declare what a program passes; `make` takes it."""

    @classmethod
    def make(cls, name: str, args: ExecutionTierArgs, opts: pulumi.ResourceOptions) -> SkerryComponent:
        """Make the tier."""
        spec = load_part(ExecutionSpec, args["execution"], "execution")
        if spec.small_model is not SmallModelPlacement.COGNITIVE and spec.model is None:
            text = f"is required for small_model {spec.small_model.value}"
            raise ConfigError(name, [Problem("execution.model", text, "add it")])
        return execution.ExecutionTier(
            name,
            with_pool(cluster_of(args["cluster"]), args["cluster"], Tier.EXECUTION, spec.pool),
            namespace=args["namespace"],
            spec=spec,
            pubsub=broadcasts_of(args["pubsub"]),
            objects=bucket_of(args["objects"]) if "objects" in args else None,
            passwords={name: pulumi.Output.secret(value) for name, value in args.get("passwords", {}).items()},
            environment=environment_of(args.get("environment", {}), args.get("secret_environment", {})),
            opts=opts,
        )


class MetaTierArgs(TypedDict):
    """What a MetaTier takes."""

    cluster: Cluster
    """Where it runs."""
    namespace: str
    """The namespace of the tier, which exists."""
    meta: Meta
    """The persistent tier."""
    objects: Bucket
    """Where artefacts are kept."""
    environment: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Variables of every agent: where the channels are; left out, none."""
    secret_environment: NotRequired[Mapping[str, SecretKey]]
    """Variables of every agent from Kubernetes Secrets; left out, none."""


class MetaTier(Remote):
    """Keeps what was learnt: vectors, knowledge graph, documents, experiments, and the agents that learn."""

    endpoint: pulumi.Output[str]
    """Host name of the vector store."""
    port: pulumi.Output[int]
    """TCP port, HTTP."""
    secret_ref: pulumi.Output[str]
    """Name of the Kubernetes Secret with its credentials."""
    metrics_endpoint: pulumi.Output[str] | None
    """URL of its metrics; absent where it has none of its own."""
    knowledge: pulumi.Output[Mapping[str, str]]
    """What to pass as `environment` to agents who ask for all that was learnt."""
    secret_knowledge: pulumi.Output[Mapping[str, SecretKey]]
    """What to pass as `secretEnvironment` beside it."""

    def __init__(self, name: str, args: MetaTierArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Declare what a program passes; `make` takes it."""

    @classmethod
    def make(cls, name: str, args: MetaTierArgs, opts: pulumi.ResourceOptions) -> SkerryComponent:
        """Make the tier; the operator of CloudNativePG must be in the cluster unless PostgreSQL is managed."""
        spec = load_part(MetaSpec, args["meta"], "meta")
        made = meta.MetaTier(
            name,
            with_pool(cluster_of(args["cluster"]), args["cluster"], Tier.META, spec.pool),
            namespace=args["namespace"],
            spec=spec,
            objects=bucket_of(args["objects"]),
            environment=environment_of(args.get("environment", {}), args.get("secret_environment", {})),
            opts=opts,
        )
        plain, secret = agents.split(made.knowledge)
        return with_outputs(made, knowledge=plain, secret_knowledge=secret)


class AgentGroupArgs(TypedDict):
    """What an AgentGroup takes."""

    cluster: Cluster
    """Where they run."""
    namespace: str
    """The namespace of their tier, with a service account `agents`."""
    tier: Tier
    """Their tier."""
    kind: str
    """The name in Kubernetes, for example `scout`."""
    agent: Agent
    """Image and replicas."""
    grpc: NotRequired[bool]
    """Whether they serve gRPC and share the retry policy of an Rpc; left out, false."""
    environment: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Their variables; left out, none."""
    secret_environment: NotRequired[Mapping[str, SecretKey]]
    """Their variables from Kubernetes Secrets; left out, none."""


class AgentGroup(Remote):
    """One workload of an image of your own: agents that answer `/health`, `/ready` and `/metrics` on 8080."""

    endpoint: pulumi.Output[str]
    """Host name."""
    port: pulumi.Output[int]
    """TCP port: gRPC where they serve it, else HTTP."""
    secret_ref: pulumi.Output[str] | None
    """Name of the Kubernetes Secret with its credentials; absent where none is needed."""
    metrics_endpoint: pulumi.Output[str] | None
    """URL of its metrics; absent where it has none of its own."""

    def __init__(self, name: str, args: AgentGroupArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Declare what a program passes; `make` takes it."""

    @classmethod
    def make(cls, name: str, args: AgentGroupArgs, opts: pulumi.ResourceOptions) -> SkerryComponent:
        """Make the agents."""
        return agents.AgentGroup(
            name,
            cluster_of(args["cluster"]),
            kind=args["kind"],
            namespace=args["namespace"],
            tier=args["tier"],
            agent=load_part(AgentSpec, args["agent"], "agent"),
            environment=environment_of(args.get("environment", {}), args.get("secret_environment", {})),
            grpc=args.get("grpc", False),
            opts=opts,
        )
