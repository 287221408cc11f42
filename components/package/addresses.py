"""What components tell each other (addresses, buckets, names of secrets), as other languages have it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NotRequired, TypedDict, TypeVar

import pulumi

from components.channels.blob_container import BlobContainer
from components.channels.object_store import REGION
from components.channels.object_store import Bucket as BucketOfPods
from components.channels.pubsub import PORT as PUBSUB_PORT
from components.kubernetes.workload import SecretKey as KeyOfPods
from components.stores.relational import PORT as DATABASE_PORT
from components.tiers.agents import Environment
from skerry.config.load import load_part
from skerry.config.words import Spec
from skerry.errors import ConfigError, Problem


class Database(TypedDict):
    """A PostgreSQL: the outputs of a RelationalStore, or one that somebody else runs."""

    endpoint: pulumi.Input[str]
    """Host name."""
    port: NotRequired[pulumi.Input[int]]
    """TCP port; left out, 5432."""
    secret_ref: pulumi.Input[str]
    """Name of the Kubernetes Secret with `username`, `password` and `uri`, in the namespace of who connects."""


class Broadcasts(TypedDict):
    """A Redis or Valkey: the outputs of a PubSub, or one that somebody else runs."""

    endpoint: pulumi.Input[str]
    """Host name."""
    port: NotRequired[pulumi.Input[int]]
    """TCP port; left out, 6379."""
    scheme: NotRequired[pulumi.Input[str]]
    """`redis`, or `rediss` where it speaks TLS; left out, `redis`."""
    secret_ref: NotRequired[pulumi.Input[str]]
    """Name of the Kubernetes Secret with `password`; left out where none is asked."""


class Bucket(TypedDict):
    """A bucket: the outputs of an ObjectStore, or one that somebody else runs."""

    bucket: pulumi.Input[str]
    """Its name."""
    region: NotRequired[pulumi.Input[str]]
    """The region that clients sign for; left out, us-east-1."""
    url: NotRequired[pulumi.Input[str]]
    """Where it answers; left out for S3 of AWS."""
    secret_ref: NotRequired[pulumi.Input[str]]
    """Name of the Kubernetes Secret with `access-key` and `secret-key`; left out where pods have an identity."""
    account: NotRequired[pulumi.Input[str]]
    """The storage account of Azure, of which `bucket` is a container; left out for all that speaks S3."""


class SecretKey(TypedDict):
    """One key of a Kubernetes Secret."""

    secret: pulumi.Input[str]
    """The Secret's name."""
    key: str
    """The key."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a service answers, as components ask for it."""

    endpoint: pulumi.Input[str]
    port: pulumi.Input[int]
    secret_ref: pulumi.Input[str] | None
    scheme: pulumi.Input[str] = ""


def database_of(args: Database) -> Address:
    """Return the address of a PostgreSQL."""
    return Address(args["endpoint"], args.get("port", DATABASE_PORT), args["secret_ref"])


def broadcasts_of(args: Broadcasts) -> Address:
    """Return the address of a Redis or Valkey."""
    return Address(args["endpoint"], args.get("port", PUBSUB_PORT), args.get("secret_ref"), args.get("scheme", "redis"))


def bucket_of(args: Bucket) -> BucketOfPods | BlobContainer:
    """Return the bucket as pods reach it."""
    if "account" in args:
        return BlobContainer(args["account"], args["bucket"])
    return BucketOfPods(args["bucket"], args.get("region", REGION), args.get("url"), args.get("secret_ref"))


def environment_of(values: Mapping[str, pulumi.Input[str]], secrets: Mapping[str, SecretKey]) -> Environment:
    """Return the environment of agents.

    Raises:
        ConfigError: a variable is given twice.
    """
    twice = sorted(set(values) & set(secrets))
    if twice:
        raise ConfigError(
            "environment",
            [Problem(f"secret_environment.{name}", "is in environment too", "give it once") for name in twice],
        )
    return {**values, **{name: KeyOfPods(one["secret"], one["key"]) for name, one in secrets.items()}}


SpecT = TypeVar("SpecT", bound=Spec)


def part_of(model: type[SpecT], args: Mapping[str, Any], names: Mapping[str, str]) -> SpecT:
    """Return a part of a deployment from arguments that have other names than its fields.

    Args:
        model: the part's model.
        args: the arguments of the component.
        names: argument -> field.

    Raises:
        ConfigError: one cannot be used; the paths are those of the arguments.
    """
    try:
        return load_part(model, {field: args[name] for name, field in names.items() if name in args}, "")
    except ConfigError as exc:
        back = {field: name for name, field in names.items()}
        told = []
        for problem in exc.problems:
            path = problem.path.removeprefix(".")
            told.append(Problem(back.get(path, path), problem.message, problem.remedy))
        raise ConfigError(exc.source, told) from exc
