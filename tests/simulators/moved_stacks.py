"""The shipped AWS deployment without its options on another cloud: only `target` is written anew, AWS's types go."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from skerry.config.spec import CONFIG_KEY
from skerry.engine.project import StackConfig
from skerry.engine.run import run_program
from skerry.graph import Resource, ResourceGraph
from tests.simulators.changed_stacks import shipped, without_options
from tests.simulators.stack_objects import AWS, AWS_BASE, GCP, GCP_BASE, ROOT, inputs

NUMBER: Final = "123456789012"
GCP_TARGET: Final[Mapping[str, Any]] = {
    "kind": "gcp",
    "jurisdiction": "US",
    "region": "us-central1",
    "failure_domains": ["us-central1-a", "us-central1-b", "us-central1-c"],
    "gcp": {"project": "skerry-example", "project_number": NUMBER, "network_cidr": "10.20.0.0/16"},
}
OUTPUTS: Final[Mapping[str, Mapping[str, Any]]] = {
    GCP_BASE: {
        "clusterName": "sensei-saas-gcp",
        "kubeconfig": '{"kind": "Config"}',
        "region": "us-central1",
        "network": "10.20.0.0/16",
        "managedNetwork": "10.20.128.0/20",
        "keyId": "projects/skerry-example/locations/us-central1/keyRings/r/cryptoKeys/k",
        "postgresEndpoint": "10.20.128.2",
        "postgresInstance": "postgres-1234567",
        "pubsubEndpoint": "10.20.129.4",
        "pubsubInstance": "pubsub-1234567",
        "bucket": "bucket-1234567",
        "agentsAccount": "agents-1234567@skerry-example.iam.gserviceaccount.com",
    }
}
"""What a base stack that was deployed says."""


def moved(stack: str, target: Mapping[str, Any]) -> dict[str, Any]:
    """Return the deployment of a shipped stack at another target, without the names of types that only its own has."""
    deployment = changed(shipped(stack), without_options(stack))
    base = deployment["target"].get("base_stack")
    deployment["target"] = json.loads(json.dumps(dict(target))) | ({"base_stack": GCP_BASE} if base else {})
    for tier in ("cognitive", "execution", "meta"):
        deployment[tier]["pool"]["machine"].pop("instance_type", None)
    return deployment


def changed(deployment: dict[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return a deployment with some fields changed: dotted path -> value, where None takes the field away."""
    for path, value in changes.items():
        *parents, last = path.split(".")
        place = deployment
        for part in parents:
            place = place.setdefault(part, {})
        if value is None:
            place.pop(last, None)
        else:
            place[last] = value
    return deployment


def gcp_base(changes: Mapping[str, Any] | None = None) -> ResourceGraph:
    """Return the graph of the base on Google Cloud."""
    return _run(GCP_BASE, changed(moved(AWS_BASE, GCP_TARGET), changes or {}), {})


def gcp_platform(
    changes: Mapping[str, Any] | None = None, outputs: Mapping[str, Mapping[str, Any]] = OUTPUTS
) -> ResourceGraph:
    """Return the graph of the platform on Google Cloud, by default on a base that was deployed."""
    return _run(GCP, changed(moved(AWS, GCP_TARGET), changes or {}), outputs)


def _run(stack: str, deployment: Mapping[str, Any], outputs: Mapping[str, Mapping[str, Any]]) -> ResourceGraph:
    return run_program(
        ROOT, stack, StackConfig({CONFIG_KEY: json.dumps(deployment)}, frozenset()), stack_outputs=outputs
    )


@cache
def base() -> ResourceGraph:
    """Return the graph of the base as shipped, run once a test session."""
    return gcp_base()


def of_type(kind: str, graph: ResourceGraph | None = None) -> list[Resource]:
    """Return the resources of a type, of which there is at least one."""
    found = [r for r in (graph or base()).resources if r.type == kind]
    assert found, f"the base stack has no {kind}"
    return found


def one(kind: str, graph: ResourceGraph | None = None) -> dict[str, Any]:
    """Return the inputs of the only resource of a type."""
    (found,) = of_type(kind, graph)
    return inputs(found)
