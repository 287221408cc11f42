"""Bad configurations get one message each that says what, the value, what is allowed and the remedy; all at once."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from skerry.config.load import load_spec
from skerry.errors import ConfigError
from tests.simulators.stack_objects import AIRGAPPED, AWS, AWS_BASE, ONPREM, ROOT, STACKS

Change = Callable[[dict[str, Any]], None]


def document(stack: str) -> dict[str, Any]:
    loaded = yaml.safe_load((ROOT / "stacks" / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8"))
    assert isinstance(loaded, dict)
    return loaded


def deployment(stack: str) -> dict[str, Any]:
    return copy.deepcopy(document(stack)["config"]["skerry:deployment"])


def put(path: str, value: Any) -> Change:
    """Return a change that sets the field at a dotted path."""

    def change(tree: dict[str, Any]) -> None:
        *parents, last = path.split(".")
        for part in parents:
            tree = tree[part]
        tree[last] = value

    return change


def drop(path: str) -> Change:
    def change(tree: dict[str, Any]) -> None:
        *parents, last = path.split(".")
        for part in parents:
            tree = tree[part]
        del tree[last]

    return change


def problems(stack: str, *changes: Change) -> list[str]:
    tree = deployment(stack)
    for change in changes:
        change(tree)
    with pytest.raises(ConfigError) as caught:
        load_spec(tree, f"Pulumi.{stack}.yaml")
    return [str(problem) for problem in caught.value.problems]


TWO_A100 = {"vcpu": 24, "memory_gib": 170, "gpu_model": "A100", "gpus": 2, "gpu_memory_gib": 40}

BAD: dict[str, tuple[str, list[Change], str]] = {
    "a field that is not one, close to one": (
        AIRGAPPED,
        [put("target.conected", False)],
        "target.conected: is not a field of the configuration; did you mean 'connected'?",
    ),
    "a field that is not one, close to none": (
        AIRGAPPED,
        [put("budget", {"maximum_usd_per_month": 1, "zzz": 2})],
        "budget.zzz: is not a field of the configuration; allowed are maximum_usd_per_month",
    ),
    "a text where a number is needed": (
        AIRGAPPED,
        [put("meta.vector.replicas", "many")],
        "meta.vector.replicas: input should be a valid integer, unable to parse string as an integer, got 'many'",
    ),
    "a list where a mapping is needed": (
        AIRGAPPED,
        [put("meta.vector", [3])],
        "meta.vector: input should be a valid dictionary or instance of StoreSpec, got [3]",
    ),
    "a mode that is nearly one": (
        AIRGAPPED,
        [put("mode", "airgapped")],
        "mode: 'airgapped' is not one of 'saas', 'private', 'air-gapped', 'hybrid', 'single-region', 'geo', "
        "'hybrid-edge', 'single-tenant', 'sidecar', 'local-worker', 'development', 'small-team', 'field', "
        "'enterprise', 'two-hosts', 'single-node' or 'multi-node'; did you mean 'air-gapped'?",
    ),
    "a required field that is missing": (
        AIRGAPPED,
        [drop("target.jurisdiction")],
        "target.jurisdiction: is required and missing; add it; `skerry config schema` describes every field",
    ),
    "a country that is no code": (
        AIRGAPPED,
        [put("target.jurisdiction", "Germany")],
        "target.jurisdiction: 'Germany' does not have the form ^[A-Z]{2}$",
    ),
    "a model that two GPUs cannot hold": (
        AIRGAPPED,
        [put("cognitive.pool.machine", TWO_A100)],
        "cognitive: llama-3.3-70b-instruct in bf16 does not fit 2 x 40 GiB GPUs of one node: 2 x (40 GiB x 0.90 - 2) = "
        "68.0 GiB for 131.5 GiB of weights (70.6e9 x 2 B) and 10.0 GiB of KV cache (32768 tokens x 320 KiB, prompts "
        "of 32768); use more or larger GPUs a node, a smaller precision (fp8, int4), a shorter context_tokens or less "
        "serving.cache_tokens",
    ),
    "a vector store at its vendor without a connection": (
        AIRGAPPED,
        [put("meta.vector_store", "pinecone")],
        "meta.vector_store: pinecone is hosted by its vendor and cannot be used without a connection; "
        "use qdrant or pgvector",
    ),
    "a vector store at its vendor in a private deployment": (
        ONPREM,
        [put("meta.vector_store", "pinecone")],
        "meta.vector_store: pinecone is hosted by its vendor and cannot be used in mode private; "
        "use qdrant or pgvector",
    ),
    "a hosted model without a connection": (
        AIRGAPPED,
        [put("cognitive.providers", ["local", "openai"]), put("cognitive.api_key_secret", "llmKey")],
        "cognitive.providers: openai cannot be reached without a connection; use only local",
    ),
    "a hosted model without a key": (
        AWS,
        [put("cognitive.providers", ["local", "anthropic"])],
        "cognitive.api_key_secret: is required for anthropic; name a secret config key",
    ),
    "no connection and no site registry": (
        AIRGAPPED,
        [drop("target.site_registry")],
        "target.site_registry: is required where connected is false; name host:port of the registry",
    ),
    "air-gapped with a connection": (
        AIRGAPPED,
        [put("target.connected", True)],
        "target.connected: is true, but mode is air-gapped; set connected: false",
    ),
    "more GPU machines than the design has": (
        AIRGAPPED,
        [put("cognitive.pool.maximum", 9)],
        "cognitive.pool: 2 to 9 nodes is outside 2 to 8; stay inside",
    ),
    "fewer machines at most than at least": (
        AIRGAPPED,
        [put("execution.pool.maximum", 4), put("execution.pool.minimum", 8)],
        "execution.pool: 8 <= 16 <= 4 does not hold; order the three",
    ),
    "execution machines with too much memory": (
        AIRGAPPED,
        [put("execution.pool.machine.memory_gib", 256)],
        "execution.pool.machine.memory_gib: 256 GiB is outside 32 to 64 GiB; choose another machine",
    ),
    "stores on machines that may be taken away": (
        AWS_BASE,
        [put("meta.pool.purchase", "spot")],
        "meta.pool.purchase: spot machines may be taken away at any time; use on-demand",
    ),
    "work that may not be interrupted on such machines": (
        AWS_BASE,
        [put("execution.pool.purchase", "spot")],
        "execution.pool.purchase: spot needs work that may be interrupted; set execution.interruptible: true",
    ),
    "a model without a row": (
        AIRGAPPED,
        [put("cognitive.model", "gpt-9")],
        "cognitive.model: 'gpt-9' is not in images/models.yaml; use one of all-minilm-l6-v2, "
        "llama-3.1-8b-instruct, llama-3.3-70b-instruct, mistral-7b-instruct",
    ),
    "a small model on CPUs that nobody named": (
        AIRGAPPED,
        [put("execution.small_model", "cpu")],
        "execution.model: is required for small_model: cpu; use one of llama-3.1-8b-instruct-q4, "
        "mistral-7b-instruct-q4",
    ),
    "a baseline without a row": (
        AIRGAPPED,
        [put("meta.baseline", "patterns")],
        "meta.baseline: 'patterns' is not in images/baselines.yaml; use one of sensei-patterns",
    ),
    "an image that is no reference": (
        AIRGAPPED,
        [put("cognitive.scout.image", "registry/scout:1.0:2")],
        "cognitive.scout.image: 'registry/scout:1.0:2' is no image reference: write registry/repository:tag or "
        "registry/repository@sha256:<64 hex>",
    ),
    "a day that does not exist": (
        AIRGAPPED,
        [put("waivers", [{"rule": "RES001", "resource": "*", "owner": "ops team", "reason": "long enough reason",
                          "expires": "2027-02-30"}])],
        "waivers[0].expires: '2027-02-30' is not a date: ",
    ),
    "terms of no licence": (
        AIRGAPPED,
        [put("licences", [{"licence": "MIT", "accepted_by": "legal", "accepted_on": "2026-11-21"}])],
        "licences[0].licence: 'MIT' is no licence whose terms need acceptance; use one of AGPL-3.0-only, ",
    ),
    "terms accepted twice": (
        AIRGAPPED,
        [put("licences", [{"licence": "SSPL-1.0", "accepted_by": "legal", "accepted_on": "2026-11-21"}] * 2)],
        "licences[1].licence: 'SSPL-1.0' is accepted twice; name it once",
    ),
    "terms accepted on a day that does not exist": (
        AIRGAPPED,
        [put("licences", [{"licence": "SSPL-1.0", "accepted_by": "legal", "accepted_on": "2026-02-30"}])],
        "licences[0].accepted_on: '2026-02-30' is not a date: ",
    ),
    "terms accepted by nobody": (
        AIRGAPPED,
        [put("licences", [{"licence": "SSPL-1.0", "accepted_by": "", "accepted_on": "2026-11-21"}])],
        "licences[0].accepted_by: ",
    ),
    "a cloud without a region": (
        AWS_BASE,
        [put("target.region", "")],
        "target.region: is required on aws; name a region such as eu-central-1",
    ),
    "a region that is nearly one": (
        AWS_BASE,
        [put("target.region", "us-eats-1")],
        "target.region: 'us-eats-1' is not an AWS region; did you mean 'us-east-1'?",
    ),
    "a zone of another region": (
        AWS_BASE,
        [put("target.failure_domains", ["us-east-1a", "eu-central-1b"])],
        "target.failure_domains: 'eu-central-1b' is not a zone of us-east-1; name zones such as us-east-1a",
    ),
    "a cluster without zones": (
        AWS_BASE,
        [put("target.failure_domains", [])],
        "target.failure_domains: 0 zones are named, EKS needs 2 and the network has room for 7; name 2 to 7 zones",
    ),
    "a zone that is named twice": (
        ONPREM,
        [put("target.failure_domains", ["rack-a", "rack-b", "rack-a"])],
        "target.failure_domains: 'rack-a' is named twice; name each once",
    ),
    "a platform on a cloud without its base": (
        AWS,
        [drop("target.base_stack")],
        "target.base_stack: is required on aws; name the stack with layer: base",
    ),
    "a network that is too small": (
        AWS_BASE,
        [put("target.aws.vpc_cidr", "10.0.0.0/24")],
        "target.aws.vpc_cidr: '10.0.0.0/24' is too small for three zones; use a /16 or /17",
    ),
    "a network that is none": (
        AWS_BASE,
        [put("target.aws.vpc_cidr", "10.0.0.0.0/16")],
        "target.aws.vpc_cidr: is not an address range: ",
    ),
    "a base on own machines": (
        ONPREM,
        [put("layer", "base")],
        "layer: base has no meaning on own machines; remove it: there is only the platform layer",
    ),
    "a region on own machines": (
        ONPREM,
        [put("target.region", "eu-central-1")],
        "target.region: 'eu-central-1' has no meaning on own machines; remove it",
    ),
    "a managed service on own machines": (
        ONPREM,
        [put("meta.relational_kind", "managed")],
        "meta.relational_kind: managed services exist on clouds only; use auto",
    ),
    "local inference without machines": (
        AIRGAPPED,
        [drop("cognitive.pool")],
        "cognitive.pool: is required for the provider local; add it",
    ),
    "local inference on machines without GPUs": (
        AIRGAPPED,
        [put("cognitive.pool.machine", {"vcpu": 8, "memory_gib": 32})],
        "cognitive.pool.machine.gpus: local inference needs GPUs; set gpus and gpu_memory_gib",
    ),
    "a machine that no type of the cloud is": (
        AWS_BASE,
        [put("meta.pool.machine", {"vcpu": 900, "memory_gib": 128})],
        "meta.pool.machine: no aws type in the catalogue has 900 vCPU, 128 GiB: name target machines that exist there, "
        "or set machine.instance_type",
    ),
    "an instance type that the catalogue does not have": (
        AWS_BASE,
        [put("meta.pool.machine.instance_type", "m9z.huge")],
        "meta.pool.machine.instance_type: 'm9z.huge' is not in the catalogue of aws types",
    ),
    "an instance type that has less than is asked": (
        AWS_BASE,
        [put("cognitive.pool.machine.instance_type", "g5.12xlarge")],
        "cognitive.pool.machine.instance_type: 'g5.12xlarge' has 48 vCPU, 192 GiB and 4 x 22 GiB GPUs, which is less "
        "than 96 vCPU, 1152 GiB and 8 x 40 GiB GPUs; name a larger type, or ask less of the machine",
    ),
    "a country under a code that is not its own": (
        ONPREM,
        [put("state.jurisdiction", "UK")],
        "state.jurisdiction: 'UK' is neither an ISO 3166 country code nor one of EEA, EU: did you mean GB",
    ),
    "a bloc that nobody defined": (
        ONPREM,
        [put("residency.boundaries", [{"data_class": "restricted", "jurisdictions": ["DE", "Europe"]}])],
        "residency.boundaries[0].jurisdictions[1]: 'Europe' is neither an ISO 3166 country code nor one of EEA, EU: "
        "write a code such as DE",
    ),
    "a tag with a name that is none": (
        AIRGAPPED,
        [put("tags", {"cost center": "x"})],
        "tags.cost center: cannot be the name of a label of Kubernetes objects; use letters",
    ),
    "a tag that Kubernetes takes for no label": (
        AIRGAPPED,
        [put("tags", {"cost-center": "Field Systems"})],
        "tags.cost-center: 'Field Systems' cannot be a label of Kubernetes objects; use letters, digits, '-', '_' and "
        "'.', at most 63, beginning and ending with a letter or digit",
    ),
    "a tag that is one of Skerry's own": (
        AIRGAPPED,
        [put("tags", {"skerry.dev/data-class": "public"})],
        "tags.skerry.dev/data-class: is set by Skerry itself; remove it",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_a_bad_configuration_is_refused_with_its_remedy(case: str) -> None:
    stack, changes, expected = BAD[case]
    found = problems(stack, *changes)
    assert any(line.startswith(expected) for line in found), "\n".join(found)


@pytest.mark.parametrize("value", [None, [], "text", 3])
def test_what_is_no_mapping_is_refused(value: object) -> None:
    with pytest.raises(ConfigError, match=r"skerry:deployment: must be a mapping, got"):
        load_spec(value, "Pulumi.x.yaml")


def test_every_problem_is_reported_at_once_with_its_path() -> None:
    found = problems(
        AIRGAPPED, put("modus", "x"), put("target.kind", "aws2"), put("meta.vector.replicas", 0), drop("state.backup")
    )
    paths = sorted(line.partition(":")[0] for line in found)
    assert " ".join(paths) == "meta.vector.replicas modus state.backup target.kind"


def test_what_makes_no_sense_together_is_reported_at_once_too() -> None:
    found = problems(
        AIRGAPPED,
        drop("target.site_registry"),
        put("meta.vector_store", "pinecone"),
        put("cognitive.model", "gpt-9"),
        put("meta.baseline", "none"),
    )
    paths = [line.partition(":")[0] for line in found]
    assert " ".join(paths) == "target.site_registry meta.vector_store cognitive.model meta.baseline"


def test_the_message_names_the_source_and_counts() -> None:
    with pytest.raises(ConfigError) as caught:
        load_spec({**deployment(AIRGAPPED), "modus": "x", "layr": "y"}, "stacks/Pulumi.mine.yaml")
    assert str(caught.value).splitlines()[0] == "stacks/Pulumi.mine.yaml: 2 problems"


@pytest.mark.parametrize("stack", STACKS)
def test_shipped_stacks_are_good(stack: str) -> None:
    assert load_spec(deployment(stack), stack).system.value == "sensei"
