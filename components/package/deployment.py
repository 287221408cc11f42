"""Whole deployments, for every Pulumi language: what a stack file says, as arguments."""

from collections.abc import Iterator, Mapping
from typing import Any, NotRequired, TypedDict, get_args

import pulumi
from pydantic.fields import FieldInfo

from components.base import SkerryComponent
from components.blueprints import sensei
from components.blueprints.deployment import labels_of, target_fact
from components.onprem.cluster import OnPremCluster as ExistingCluster
from components.package.remote import Remote
from components.package.specs import Deployment
from skerry.catalog import load_catalog
from skerry.config.load import load_spec
from skerry.config.spec import DeploymentSpec, System
from skerry.config.words import SecretKey, Spec
from skerry.errors import ConfigError, Problem


class SenseiArgs(TypedDict):
    """What a Sensei takes."""

    deployment: Deployment
    """The deployment, as `skerry:deployment` of a stack file has it, in camelCase."""
    secrets: NotRequired[Mapping[str, pulumi.Input[str]]]
    """The secrets that `deployment` names, by those names; left out where it names none."""
    images_lock: NotRequired[str]
    """Path of a lock file; left out, the package's own images/images.lock."""
    organization: NotRequired[str]
    """The organization of the base stack, where the state backend knows any; left out, `organization`."""


