"""What the rules see in Google Cloud's resource types: keys, TLS, public addresses, zones and places of backups."""

from __future__ import annotations

from typing import Any

import pytest

from policies.rules import encryption, network, reliability, residency
from policies.verdict import Rule
from skerry.facts import DataClass
from skerry.graph import UNKNOWN
from tests.simulators.policy_graphs import Build, Builder, run, told

RULES = {rule.id: rule for module in (encryption, network, reliability, residency) for rule in module.RULES}
SQL, REDIS = "gcp:sql/databaseInstance:DatabaseInstance", "gcp:redis/instance:Instance"
BUCKET, GKE, FIREWALL = (
    "gcp:storage/bucket:Bucket", "gcp:container/cluster:Cluster", "gcp:compute/firewall:Firewall",
)  # fmt: skip
KEY = "projects/p/locations/europe-west3/keyRings/r/cryptoKeys/k"
TOPIC = "gcp:pubsub/topic:Topic"
Told = list[tuple[str, str, str]]


def one(kind: str, inputs: dict[str, Any] | None = None, **options: Any) -> Build:
    return lambda b: b.add(kind, "it", inputs, **options)


def of_class(kind: str, inputs: dict[str, Any], data_class: DataClass = DataClass.RESTRICTED) -> Build:
    def build(b: Builder) -> None:
        b.add(kind, "it", inputs, parent=b.component("store", data_class=data_class))

    return build


def backed_up(location: Any) -> Build:
    def build(b: Builder) -> None:
        b.deployment({"kind": "gcp", "region": "europe-west3"})
        kept = {"enabled": True, **({} if location is None else {"location": location})}
        inputs = {"settings": {"backupConfiguration": kept}, "region": "europe-west3"}
        b.add(SQL, "it", inputs, parent=b.component("store", data_class=DataClass.RESTRICTED))

    return build


def facing(inputs: dict[str, Any]) -> Build:
    def build(b: Builder) -> None:
        b.add(FIREWALL, "it", inputs, parent=b.component("front", internet_facing=True))

    return build


def waiting(regions: Any) -> Build:
    def build(b: Builder) -> None:
        b.deployment({"kind": "gcp", "region": "europe-west3"})
        kept = {} if regions is None else {"messageStoragePolicy": {"allowedPersistenceRegions": regions}}
        b.add(TOPIC, "it", kept, parent=b.component("queue", data_class=DataClass.RESTRICTED))

    return build


