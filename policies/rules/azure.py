"""What the rules must know of Azure's resource types; each rule calls what concerns it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from policies.reading import read, rows
from policies.verdict import Judgement, ok, undetermined, violation
from skerry.graph import UNKNOWN, Resource, ResourceGraph, is_known

POSTGRES: Final = "azure-native:dbforpostgresql:Server"
REDIS: Final = "azure-native:redis:Redis"
MANAGED_REDIS: Final = "azure-native:redisenterprise:RedisEnterprise"
DATABASE: Final = "azure-native:redisenterprise:Database"
STORAGE: Final = "azure-native:storage:StorageAccount"
OBJECT_COPIES: Final = "azure-native:storage:ObjectReplicationPolicy"
AKS: Final = "azure-native:containerservice:ManagedCluster"
VAULT: Final = "azure-native:keyvault:Vault"
BUS: Final = "azure-native:servicebus:Namespace"
RULES: Final = ("azure-native:network:NetworkSecurityGroup", "azure-native:network:SecurityRule")

# Source: the types of pulumi-azure-native 3.29.0, read 2026-11
KEYS: Final[Mapping[str, str]] = {
    POSTGRES: "dataEncryption.primaryKeyURI",
    MANAGED_REDIS: "encryption.customerManagedKeyEncryption.keyEncryptionKeyUrl",
    STORAGE: "encryption.keyVaultProperties.keyName",
    "azure-native:compute:Disk": "encryption.diskEncryptionSetId",
    AKS: "diskEncryptionSetID",
    BUS: "encryption.keySource",
}
"""Azure's types -> the input that names the customer's key."""

TLS: Final[Mapping[str, tuple[str, tuple[object, ...]]]] = {
    REDIS: ("minimumTlsVersion", ("1.2", "1.3")),
    MANAGED_REDIS: ("minimumTlsVersion", ("1.2", "1.3")),
    DATABASE: ("clientProtocol", ("Encrypted",)),
    STORAGE: ("minimumTlsVersion", ("TLS1_2", "TLS1_3")),
    BUS: ("minimumTlsVersion", ("1.2", "1.3")),
}
"""Azure's types -> the input that decides over TLS, and its values that refuse what is not encrypted."""

KEEPERS: Final = frozenset({POSTGRES, REDIS, MANAGED_REDIS, STORAGE, "azure-native:compute:Disk"})
"""Azure's types that keep data."""

_BACKUPS: Final = "backup.geoRedundantBackup"
_PUBLIC: Final[Mapping[str, tuple[str, str]]] = {
    POSTGRES: ("network.publicNetworkAccess", "Disabled"),
    REDIS: ("publicNetworkAccess", "Disabled"),
    MANAGED_REDIS: ("publicNetworkAccess", "Disabled"),
    STORAGE: ("publicNetworkAccess", "Disabled"),
    VAULT: ("properties.publicNetworkAccess", "Disabled"),
    BUS: ("publicNetworkAccess", "Disabled"),
}
_OVER_ZONES: Final[Mapping[str, tuple[str, tuple[object, ...]]]] = {
    POSTGRES: ("highAvailability.mode", ("ZoneRedundant",)),
    MANAGED_REDIS: ("highAvailability", ("Enabled",)),
    STORAGE: ("sku.name", ("Standard_ZRS", "Standard_GZRS", "Standard_RAGZRS", "Premium_ZRS")),
}
COPIES: Final = frozenset({POSTGRES, STORAGE, OBJECT_COPIES})
"""Azure's types that may copy data to another region."""

_FAR: Final = ("GRS", "GZRS")
"""How the redundancy of an account ends that is also in the region that Azure pairs with its own.

Source: `SkuName` of pulumi-azure-native 3.29.0, module storage, read 2026-11.
"""

_WORLD: Final = ("*", "0.0.0.0/0", "::/0", "Internet", "Any")


def one_zone(graph: ResourceGraph) -> Iterator[Judgement]:
    """Judge whether what Azure runs stands in more than one zone."""
    for resource in graph.of_type(*_OVER_ZONES):
        path, wanted = _OVER_ZONES[resource.type]
        yield _is(resource, path, wanted, f"it stands in one zone: {path} is not {wanted[0]}")