class Sensei(Remote):
    """A whole deployment: tiers, channels and stores in their namespaces, or its base on a cloud. One in a program."""

    namespaces: pulumi.Output[Mapping[str, str]] | None
    """Tier -> namespace; absent for the base layer."""
    endpoints: pulumi.Output[Mapping[str, str]] | None
    """Tier or channel -> `host:port`; absent for the base layer."""
    base: pulumi.Output[Mapping[str, str]] | None
    """What the platform layer reads from the base layer: export each under its own name. Absent for the platform."""

    def __init__(self, name: str, args: SenseiArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Declare what a program passes; `make` takes it."""

    @classmethod
    def make(cls, name: str, args: SenseiArgs, opts: pulumi.ResourceOptions) -> SkerryComponent:
        """Make the deployment."""
        spec = of_system(args["deployment"], System.SENSEI)
        secrets_there(spec, args)
        root = sensei.Sensei(spec, opts, name)
        outputs = sensei.fill(root, spec, PassedConfig(args))
        if "endpoints" not in outputs:
            outputs = {"base": outputs}
        root.finish(**outputs)
        return root


class PassedConfig:
    """What stands beside a deployment in a stack file, here passed as arguments."""

    name = "skerry"

    def __init__(self, args: SenseiArgs) -> None:
        """Answer from the arguments of a program."""
        self._secrets = args.get("secrets", {})
        self._plain = {"imagesLock": args.get("images_lock"), "organization": args.get("organization")}

    def get(self, key: str) -> str | None:
        """Return a flat value."""
        return self._plain.get(key)

    def get_secret(self, key: str) -> pulumi.Output[str] | None:
        """Return a secret."""
        return pulumi.Output.secret(self._secrets[key]) if key in self._secrets else None


class OnPremClusterArgs(TypedDict):
    """What an OnPremCluster takes."""

    deployment: Deployment
    """The deployment; its pools say which machines stand there."""


class OnPremCluster(Remote):
    """States the machines of a cluster that exists, so that cost and residency of what is its child can be told."""

    node_files: pulumi.Output[Mapping[str, str]] | None
    """Path -> content of the files by which nodes ask the site registry; absent where references are rewritten."""

    def __init__(self, name: str, args: OnPremClusterArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Declare what a program passes; `make` takes it."""

    @classmethod
    def make(cls, name: str, args: OnPremClusterArgs, opts: pulumi.ResourceOptions) -> SkerryComponent:
        """Take the cluster as it is; the provider that talks to it is the program's own."""
        spec = deployment_of(args["deployment"])
        return ExistingCluster(
            name,
            spec,
            target_fact(spec),
            load_catalog(),
            labels=labels_of(spec),
            kubeconfig=None,
            own_provider=False,
            opts=opts,
        )


def deployment_of(args: Mapping[str, Any] | Deployment) -> DeploymentSpec:
    """Return the checked deployment.

    Raises:
        ConfigError: it cannot be used; every problem has its path below `deployment`.
    """
    try:
        return load_spec(in_order(args), "deployment")
    except ConfigError as exc:
        told = [Problem(f"deployment.{one.path}", one.message, one.remedy) for one in exc.problems]
        raise ConfigError(exc.source, told) from exc


def in_order(value: Any) -> Any:
    """Return arguments with the keys of each mapping in the order of the alphabet.

    They come over the wire as maps, which have no order; the command hands a stack file's to a program in this one.
    """
    if isinstance(value, Mapping):
        return {key: in_order(value[key]) for key in sorted(value)}
    return [in_order(item) for item in value] if isinstance(value, list) else value


def of_system(args: Mapping[str, Any] | Deployment, system: System) -> DeploymentSpec:
    """Return the checked deployment of a system.

    Raises:
        ConfigError: it cannot be used, or is of another system.
    """
    spec = deployment_of(args)
    if spec.system is not system:
        problem = Problem("deployment.system", f"is '{spec.system.value}', not '{system.value}'", "use its component")
        raise ConfigError("deployment", [problem])
    return spec


def secret_fields(part: Spec, path: str = "", *, by_default: bool = False) -> dict[str, str]:
    """Return every field of a deployment that names a secret: path -> name of the secret.

    Args:
        part: the deployment, or a part of it.
        path: where that stands.
        by_default: also those that nobody wrote and that have a name all the same.
    """
    found: dict[str, str] = {}
    for name, value in part:
        here = f"{path}.{name}" if path else name
        for inner, one in _parts(value, here):
            found |= secret_fields(one, inner, by_default=by_default)
        if _names_secret(type(part).model_fields[name]) and (by_default or name in part.model_fields_set):
            keys = value if isinstance(value, dict) else {} if value is None else {"": value}
            found |= {f"{here}.{getattr(key, 'value', key)}".removesuffix("."): one for key, one in keys.items()}
    return found


def _parts(value: Any, here: str) -> Iterator[tuple[str, Spec]]:
    """Yield each part of a deployment that a value is, or holds, with where it stands."""
    if isinstance(value, Spec):
        yield here, value
    elif isinstance(value, tuple):
        yield from ((f"{here}[{at}]", one) for at, one in enumerate(value) if isinstance(one, Spec))
    elif isinstance(value, dict):
        rows = value.items()
        yield from ((f"{here}.{getattr(key, 'value', key)}", one) for key, one in rows if isinstance(one, Spec))


def _names_secret(field: FieldInfo) -> bool:
    """Return whether a field, or a value of it, is the name of a stack's secret; others name Secrets of Kubernetes."""
    (bound,) = get_args(SecretKey)[1:]
    patterns = {getattr(row, "pattern", None) for row in field.metadata}
    return bound.metadata[0].pattern in patterns or _holds_secret(field.annotation)


def _holds_secret(annotation: Any) -> bool:
    return annotation == SecretKey or any(_holds_secret(one) for one in get_args(annotation))


def secrets_there(spec: DeploymentSpec, args: SenseiArgs) -> None:
    """Refuse a name without its secret, and a secret without its name.

    Raises:
        ConfigError: there is one.
    """
    given = args.get("secrets", {})
    named, known = secret_fields(spec), set(secret_fields(spec, by_default=True).values())
    problems = [
        Problem(f"deployment.{field}", f"names '{key}', which secrets does not have", f"pass secrets.{key}")
        for field, key in named.items()
        if key not in given
    ]
    problems += [
        Problem(f"secrets.{key}", "is named by no field of the deployment", "remove it, or name it in a *Secret field")
        for key in given
        if key not in known
    ]
    if problems:
        raise ConfigError("secrets", problems)
