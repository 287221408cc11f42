"""What the two sides of mode hybrid may not be, each refused with its remedy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import jsonschema
import pytest

from skerry.config.load import json_schema, load_spec
from skerry.config.sides import agent_tiers, persistent_tier
from skerry.config.spec import CONFIG_KEY
from skerry.errors import ConfigError
from skerry.facts import Tier
from tests.simulators.hybrid_stacks import CUSTOMER, VENDOR, deployment, on_aws, on_gcp

ENDPOINT: Final = {
    "name": "orders", "side": "source", "engine": "postgresql", "host": "orders.customer.example",
    "cidrs": ["203.0.113.4/32"], "jurisdiction": "DE", "route": "internet",
}  # fmt: skip
BACKUP: Final = {
    "endpoint_url": "https://objects.customer.example", "bucket": "backups", "jurisdiction": "DE",
}  # fmt: skip
META: Final = deployment(VENDOR)["meta"]
EXECUTION: Final = deployment(CUSTOMER)["execution"]

REFUSED: Final[Mapping[str, tuple[str, Mapping[str, Any], str]]] = {
    "a mode without sides": (
        CUSTOMER, {"hybrid": None}, "hybrid: is required in mode hybrid; say whose side it is: vendor or customer"),
    "sides in another mode": (
        VENDOR, {"mode": "saas", "execution": EXECUTION},
        "hybrid: has no meaning in mode saas; remove it, or set mode: hybrid"),
    "a customer with the vendor's vector store": (
        CUSTOMER, {"meta": META},
        "meta: is not on the customer's side, which has execution; remove it: it is in the stack of the other side"),
    "a customer with agents that plan": (
        CUSTOMER, {"cognitive": deployment(VENDOR)["cognitive"]},
        "cognitive: is not on the customer's side, which has execution; "
        "remove it: it is in the stack of the other side"),
    "a customer without workers": (
        CUSTOMER, {"execution": None},
        "execution: is required and missing; add it; `skerry config schema` describes every field"),
    "a vendor with an execution tier": (
        VENDOR, {"execution": EXECUTION},
        "execution: is not on the vendor's side, which has cognitive and meta; "
        "remove it: it is in the stack of the other side"),
    "a vendor without stores": (
        VENDOR, {"meta": None},
        "meta: is required and missing; add it; `skerry config schema` describes every field"),
    "a customer without machines for its channels": (
        CUSTOMER, {"channels.pool": None},
        "channels.pool: is required on the customer's side: Temporal, its database and the operators run there; "
        "describe three machines"),
    "machines of channels where the meta tier has them": (
        VENDOR, {"channels.pool": {"minimum": 3, "maximum": 3, "machine": {"vcpu": 8, "memory_gib": 32}}},
        "channels.pool: is for the customer's side of mode hybrid; use meta.pool"),
    "GPUs among the machines of the channels": (
        CUSTOMER, {"channels.pool.machine.gpus": 1},
        "channels.pool.machine.gpus: a customer's side has no GPUs; remove it"),
    "a small model on GPUs": (
        CUSTOMER, {"execution.small_model": "gpu"},
        "execution.small_model: is gpu, but a customer's side has no GPUs; use cpu"),
    "prompts with rows to the vendor": (
        CUSTOMER, {"execution.small_model": "cognitive", "execution.model": None},
        "execution.small_model: is cognitive: prompts of the small model hold rows, and the cognitive tier is at the "
        "vendor; use cpu"),
    "fewer than four machines": (
        CUSTOMER, {"execution.pool.minimum": 3}, "execution.pool: 3 to 8 nodes is outside 4 to 128; stay inside"),
    "fewer machines of channels than a majority needs": (
        CUSTOMER, {"channels.pool.minimum": 2}, "channels.pool: 2 to 3 nodes is outside 3 to 9; stay inside"),
    "channels on machines that may be taken away": (
        CUSTOMER, {"channels.pool.purchase": "spot"},
        "channels.pool.purchase: spot machines may be taken away at any time; use on-demand"),
    "a database over the internet": (
        CUSTOMER, {"execution.data_endpoints": [ENDPOINT]},
        "execution.data_endpoints[0].route: is internet: source data would leave the customer's network; "
        "use a peering, a private link or on-site"),
    "backups of workflows at the vendor": (
        CUSTOMER, {"backup": {"store": {**BACKUP, "endpoint_url": "https://s3.hybrid.vendor.example"}}},
        "backup.store.endpoint_url: 's3.hybrid.vendor.example' is the vendor's, and backups of workflows hold rows; "
        "name a bucket of the customer's own"),
    "backups of workflows in another country": (
        CUSTOMER, {"backup": {"store": {**BACKUP, "jurisdiction": "US"}}},
        "backup.store.jurisdiction: is US, but workflows hold rows, which stay in DE; "
        "name a bucket of the customer's own"),
    "no address of the vendor": (
        CUSTOMER, {"hybrid.entrance_cidrs": None},
        "hybrid.entrance_cidrs: is left out, and so is vendor_stack: no address of the vendor is known, and nothing "
        "else is opened; ask the vendor, or name its stack where its state can be read"),
    "the whole world as the vendor": (
        CUSTOMER, {"hybrid.entrance_cidrs": ["0.0.0.0/0"]},
        "hybrid.entrance_cidrs[0]: '0.0.0.0/0' is far more than one site; name its own addresses, /16 or less"),
    "what is no address": (
        VENDOR, {"hybrid.customers": [{"name": "acme", "cidrs": ["acme"]}]},
        "hybrid.customers[0].cidrs[0]: is not an IPv4 range: Expected 4 octets in 'acme'; write it like 192.0.2.10/32"),
    "a vendor without customers": (
        VENDOR, {"hybrid.customers": None},
        "hybrid.customers: names nobody, so that nobody may call; name each with its addresses"),
    "two customers of one name": (
        VENDOR, {"hybrid.customers": [{"name": "acme", "cidrs": ["192.0.2.1/32"]}, {
            "name": "acme", "cidrs": ["192.0.2.2/32"], "certificate_name": "other.example"}]},
        "hybrid.customers[1].name: 'acme' is another customer's too; give each one of its own"),
    "two customers of one certificate": (
        VENDOR, {"hybrid.customers": [{"name": "acme", "cidrs": ["192.0.2.1/32"]}, {
            "name": "bolt", "cidrs": ["192.0.2.2/32"], "certificate_name": "acme.hybrid.vendor.example"}]},
        "hybrid.customers[1].certificate_name: 'acme.hybrid.vendor.example' is another customer's too; "
        "give each one of its own"),
    "customers of a customer": (
        CUSTOMER, {"hybrid.customers": [{"name": "acme", "cidrs": ["192.0.2.1/32"]}]},
        "hybrid.customers: is for the vendor's side; remove it"),
    "a measured round trip at the vendor": (
        VENDOR, {"hybrid.round_trip_ms": 40}, "hybrid.round_trip_ms: is for the customer's side; remove it"),
    "a round trip by satellite": (
        CUSTOMER, {"hybrid.round_trip_ms": 620},
        "hybrid.round_trip_ms: 620 ms between the sides is more than 500 ms; "
        "choose a nearer region of the vendor, or use mode private"),
    "an entrance that nobody vouches for": (
        VENDOR, {"services.certificates": None},
        "hybrid.tls_secret: is left out, and nobody makes a certificate; "
        "name the site's Secret, or switch services.certificates on"),
    "a customer without a connection": (
        CUSTOMER, {"target.connected": False},
        "target.connected: is false, but the sides of mode hybrid talk to each other; use mode air-gapped or private"),
    "the vendor's user interface for workflows": (
        VENDOR, {"services.gateway": {"domain": "ui.vendor.example", "routes": ["temporal-ui"]}},
        "services.gateway.routes: 'temporal-ui' is not here: Temporal is on the customer's side; leave it out"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_is_refused_with_its_remedy(case: str) -> None:
    stack, changes, expected = REFUSED[case]
    with pytest.raises(ConfigError) as caught:
        load_spec(deployment(stack, changes), "test")
    assert expected in [str(problem) for problem in caught.value.problems]


SIDES: Final[Mapping[str, tuple[str, Mapping[str, Any], tuple[Tier, ...], Tier]]] = {
    "the vendor on AWS": (VENDOR, {}, (Tier.COGNITIVE, Tier.META), Tier.META),
    "the vendor on Google Cloud": (VENDOR, on_gcp(), (Tier.COGNITIVE, Tier.META), Tier.META),
    "the base of the vendor": (f"{VENDOR}-base", {}, (Tier.COGNITIVE, Tier.META), Tier.META),
    "the customer on own machines": (CUSTOMER, {}, (Tier.EXECUTION,), Tier.CHANNELS),
    "the customer on AWS": (CUSTOMER, on_aws(), (Tier.EXECUTION,), Tier.CHANNELS),
    "a hosted vector store at the vendor": (
        VENDOR, {"meta.vector_store": "pinecone"}, (Tier.COGNITIVE, Tier.META), Tier.META),
}  # fmt: skip


@pytest.mark.parametrize("case", SIDES)
def test_each_side_is_taken_by_the_loader_and_by_editors(case: str) -> None:
    stack, changes, tiers, lasting = SIDES[case]
    value = deployment(stack, changes)
    spec = load_spec(value, "test")
    assert (agent_tiers(spec), persistent_tier(spec)) == (tiers, lasting)
    jsonschema.validate({"config": {CONFIG_KEY: value}}, json_schema())


EDITORS: Final = ("a customer with the vendor's vector store", "a customer without workers", "a mode without sides",
                  "a vendor with an execution tier", "a vendor without stores")  # fmt: skip


@pytest.mark.parametrize("case", EDITORS)
def test_editors_see_what_is_missing_or_too_much(case: str) -> None:
    stack, changes, _ = REFUSED[case]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"config": {CONFIG_KEY: deployment(stack, changes)}}, json_schema())


def test_a_customer_sizes_the_database_of_its_workflows() -> None:
    spec = load_spec(deployment(CUSTOMER, {"channels.relational_kind": "cloudnative-pg"}), "test")
    assert (spec.meta.relational_kind.value, spec.meta.relational.storage_gib) == ("cloudnative-pg", 30)
    assert spec.meta.pool == spec.channels.pool
