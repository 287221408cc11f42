"""What the rules see in Azure's resource types: keys, TLS, public addresses, zones, open rules, copies of backups."""

from __future__ import annotations

from typing import Any

import pytest

from policies.rules import encryption, network, reliability, residency
from policies.rules.azure import AKS, DATABASE, MANAGED_REDIS, OBJECT_COPIES, POSTGRES, RULES, STORAGE, VAULT
from policies.runner import check
from skerry.facts import DataClass
from skerry.graph import UNKNOWN
from tests.simulators.azure_stacks import MANAGED_POSTGRES, azure_base
from tests.simulators.policy_graphs import TODAY, Build, Builder, run, told

OWN = {rule.id: rule for module in (encryption, network, reliability, residency) for rule in module.RULES}
GROUP, RULE = RULES
Told = list[tuple[str, str, str]]


def one(kind: str, inputs: dict[str, Any] | None = None, **options: Any) -> Build:
    return lambda b: b.add(kind, "it", inputs, **options)


def restricted(kind: str, inputs: dict[str, Any]) -> Build:
    def build(b: Builder) -> None:
        b.add(kind, "it", inputs, parent=b.component("store", data_class=DataClass.RESTRICTED))

    return build


def kms(**inputs: Any) -> dict[str, Any]:
    return {"securityProfile": {"azureKeyVaultKms": inputs}}


def entry(source: Any, **more: Any) -> dict[str, Any]:
    return {"direction": "Inbound", "access": "Allow", "sourceAddressPrefix": source, **more}