def public_data(graph: ResourceGraph) -> Iterator[Judgement]:
    """Judge stores, which have a public address unless somebody says otherwise.

    A PostgreSQL in a subnet of its own has none, whatever it says.
    """
    for resource in graph.of_type(*_PUBLIC):
        path, wanted = _PUBLIC[resource.type]
        if resource.type == POSTGRES and read(resource.inputs, "network.delegatedSubnetResourceId") is not None:
            yield ok(resource)
            continue
        yield _is(resource, path, (wanted,), "it has a public address")


def copies(resource: Resource) -> Iterator[Judgement]:
    """Judge copies in another region: Azure alone says in which, so nobody knows whether it is inside the boundary.

    Source: Azure "Backup and restore in Flexible Server" (not opened).
    """
    if resource.type == OBJECT_COPIES:
        yield undetermined(resource, "it copies objects to an account whose region is not named", "destinationAccount")
        return
    path, what = ("sku.name", "its objects") if resource.type == STORAGE else (_BACKUPS, "its backups")
    value = read(resource.inputs, path)
    if value is UNKNOWN:
        yield undetermined(resource, f"whether {what} are copied is not known before a deployment", path)
    elif str(value).upper() == "ENABLED" or str(value).upper().endswith(_FAR):
        yield undetermined(resource, f"{what} are copied to a region that only Azure names", path)


def cluster_secrets(graph: ResourceGraph) -> Iterator[Judgement]:
    """Judge whether Kubernetes secrets are under a key of the customer's vault."""
    base = "securityProfile.azureKeyVaultKms"
    for resource in graph.of_type(AKS):
        enabled, key = (read(resource.inputs, f"{base}.{name}") for name in ("enabled", "keyId"))
        if enabled is UNKNOWN:
            yield undetermined(resource, "its encryption is not known before a deployment", base)
        elif enabled is not True:
            yield violation(resource, "Kubernetes secrets are not encrypted with a key of yours", f"{base}.enabled")
        elif key is None:
            yield violation(resource, "its encryption names no key", f"{base}.keyId")
        else:
            yield ok(resource)


def open_rules(resource: Resource, *, facing: bool = False) -> Iterator[Judgement]:
    """Judge rules of a network: one that lets in, from everywhere, lets in the whole world.

    Ports 80 and 443 may be open where the component is internet-facing.
    """
    single = resource.type == RULES[1]
    found = [resource.inputs] if single else rows(resource.inputs, "securityRules")
    if found is UNKNOWN:
        yield undetermined(resource, "who may enter is not known before a deployment", "securityRules")
        return
    for index, row in enumerate(found):
        base = "" if single else f"securityRules[{index}]."
        yield from [ok(resource)] if facing and _web(row) else _open_rule(resource, row, base)


def _web(row: Any) -> bool:
    """Say whether a rule opens the ports of the web, and no others."""
    ports = [read(row, "destinationPortRange"), *(read(row, "destinationPortRanges", []) or ())]
    named = [one for one in ports if one is not None]
    return bool(named) and all(one in ("80", "443") for one in named)


def _open_rule(resource: Resource, row: Any, base: str) -> Iterator[Judgement]:
    if read(row, "direction") != "Inbound" or read(row, "access") != "Allow":
        return
    path = f"{base}sourceAddressPrefix"
    many = read(row, "sourceAddressPrefixes", [])
    one = read(row, "sourceAddressPrefix")
    if one is UNKNOWN or not is_known(many):
        yield undetermined(resource, "the addresses that may enter are not known before a deployment", path)
    elif one in _WORLD or any(block in _WORLD for block in many or ()):
        yield violation(resource, "the whole world may enter", path)
    else:
        yield ok(resource)


def _is(resource: Resource, path: str, wanted: tuple[object, ...], message: str) -> Judgement:
    value = read(resource.inputs, path)
    if value is UNKNOWN:
        return undetermined(resource, f"its input {path} is not known before a deployment", path)
    return ok(resource) if value in wanted else violation(resource, message, path)
