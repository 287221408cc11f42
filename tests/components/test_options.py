"""Options that no shipped stack uses: hosted models and vectors, small models on CPUs, mirrored registries."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from skerry.engine.run import run_deployment
from skerry.errors import ConfigError, SkerryError
from skerry.facts import facts_of
from skerry.graph import ResourceGraph
from skerry.graph_json import to_json
from tests.simulators.changed_stacks import changed_deployment, without_options
from tests.simulators.stack_objects import AIRGAPPED, ONPREM, ROOT, inputs, objects, pods

PLANTED = "sk-planted-0123456789"


def deployment_of(stack: str) -> dict[str, Any]:
    text = (ROOT / "stacks" / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8")
    found: dict[str, Any] = yaml.safe_load(text)["config"]["skerry:deployment"]
    return found


def changed(stack: str, changes: dict[str, Any], **flat: str) -> ResourceGraph:
    """Run a shipped stack after `changes` (path -> value) to its deployment, beside further flat values."""
    deployment = changed_deployment(stack, without_options(stack))
    for path, value in changes.items():
        *folders, last = path.split(".")
        place = deployment
        for folder in folders:
            place = place.setdefault(folder, {})
        place[last] = value
    values = {"skerry:deployment": json.dumps(deployment), **{f"skerry:{key}": text for key, text in flat.items()}}
    return run_deployment(ROOT, stack, values)


HOSTED = {
    "mode": "saas",
    "cognitive.providers": ["anthropic"],
    "cognitive.api_key_secret": "providerKey",
    "cognitive.pool": None,
}


@pytest.fixture(scope="module")
def hosted() -> ResourceGraph:
    return changed(ONPREM, HOSTED, providerKey=PLANTED)


def test_without_a_local_model_nothing_wants_a_gpu(hosted: ResourceGraph) -> None:
    assert [pod.resource.name for pod in pods(hosted) if "vllm" in pod.labels.values()] == []
    quotas = {inputs(r)["spec"]["hard"]["requests.nvidia.com/gpu"] for r in objects(hosted, "ResourceQuota")}
    assert quotas == {"0"}
    assert "MODEL_URL" not in environment(hosted, "worker"), "the execution tier asks the architects instead"
    assert "ARCHITECTS" in environment(hosted, "worker")


def environment(graph: ResourceGraph, agent: str) -> dict[str, Any]:
    (pod,) = [pod for pod in pods(graph) if pod.labels.get("app.kubernetes.io/name") == agent]
    return {row["name"]: row.get("value", row.get("valueFrom")) for row in pod.spec["containers"][0]["env"]}


def test_the_key_of_a_provider_is_read_from_the_stack_and_stays_secret(hosted: ResourceGraph) -> None:
    (secret,) = objects(hosted, "Secret")
    body = inputs(secret)
    assert [body["metadata"]["name"], body["metadata"]["namespace"]] == ["llm-api-key", "sensei-cognitive"]
    assert PLANTED not in to_json(hosted)
    wanted = {"secretKeyRef": {"name": "llm-api-key", "key": "api-key"}}
    assert wanted == environment(hosted, "scout")["LLM_API_KEY"]


def test_a_missing_key_is_named_with_the_command_that_sets_it() -> None:
    with pytest.raises(SkerryError, match="skerry:providerKey"):
        changed(ONPREM, HOSTED)


def test_only_the_cognitive_tier_reaches_the_provider(hosted: ResourceGraph) -> None:
    opened = {
        inputs(r)["metadata"]["namespace"]
        for r in objects(hosted, "NetworkPolicy")
        if inputs(r)["metadata"]["name"] == "allow-internet"
    }
    assert opened == {"sensei-cognitive"}


def test_a_small_model_on_cpus_is_a_fact_and_agents_are_told() -> None:
    graph = changed(AIRGAPPED, {"execution.small_model": "cpu", "execution.model": "mistral-7b-instruct-q4"})
    carried = {model.name for r in graph.resources for model in getattr(facts_of(r), "models", ())}
    assert carried == {"llama-3.3-70b-instruct", "mistral-7b-instruct-q4"}
    for agent in ("worker", "validator"):
        assert environment(graph, agent)["SMALL_MODEL"] == "mistral-7b-instruct-q4"
        where = environment(graph, agent)["SMALL_MODEL_URL"]
        assert where == "http://small-model.sensei-execution.svc.cluster.local:8000/v1"
        assert "SMALL_MODEL" not in environment(graph, "scout")


def test_mirrored_nodes_get_a_file_a_registry_and_references_stay() -> None:
    graph = changed(AIRGAPPED, {"target.image_access": "mirror", "target.site_registry": "registry.site:5000/hub"})
    (cluster,) = [r for r in graph.resources if r.type == "skerry:index:OnPremCluster"]
    files = cluster.outputs["node_files"]
    used = {c["image"].partition("/")[0] for pod in pods(graph) for c in pod.containers}
    assert used == {"docker.io", "registry.vendor.example"}
    assert {f"/etc/containerd/certs.d/{registry}/hosts.toml" for registry in used} <= set(files)
    assert files["/etc/containerd/certs.d/docker.io/hosts.toml"].splitlines() == [
        '[host."https://registry.site:5000/v2/hub/docker.io"]',
        '  capabilities = ["pull", "resolve"]',
        "  override_path = true",
    ]


def test_hosted_vectors_are_reached_by_those_who_ask_them() -> None:
    changes = {
        "mode": "saas",
        "target": {
            "kind": "aws",
            "jurisdiction": "US",
            "region": "us-east-1",
            "failure_domains": ["us-east-1a", "us-east-1b", "us-east-1c"],
            "base_stack": "sensei-saas-aws-base",
        },
        "meta.vector_store": "pinecone",
    }
    graph = changed(ONPREM, changes)
    opened = {
        inputs(r)["metadata"]["namespace"]
        for r in objects(graph, "NetworkPolicy")
        if inputs(r)["metadata"]["name"] == "allow-internet"
    }
    assert {"sensei-cognitive", "sensei-execution", "sensei-meta"} <= opened
    for agent in ("scout", "worker", "learning"):
        assert environment(graph, agent)["VECTOR_URL"] == "https://api.pinecone.io:443"


@pytest.mark.parametrize("agent", ["scout", "architect", "learning"])
def test_agents_are_told_where_all_that_was_learnt_is(agent: str, hosted: ResourceGraph) -> None:
    told = environment(hosted, agent)
    assert {"VECTOR_URL", "GRAPH_URL", "DOCUMENTS_HOSTS", "TEMPORAL_ADDRESS", "PUBSUB_URL", "BUCKET"} <= set(told)
    assert told["DOCUMENTS_PASSWORD"] == {"secretKeyRef": {"name": "mongodb-auth", "key": "password"}}


@pytest.mark.parametrize("agent", ["worker", "validator"])
def test_the_execution_tier_knows_patterns_only(agent: str, hosted: ResourceGraph) -> None:
    told = environment(hosted, agent)
    assert "VECTOR_URL" in told
    assert {"GRAPH_URL", "DOCUMENTS_HOSTS"} & set(told) == set()


REFUSED = {
    "a tag that is no label value": ({"tags": {"cost-center": "field systems"}}, "tags"),
    "a tag whose key is no label key": ({"tags": {"cost center": "x"}}, "tags"),
    "one volume server, where each object has a second copy": ({"channels.object_store_replicas": 1}, "channels"),
    "an address range of the API server that is none": ({"target.api_server_cidrs": ["10.0.0.300/8"]}, "target"),
    "the whole world as the API server of a closed site": ({"target.api_server_cidrs": ["0.0.0.0/0"]}, "target"),
    "the whole world as what answers names": ({"target.dns_cidrs": ["0.0.0.0/0"]}, "target"),
    "an address of what answers names that is none": ({"target.dns_cidrs": ["node-local"]}, "target"),
}


def test_a_cache_of_names_on_each_machine_is_opened_by_its_address_in_every_tier() -> None:
    graph = changed(AIRGAPPED, {"target.dns_cidrs": ["169.254.25.10/32"], "gpu": {"devices": "operator"}})
    rules = {
        body["metadata"]["namespace"]: [
            rule for rule in body["spec"]["egress"] if {"port": 53, "protocol": "UDP"} in rule["ports"]
        ]
        for body in map(inputs, objects(graph, "NetworkPolicy"))
        if body["metadata"]["name"] in ("allow-dns", "allow-api") and "egress" in body["spec"]
    }
    assert {"sensei-cognitive", "sensei-execution", "sensei-meta", "sensei-channels", "sensei-gpus"} <= set(rules)
    for namespace, (rule,) in rules.items():
        assert {"ipBlock": {"cidr": "169.254.25.10/32"}} in rule["to"], namespace


@pytest.mark.parametrize("case", REFUSED)
def test_what_would_fail_at_the_site_is_refused_before(case: str) -> None:
    changes, place = REFUSED[case]
    with pytest.raises(ConfigError) as caught:
        changed(AIRGAPPED, changes)
    assert [problem.path.partition(".")[0] for problem in caught.value.problems] == [place]