PLAIN, OPEN = "its traffic need not be encrypted", "the whole world may enter"
PUBLIC, NO_KEY = "it has a public address", "restricted data are not under a key of yours"
CASES: dict[str, tuple[str, Build, Told]] = {
    "Redis that refuses old TLS": ("ENC002", one(MANAGED_REDIS, {"minimumTlsVersion": "1.2"}), [("ok", "it", "")]),
    "Redis that takes old TLS": (
        "ENC002", one(MANAGED_REDIS, {"minimumTlsVersion": "1.0"}), [("violation", "it", PLAIN)]
    ),
    "a database of Redis without TLS": (
        "ENC002", one(DATABASE, {"clientProtocol": "Plaintext"}), [("violation", "it", PLAIN)]
    ),
    "an account that says nothing of TLS": ("ENC002", one(STORAGE), [("violation", "it", PLAIN)]),
    "secrets under a key": ("ENC003", one(AKS, kms(enabled=True, keyId="https://v/keys/k/1")), [("ok", "it", "")]),
    "secrets under nobody's key": (
        "ENC003", one(AKS), [("violation", "it", "Kubernetes secrets are not encrypted with a key of yours")]
    ),
    "secrets under a key that is not named": (
        "ENC003", one(AKS, kms(enabled=True)), [("violation", "it", "its encryption names no key")]
    ),
    "secrets of which nothing is known": (
        "ENC003",
        one(AKS, kms(enabled=UNKNOWN)),
        [("undetermined", "it", "its encryption is not known before a deployment")],
    ),
    "restricted data under a key": (
        "ENC004", restricted(POSTGRES, {"dataEncryption": {"primaryKeyURI": "https://v/keys/k"}}), [("ok", "it", "")]
    ),
    "restricted data under Azure's own": ("ENC004", restricted(POSTGRES, {}), [("violation", "it", NO_KEY)]),
    "restricted data of an account under Azure's own": (
        "ENC004", restricted(STORAGE, {"encryption": {"keySource": "Microsoft.Storage"}}), [("violation", "it", NO_KEY)]
    ),
    "a rule for the network": ("NET004", one(GROUP, {"securityRules": [entry("VirtualNetwork")]}), [("ok", "it", "")]),
    "a rule for everybody": ("NET004", one(GROUP, {"securityRules": [entry("*")]}), [("violation", "it", OPEN)]),
    "a rule of its own for the internet": ("NET004", one(RULE, entry("Internet")), [("violation", "it", OPEN)]),
    "a rule with several addresses": (
        "NET004",
        one(RULE, entry(None, sourceAddressPrefixes=["10.0.0.0/8", "0.0.0.0/0"])),
        [("violation", "it", OPEN)],
    ),
    "a rule that lets out": ("NET004", one(RULE, {**entry("*"), "direction": "Outbound"}), []),
    "a rule of unknown source": (
        "NET004",
        one(RULE, entry(UNKNOWN)),
        [("undetermined", "it", "the addresses that may enter are not known before a deployment")],
    ),
    "a database that says nothing": ("NET006", one(POSTGRES), [("violation", "it", PUBLIC)]),
    "a database in a subnet": (
        "NET006", one(POSTGRES, {"network": {"delegatedSubnetResourceId": "/s"}}), [("ok", "it", "")]
    ),
    "a private vault": ("NET006", one(VAULT, {"properties": {"publicNetworkAccess": "Disabled"}}), [("ok", "it", "")]),
    "an account open to all": (
        "NET006", one(STORAGE, {"publicNetworkAccess": "Enabled"}), [("violation", "it", PUBLIC)]
    ),
    "a standby in another zone": (
        "REL004", one(POSTGRES, {"highAvailability": {"mode": "ZoneRedundant"}}), [("ok", "it", "")]
    ),
    "a standby in the same zone": (
        "REL004",
        one(POSTGRES, {"highAvailability": {"mode": "SameZone"}}),
        [("violation", "it", "it stands in one zone: highAvailability.mode is not ZoneRedundant")],
    ),
    "backups copied to where only Azure knows": (
        "RES002",
        one(POSTGRES, {"backup": {"geoRedundantBackup": "Enabled"}}),
        [("undetermined", "it", "its backups are copied to a region that only Azure names")],
    ),
    "objects copied to where only Azure knows": (
        "RES002",
        one(STORAGE, {"sku": {"name": "Standard_RAGZRS"}}),
        [("undetermined", "it", "its objects are copied to a region that only Azure names")],
    ),
    "objects in three zones of one region": ("RES002", one(STORAGE, {"sku": {"name": "Standard_ZRS"}}), []),
    "objects of which nobody knows": (
        "RES002",
        one(STORAGE, {"sku": {"name": UNKNOWN}}),
        [("undetermined", "it", "whether its objects are copied is not known before a deployment")],
    ),
    "objects that a policy copies": (
        "RES002",
        one(OBJECT_COPIES, {"destinationAccount": "other"}),
        [("undetermined", "it", "it copies objects to an account whose region is not named")],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_rule_sees_what_azure_says(case: str) -> None:
    rule, build, expected = CASES[case]
    found = [row for row in told(run(build, OWN[rule])) if row[1] == "it"]
    assert expected == found


def test_the_base_on_azure_breaks_none_of_these_rules() -> None:
    rules = [OWN[name] for name in ("ENC001", "ENC002", "ENC003", "ENC004", "NET004", "NET006", "REL002", "REL004")]
    report = check(azure_base({**MANAGED_POSTGRES, "data_class": "restricted"}), today=TODAY, rules=rules)
    assert [(one.rule, one.urn, one.message) for one in report.findings if one.verdict.value == "violation"] == []


def test_a_part_stands_where_the_whole_stands() -> None:
    report = check(azure_base(MANAGED_POSTGRES), today=TODAY, rules=[OWN["RES001"]])
    assert [
        (one.urn, one.message) for one in report.findings if one.verdict.value not in ("ok", "not-applicable")
    ] == []
    moved = azure_base(
        {**MANAGED_POSTGRES, "residency.boundaries": [{"data_class": "public", "jurisdictions": ["DE"]}]}
    )
    report = check(moved, today=TODAY, rules=[OWN["RES001"]])
    outside = {one.urn.rpartition("::")[2] for one in report.findings if one.verdict.value == "violation"}
    assert {"sensei-base-cluster-meta", "sensei-base-network-nodes", "sensei-base-encryption-key"} <= outside