OPEN = {"direction": "INGRESS", "allows": [{"protocol": "tcp", "ports": ["443"]}]}
CASES: dict[str, tuple[str, Build, Told]] = {
    "jobs that wait in one region": (
        "RES002", waiting(["europe-west3"]), [("ok", "it", "what waits in europe-west3 (DE) lies within EU")]
    ),
    "jobs that may wait in another country": (
        "RES002",
        waiting(["us-central1"]),
        [("violation", "it", "what waits in us-central1 lies in US, but restricted data must stay in EU")],
    ),
    "jobs that wait anywhere": (
        "RES002", waiting(None), [("undetermined", "it", "nobody says in which regions what waits may lie")]
    ),
    "jobs of which it is not known where they wait": (
        "RES002", waiting(UNKNOWN), [("undetermined", "it", "where what waits lies is not known before a deployment")]
    ),
    "a cache that speaks TLS": (
        "ENC002", one(REDIS, {"transitEncryptionMode": "SERVER_AUTHENTICATION"}), [("ok", "it", "")]
    ),
    "a cache that need not": ("ENC002", one(REDIS), [("violation", "it", "its traffic need not be encrypted")]),
    "a database that refuses plain connections": (
        "ENC002", one(SQL, {"settings": {"ipConfiguration": {"sslMode": "ENCRYPTED_ONLY"}}}), [("ok", "it", "")]
    ),
    "a database that takes both": (
        "ENC002",
        one(SQL, {"settings": {"ipConfiguration": {"sslMode": "ALLOW_UNENCRYPTED_AND_ENCRYPTED"}}}),
        [("violation", "it", "its traffic need not be encrypted")],
    ),
    "a database whose settings are not known": (
        "ENC002",
        one(SQL, {"settings": UNKNOWN}),
        [("undetermined", "it", "its input settings.ipConfiguration.sslMode is not known before a deployment")],
    ),
    "a cluster whose secrets are under a key": (
        "ENC003", one(GKE, {"databaseEncryption": {"state": "ENCRYPTED", "keyName": KEY}}), [("ok", "it", "")]
    ),
    "a cluster whose key is known at deployment": (
        "ENC003", one(GKE, {"databaseEncryption": {"state": "ENCRYPTED", "keyName": UNKNOWN}}), [("ok", "it", "")]
    ),
    "a cluster that names no key": (
        "ENC003",
        one(GKE, {"databaseEncryption": {"state": "ENCRYPTED"}}),
        [("violation", "it", "its encryption names no key")],
    ),
    "a cluster that says nothing": (
        "ENC003", one(GKE), [("violation", "it", "Kubernetes secrets are not encrypted with a key of yours")]
    ),
    "a cluster that is not known": (
        "ENC003",
        one(GKE, {"databaseEncryption": UNKNOWN}),
        [("undetermined", "it", "its encryption is not known before a deployment")],
    ),
    "a bucket under a key": (
        "ENC004", of_class(BUCKET, {"encryption": {"defaultKmsKeyName": KEY}}), [("ok", "it", "")]
    ),
    "a bucket under Google's": (
        "ENC004", of_class(BUCKET, {}), [("violation", "it", "restricted data are not under a key of yours")]
    ),
    "a database under Google's": (
        "ENC004", of_class(SQL, {}), [("violation", "it", "restricted data are not under a key of yours")]
    ),
    "a cache under a key": ("ENC004", of_class(REDIS, {"customerManagedKey": KEY}), [("ok", "it", "")]),
    "a cache of confidential data": (
        "ENC004",
        of_class(REDIS, {}, DataClass.CONFIDENTIAL),
        [("not-applicable", "it", "confidential data may be under the provider's key")],
    ),
    "a rule for one range": (
        "NET004", one(FIREWALL, {**OPEN, "sourceRanges": ["10.0.0.0/28"]}), [("ok", "it", "")]
    ),
    "a rule for everybody": (
        "NET004",
        one(FIREWALL, {**OPEN, "sourceRanges": ["0.0.0.0/0"]}),
        [("violation", "it", "the whole world may enter at tcp port 443")],
    ),
    "a rule that names nobody": (
        "NET004", one(FIREWALL, OPEN), [("violation", "it", "the whole world may enter at tcp port 443")]
    ),
    "a rule for everybody, of a component that faces the internet": (
        "NET004", facing({**OPEN, "sourceRanges": ["0.0.0.0/0"]}), [("ok", "it", "")]
    ),
    "a rule for everybody at more than the web's ports": (
        "NET004",
        facing({"allows": [{"protocol": "tcp", "ports": ["443", "8000-9000"]}, {"protocol": "icmp"}]}),
        [("violation", "it", "the whole world may enter at tcp port 443, tcp port 8000-9000, icmp")],
    ),
    "a rule for everybody at everything": (
        "NET004",
        one(FIREWALL, {"allows": [{"protocol": "all"}]}),
        [("violation", "it", "the whole world may enter at every protocol")],
    ),
    "a rule for machines with a tag": ("NET004", one(FIREWALL, {**OPEN, "sourceTags": ["a"]}), [("ok", "it", "")]),
    "a rule for ranges that are not known": (
        "NET004",
        one(FIREWALL, {**OPEN, "sourceRanges": UNKNOWN}),
        [("undetermined", "it", "the addresses that may enter are not known before a deployment")],
    ),
    "a rule whose ranges are no list": (
        "NET004",
        one(FIREWALL, {**OPEN, "sourceRanges": 7}),
        [("undetermined", "it", "the addresses that may enter are not known before a deployment")],
    ),
    "a rule for what goes out": (
        "NET004",
        one(FIREWALL, {"direction": "EGRESS", "allows": [{"protocol": "all"}]}),
        [("not-applicable", "", "no security groups and firewall rules in the graph")],
    ),
    "a database without a public address": (
        "NET006", one(SQL, {"settings": {"ipConfiguration": {"ipv4Enabled": False}}}), [("ok", "it", "")]
    ),
    "a database that says nothing has one": (
        "NET006",
        one(SQL, {"settings": {"tier": "db-f1-micro"}}),
        [("violation", "it", "the database has a public address")],
    ),
    "a database that is not known": (
        "NET006",
        one(SQL, {"settings": UNKNOWN}),
        [("undetermined", "it", "its input settings.ipConfiguration.ipv4Enabled is not known before a deployment")],
    ),
    "a database over zones": (
        "REL004", one(SQL, {"settings": {"availabilityType": "REGIONAL"}}), [("ok", "it", "")]
    ),
    "a database in one zone": (
        "REL004",
        one(SQL, {"settings": {"availabilityType": "ZONAL"}}),
        [("violation", "it", "it stands in one zone: settings.availabilityType is not REGIONAL")],
    ),
    "a cache in one zone": (
        "REL004", one(REDIS), [("violation", "it", "it stands in one zone: tier is not STANDARD_HA")]
    ),
    "a cache of a tier that is not known": (
        "REL004",
        one(REDIS, {"tier": UNKNOWN}),
        [("undetermined", "it", "its input tier is not known before a deployment")],
    ),
    "a bucket that is protected and retained": (
        "REL002",
        one(BUCKET, protect=True, retain_on_delete=True),
        [("ok", "it", "")],
    ),
    "a bucket that is not": (
        "REL002", one(BUCKET), [("violation", "it", "it keeps data without protect and retainOnDelete")]
    ),
    "backups in the region": (
        "RES002", backed_up("europe-west3"), [("ok", "it", "the backups in europe-west3 (DE) lies within EU")]
    ),
    "backups in Europe": ("RES002", backed_up("eu"), [("ok", "it", "the backups in eu (EU) lies within EU")]),
    "backups in another country": (
        "RES002",
        backed_up("us"),
        [("violation", "it", "the backups in us lies in US, but restricted data must stay in EU")],
    ),
    "backups that nobody placed": (
        "RES002", backed_up(None), [("undetermined", "it", "nobody says where its backups lie")]
    ),
    "backups whose place is not known": (
        "RES002", backed_up(UNKNOWN), [("undetermined", "it", "where its backups lie is not known")]
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_rule_knows_googles_type(case: str) -> None:
    rule, build, expected = CASES[case]
    assert expected == told(run(build, RULES[rule]))


@pytest.mark.parametrize("rule", sorted({rule for rule, _, _ in CASES.values()}))
def test_every_rule_here_has_a_kept_and_a_broken_case(rule: str) -> None:
    seen = {verdict for name, _, told_ in CASES.values() if name == rule for verdict, _, _ in told_}
    assert {"ok", "violation", "undetermined"} <= seen or rule in ("ENC004", "REL002")


def test_the_label_of_a_resource_names_its_class() -> None:
    def build(b: Builder) -> None:
        b.add(BUCKET, "it", {"labels": {"skerry-data-class": "restricted"}})

    rule: Rule = RULES["RES004"]
    assert [row[:2] for row in told(run(build, rule))] == [("ok", "it")]
