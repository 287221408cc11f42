"""One container of a pod: what it runs, what it may take, what it is told and how it is asked whether it is well."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import pulumi

from components.kubernetes.cluster import ServiceAddress
from skerry.errors import UsageError
from skerry.facts import ImageFact

RESTRICTED: Final[Mapping[str, Any]] = {
    "allowPrivilegeEscalation": False,
    "runAsNonRoot": True,
    "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}
"""What the namespaces' Pod Security level asks. Source: Kubernetes "Pod Security Standards", read 2026-11."""


@dataclass(frozen=True, slots=True)
class SecretKey:
    """One key of a Kubernetes Secret that the site, an operator or External Secrets made."""

    secret: pulumi.Input[str]
    key: str


@dataclass(frozen=True, slots=True)
class Perhaps:
    """What an output of another program may turn out not to have; then there is no variable."""

    value: pulumi.Output[Any]
    """The value, or the name of a Secret, or None."""
    key: str = ""
    """The key of the Secret; empty for a value."""

    def row(self, name: str) -> pulumi.Output[Any]:
        """Return the variable, or None."""

        def made(known: Any) -> Any:
            if known is None:
                return None
            return _env(name, SecretKey(known, self.key) if self.key else known)

        return self.value.apply(made)


EnvValue: TypeAlias = pulumi.Input[str] | SecretKey | Perhaps


def login(service: ServiceAddress, key: str) -> SecretKey:
    """Return one key of the Secret that a service names.

    Raises:
        UsageError: it names none.
    """
    if service.secret_ref is None:
        raise UsageError(f"a service without a secret is asked for its {key}: name the Secret that holds it")
    return SecretKey(service.secret_ref, key)


def port_text(port: pulumi.Input[int]) -> pulumi.Input[str]:
    """Return a port as environment variables and addresses have it; numbers of other programs come as floats."""
    if isinstance(port, int):
        return str(port)
    found: pulumi.Output[int] = pulumi.Output.from_input(port)
    return found.apply(lambda known: str(int(known)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """One container of a pod."""

    name: str
    image: ImageFact
    cpu: str
    """Request, in Kubernetes' form; CPU is not limited, so that idle CPU is used."""
    memory: str
    """Request and limit, in Kubernetes' form."""
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    env: Mapping[str, EnvValue] = field(default_factory=dict)
    fields: Mapping[str, str] = field(default_factory=dict)
    """Environment variable -> field of the pod, for example `metadata.name`."""
    ports: Mapping[str, int] = field(default_factory=dict)
    gpus: int = 0
    readiness: Mapping[str, Any] | None = None
    liveness: Mapping[str, Any] | None = None
    startup: Mapping[str, Any] | None = None
    mounts: Mapping[str, str] = field(default_factory=dict)
    """Volume name -> path."""
    read_only: tuple[str, ...] = ()
    """Volumes that it may not write to."""
    user: int = 65532
    """The numeric user that the image runs as; 0 is refused by the namespace's Pod Security level."""
    writable_root: bool = False
    """True for images that write into their own root file system."""
    cpu_limit: str = ""
    """The most CPU, in Kubernetes' form; empty for no limit."""
    memory_limit: str = ""
    """The most memory where it is more than what is requested; empty where both are one."""
    udp: frozenset[str] = frozenset()
    """Names of those ports that are UDP."""
    leave_s: int = 0
    """Seconds between leaving the Services and being told to stop; Services forget a pod only after a while."""

    def manifest(self) -> dict[str, Any]:
        """Return the container as Kubernetes reads it."""
        limits: dict[str, Any] = {"memory": self.memory}
        if self.gpus:
            # Source: Kubernetes "Schedule GPUs": limits only, request equals limit; read 2026-11
            limits["nvidia.com/gpu"] = str(self.gpus)
        made: dict[str, Any] = {
            "name": self.name,
            "image": self.image.deployed_as,
            "resources": {"requests": {"cpu": self.cpu, **limits}, "limits": {**limits, **self._more()}},
            "securityContext": {
                **RESTRICTED,
                "readOnlyRootFilesystem": not self.writable_root,
                "runAsUser": self.user,
            },
        }
        if self.command:
            made["command"] = list(self.command)
        if self.args:
            made["args"] = list(self.args)
        # Fields first: a later variable or argument may refer to them as $(NAME).
        field_env = {name: {"fieldRef": {"fieldPath": path}} for name, path in self.fields.items()}
        env: list[Any] = [{"name": name, "valueFrom": source} for name, source in field_env.items()]
        env += [_env(name, value) for name, value in self.env.items()]
        if any(isinstance(value, Perhaps) for value in self.env.values()):
            # Which variables there are is known only with the values, so that until then none is.
            made["env"] = pulumi.Output.all(*env).apply(lambda rows: [row for row in rows if row is not None])
        elif env:
            made["env"] = env
        if self.ports:
            made["ports"] = [
                {"name": name, "containerPort": port, **({"protocol": "UDP"} if name in self.udp else {})}
                for name, port in self.ports.items()
            ]
        if self.leave_s:
            # Source: Kubernetes "Container Lifecycle Hooks", sleep (GA in 1.34), read 2026-11
            made["lifecycle"] = {"preStop": {"sleep": {"seconds": self.leave_s}}}
        if self.mounts:
            made["volumeMounts"] = [
                {"name": name, "mountPath": path, **({"readOnly": True} if name in self.read_only else {})}
                for name, path in self.mounts.items()
            ]
        for probe in ("readiness", "liveness", "startup"):
            value = getattr(self, probe)
            if value is not None:
                made[f"{probe}Probe"] = dict(value)
        return made

    def _more(self) -> dict[str, str]:
        """Return the limits that are more than what is requested."""
        more = {"cpu": self.cpu_limit, "memory": self.memory_limit}
        return {name: most for name, most in more.items() if most}


def _env(name: str, value: EnvValue) -> Any:
    if isinstance(value, Perhaps):
        return value.row(name)
    if isinstance(value, SecretKey):
        return {"name": name, "valueFrom": {"secretKeyRef": {"name": value.secret, "key": value.key}}}
    return {"name": name, "value": value}


def http_probe(port: str | int, path: str, **timing: int) -> dict[str, Any]:
    """Return a probe that asks over HTTP."""
    return {"httpGet": {"path": path, "port": port}, **timing}


def tcp_probe(port: str | int, **timing: int) -> dict[str, Any]:
    """Return a probe that opens a connection."""
    return {"tcpSocket": {"port": port}, **timing}
