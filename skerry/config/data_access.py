"""The customer's databases that the execution tier reads from and writes to: where they are, and the way to them."""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Annotated, Final

from pydantic import Field

from skerry.config.words import CountryCode, DnsLabel, SecretKey, Spec


class DataSide(str, Enum):
    """What a migration does with a database."""

    SOURCE = "source"
    """Data are read from it."""
    TARGET = "target"
    """Data are written to it."""


class DatabaseEngine(str, Enum):
    """What answers at the other end; it gives the port where none is named."""

    POSTGRESQL = "postgresql"
    MYSQL = "mysql"
    MARIADB = "mariadb"
    ORACLE = "oracle"
    SQLSERVER = "sqlserver"
    MONGODB = "mongodb"
    DB2 = "db2"
    REDSHIFT = "redshift"
    OTHER = "other"
    """Anything else that speaks TCP; then `port` is required."""


PORTS: Final[Mapping[DatabaseEngine, int]] = {
    DatabaseEngine.POSTGRESQL: 5432,
    DatabaseEngine.MYSQL: 3306,
    DatabaseEngine.MARIADB: 3306,
    DatabaseEngine.ORACLE: 1521,
    DatabaseEngine.SQLSERVER: 1433,
    DatabaseEngine.MONGODB: 27017,
    DatabaseEngine.DB2: 50000,
    DatabaseEngine.REDSHIFT: 5439,
}
"""The vendors' defaults (not opened; a port that is named wins)."""


class DataRoute(str, Enum):
    """How the execution tier gets to a database."""

    SAME_NETWORK = "same-network"
    """It stands in the network of the deployment itself."""
    PEERING = "peering"
    """Its network is joined with the deployment's, whose base stack asks for that."""
    PRIVATE_LINK = "private-link"
    """It gets addresses of its own in the network of the deployment, by the cloud's private link."""
    ON_SITE = "on-site"
    """It stands at the site of the machines; own machines only."""
    INTERNET = "internet"
    """Over the internet, by TLS; a finding."""


Cidr = Annotated[str, Field(min_length=9, max_length=18)]


class DataEndpointSpec(Spec):
    """One database of a customer."""

    name: DnsLabel = Field(max_length=30)
    """What agents and reports call it."""
    side: DataSide
    """Whether data are read from it or written to it."""
    engine: DatabaseEngine
    """What answers there."""
    host: str = Field(pattern=r"^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$")
    """The DNS name or address that agents connect to, and that its certificate bears."""
    cidrs: tuple[Cidr, ...] = Field(min_length=1, max_length=16)
    """The IPv4 ranges that it answers from; with `private-link` free addresses (/32) of the deployment's network."""
    port: int | None = Field(default=None, ge=1, le=65535)
    """TCP port; left out, the engine's usual one."""
    jurisdiction: CountryCode
    """The country whose law holds where it stands."""
    route: DataRoute
    """How it is reached."""
    peer: str | None = Field(default=None, max_length=250)
    """With `peering`: the other network, a VPC id on AWS, a network's self link or id on GCP, a VNet's id on Azure."""
    peer_account: str | None = Field(default=None, pattern=r"^\d{12}$")
    """With `peering` on AWS: the account that owns the other VPC; left out, the deployment's own."""
    peer_region: str | None = None
    """With `peering` on AWS: the region of the other VPC; left out, the deployment's own."""
    service: str | None = Field(default=None, max_length=300)
    """With `private-link`: an endpoint service's name (AWS), a service attachment (GCP), a resource's id (Azure)."""
    service_group: str | None = Field(default=None, pattern=r"^[A-Za-z0-9]{1,60}$")
    """With `private-link` on Azure: the part of the resource, such as postgresqlServer; left out for a link service."""
    tenant: DnsLabel | None = Field(default=None, max_length=30)
    """Whose database it is, where one deployment serves several customers."""
    username: str | None = Field(default=None, max_length=128)
    """The login; required with `password_secret`."""
    password_secret: SecretKey | None = None
    """The secret key of the stack that holds the password; Skerry makes the Kubernetes Secret."""
    credentials: DnsLabel | None = None
    """A Secret in the execution tier with `username` and `password` that the site or External Secrets makes instead."""

    @property
    def tcp_port(self) -> int:
        """The port: the one that is named, else the engine's."""
        return self.port if self.port is not None else PORTS[self.engine]

    @property
    def secret_name(self) -> str | None:
        """The Kubernetes Secret with its login; None where nobody named one."""
        if self.credentials is not None:
            return self.credentials
        return f"data-{self.name}" if self.password_secret is not None else None


def crosses(endpoints: Sequence[DataEndpointSpec]) -> bool:
    """Return whether the base stack of a cloud has a way to make: a peering or a private link."""
    return any(row.route in (DataRoute.PEERING, DataRoute.PRIVATE_LINK) for row in endpoints)


def peers_of(endpoints: Sequence[DataEndpointSpec]) -> list[str]:
    """Return the networks to peer with, each once, in the order of the databases."""
    return list(dict.fromkeys(f"{row.peer}" for row in endpoints if row.route is DataRoute.PEERING))


def short_of(peer: str) -> str:
    """Return a short name of a network that stays the same whatever databases are named beside it."""
    return hashlib.sha256(peer.encode()).hexdigest()[:8]


def linked(endpoints: Sequence[DataEndpointSpec]) -> bool:
    """Return whether any database is reached by a private link."""
    return any(row.route is DataRoute.PRIVATE_LINK for row in endpoints)


def is_address(host: str) -> bool:
    """Return whether a host is an IPv4 address, which needs no name."""
    try:
        ipaddress.IPv4Address(host)
    except ValueError:
        return False
    return True
