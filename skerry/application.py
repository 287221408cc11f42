"""A service as a runtime needs it: its description and its own settings joined, its environment resolved by need.

Plain values of the environment may name where the deployment's shared stores are: `{database.host}`. Which names there
are is said here, once for all runtimes; a runtime gives the values.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

from skerry.config.application import ApplicationSpec, Need, PortSpec, Protocol, ServiceDefinition
from skerry.errors import CatalogError, UsageError
from skerry.service_catalog import load_services

PLACES: Final[Mapping[Need, tuple[str, ...]]] = {
    Need.DATABASE: ("host", "port", "name", "user", "password"),
    Need.CACHE: ("scheme", "host", "port", "password"),
    Need.BUCKET: ("name", "endpoint", "region"),
    Need.QUEUE: ("url", "name"),
}
"""What an environment may ask of each need; `password` only as a whole value, since it is a secret.

The scheme of a cache is `redis`, or `rediss` where it speaks TLS.
"""

SECRET_PLACES: Final = frozenset({"database.password", "cache.password"})

_PLACE = re.compile(r"\{([a-z]+\.[a-z]+)\}")

ValueT = TypeVar("ValueT")


@dataclass(frozen=True, slots=True)
class Application:
    """A service of a deployment, ready for its runtime."""

    name: str
    spec: ApplicationSpec
    definition: ServiceDefinition

    @property
    def vcpu(self) -> float:
        """Virtual CPUs of a replica."""
        return self.spec.vcpu if self.spec.vcpu is not None else self.definition.vcpu

    @property
    def memory_mib(self) -> int:
        """Memory of a replica in MiB."""
        return self.spec.memory_mib if self.spec.memory_mib is not None else self.definition.memory_mib

    @property
    def main_port(self) -> PortSpec | None:
        """The port that load balancers and probes call; None for a worker."""
        return next(iter(self.definition.ports.values()), None)

    @property
    def environment(self) -> dict[str, str]:
        """Plain values, those of the stack over those of the service; places are not filled in."""
        return {**self.definition.environment, **self.spec.environment}

    @property
    def scales(self) -> bool:
        """Whether something decides how many run."""
        return self.spec.scale.maximum > self.spec.scale.minimum

    @property
    def keeps_own_files(self) -> bool:
        """Whether each replica has files of its own that must outlive it."""
        return self.definition.data_path is not None and not self.spec.shared_files

    @property
    def speaks_udp(self) -> bool:
        """Whether it listens on a UDP port."""
        return any(row.protocol is Protocol.UDP for row in self.definition.ports.values())


def application_of(name: str, spec: ApplicationSpec) -> Application:
    """Return a service with its description.

    Raises:
        CatalogError: the catalogue has no such service.
        UsageError: it is described twice, or not at all.
    """
    if (spec.service is None) == (spec.definition is None):
        raise UsageError(
            f"service '{name}' needs either the name of a catalogued service or a definition, and not both"
        )
    if spec.definition is not None:
        return Application(name, spec, spec.definition)
    rows = load_services()
    row = rows.get(spec.service or "")
    if row is None:
        known = ", ".join(sorted(rows))
        raise CatalogError(f"'{spec.service}' is not in images/services.yaml; use one of {known}, or give a definition")
    return Application(name, spec, row.definition)


def hosts_of(application: Application) -> list[str]:
    """Return the names that a service is called by, its own first; none where nobody outside calls it."""
    row = application.spec
    return [row.host, *row.more_hosts] if row.host is not None else []


def places_in(text: str) -> list[str]:
    """Return the places that a value names, such as `database.host`, in their order."""
    return _PLACE.findall(text)


def unknown_places(application: Application) -> dict[str, str]:
    """Return the variables whose value names a place that is none, or of a need that the service does not have."""
    known = {f"{need.value}.{part}" for need in application.definition.needs for part in PLACES[need]}
    return {
        variable: place
        for variable, value in application.environment.items()
        for place in places_in(value)
        if place not in known or (place in SECRET_PLACES and value != f"{{{place}}}")
    }


def parts_of(text: str, places: Mapping[str, ValueT]) -> list[str | ValueT]:
    """Split a value into plain text and what stands in its places, in order; to be concatenated.

    Args:
        text: the value.
        places: place -> what stands there.

    Raises:
        UsageError: a place is not among them.
    """
    parts: list[str | ValueT] = []
    for at, piece in enumerate(_PLACE.split(text)):
        if at % 2 == 0:
            parts += [piece] if piece else []
        elif piece in places:
            parts.append(places[piece])
        else:
            raise UsageError(f"'{{{piece}}}' stands for nothing here; use one of {', '.join(sorted(places))}")
    return parts
