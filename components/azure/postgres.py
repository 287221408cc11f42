"""A PostgreSQL flexible server, as every deployment on Azure has it: under its own key, in its network alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import pulumi
from pulumi_azure_native import dbforpostgresql

from components.azure.key import AzureKey
from components.azure.nodes import numbers
from components.azure.private_network import PrivateNetwork
from components.azure.rights import Place
from components.base import SkerryComponent
from skerry.facts import Tier

POSTGRES_VERSION: Final = "17"
POSTGRES_SIZES: Final = (32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32767)
"""GiB that a server can have.

Source: MicrosoftDocs/azure-databases-docs postgresql/flexible-server/concepts-storage.md at 04186f4e, Premium SSD, read
2026-11.
"""

ADMINISTRATOR: Final = "skerry"


@dataclass(frozen=True, slots=True)
class ServerShape:
    """How large a server is, and what is kept of it."""

    machine: str
    """The cloud's name of its size."""
    gib: int
    """Space; the next size that is sold is taken."""
    standby: bool
    """Whether another zone has a copy that takes over."""
    backup_days: int
    """Days that backups are kept."""
    zone_of_names: str
    """The domain in the network that its name is of: one server in the tenant has it."""
    tier: Tier
    """Of its tags."""


def flexible_server(
    parent: SkerryComponent,
    place: Place,
    network: PrivateNetwork,
    key: AzureKey,
    shape: ServerShape,
    *,
    password: pulumi.Input[str],
) -> dbforpostgresql.Server:
    """Make a server.

    Args:
        parent: the component that it is of.
        place: where it is made.
        network: from which it is reached.
        key: of its storage and backups.
        shape: its size.
        password: of the administrator.
    """
    size = next((one for one in POSTGRES_SIZES if one >= shape.gib), POSTGRES_SIZES[-1])
    zones = numbers(place.spec.target.failure_domains)
    over: Any = {"mode": "Disabled"}
    if shape.standby:
        over = {"mode": "ZoneRedundant", "standby_availability_zone": zones[1]}
    # An identity as PostgreSQL takes it: a name of an object, with nothing behind it.
    bearing: Any = {
        "type": "UserAssigned",
        "user_assigned_identities": key.stores.id.apply(lambda one: {one: {}}),
    }
    return dbforpostgresql.Server(
        parent.child_name("server"),
        resource_group_name=place.group,
        location=place.region,
        version=POSTGRES_VERSION,
        sku={"name": shape.machine, "tier": "MemoryOptimized" if "_E" in shape.machine else "GeneralPurpose"},
        storage={"storage_size_gb": size, "auto_grow": "Enabled", "type": "Premium_LRS"},
        administrator_login=ADMINISTRATOR,
        administrator_login_password=pulumi.Output.secret(password),
        auth_config={
            "password_auth": "Enabled",
            "active_directory_auth": "Enabled",
            "tenant_id": place.spec.target.azure.tenant_id,
        },
        availability_zone=zones[0],
        high_availability=over,
        # Copies in the paired region would leave the boundary.
        backup={"backup_retention_days": shape.backup_days, "geo_redundant_backup": "Disabled"},
        identity=bearing,
        data_encryption={
            "type": "AzureKeyVault",
            "primary_key_uri": key.key.key_uri_with_version,
            "primary_user_assigned_identity_id": key.stores.id,
        },
        network={
            "delegated_subnet_resource_id": network.postgres.id,
            "private_dns_zone_arm_resource_id": network.zone("postgres", shape.zone_of_names).id,
            "public_network_access": "Disabled",
        },
        tags=place.tags(shape.tier),
        # After a failover the standby's zone is the first.
        # A server wants a zone that answers in its network already. Source: terraform-provider-azurerm 5.6.0
        # website/docs/r/postgresql_flexible_server.html.markdown, example, read 2026-11
        opts=parent.store_options(
            depends_on=[*key.grants, network.links[shape.zone_of_names]],
            ignore_changes=["availabilityZone", "highAvailability.standbyAvailabilityZone"],
        ),
    )
