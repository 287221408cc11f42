"""The shipped AWS deployment on Azure: only `target` is written anew, and AWS's names of types go."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from skerry.config.spec import CONFIG_KEY
from skerry.engine.project import StackConfig
from skerry.engine.run import run_program
from skerry.graph import Resource, ResourceGraph
from tests.simulators.moved_stacks import changed, moved
from tests.simulators.stack_objects import AWS, AWS_BASE, ROOT, inputs

AZURE_BASE, AZURE = "sensei-saas-azure-base", "sensei-saas-azure"
SUBSCRIPTION, TENANT = "00000000-0000-0000-0000-00000000000a", "00000000-0000-0000-0000-00000000000b"
GROUP: Final = "00000000-0000-0000-0000-00000000000c"
PASSWORD_KEY, PASSWORD = "postgresAdmin", "only-of-this-test"
AZURE_TARGET: Final[Mapping[str, Any]] = {
    "kind": "azure",
    "jurisdiction": "US",
    "region": "eastus",
    "failure_domains": ["eastus-1", "eastus-2", "eastus-3"],
    "azure": {
        "subscription_id": SUBSCRIPTION,
        "tenant_id": TENANT,
        "administrators": [GROUP],
        "network_cidr": "10.20.0.0/16",
    },
}
OUTPUTS: Final[Mapping[str, Mapping[str, Any]]] = {
    AZURE_BASE: {
        "clusterName": AZURE,
        "resourceGroup": "sensei-base-group12345678",
        "kubeconfig": '{"kind": "Config"}',
        "region": "eastus",
        "network": "10.20.0.0/16",
        "endpointsNetwork": "10.20.5.0/27",
        "postgresNetwork": "10.20.5.48/28",
        "diskEncryptionSetId": f"/subscriptions/{SUBSCRIPTION}/resourceGroups/g/providers/Microsoft.Compute/d/s",
        "postgresEndpoint": "server12345678.postgres.database.azure.com",
        "pubsubEndpoint": "redis12345678.eastus.redis.azure.net",
        "storageAccount": "senseiobjects12345678",
        "container": "sensei",
        "cognitiveClientId": "00000000-0000-0000-0000-0000000000c1",
        "executionClientId": "00000000-0000-0000-0000-0000000000c2",
        "metaClientId": "00000000-0000-0000-0000-0000000000c3",
    }
}
"""What a base stack that was deployed says."""

MANAGED_POSTGRES: Final = {"target.azure.postgres_admin_secret": PASSWORD_KEY}


def deployment(stack: str, changes: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the deployment of a shipped stack on Azure, with some fields changed."""
    found = moved(stack, AZURE_TARGET)
    if "base_stack" in found["target"]:
        found["target"]["base_stack"] = AZURE_BASE
    return changed(found, changes or {})


def azure_base(changes: Mapping[str, Any] | None = None) -> ResourceGraph:
    """Return the graph of the base on Azure."""
    return _run(AZURE_BASE, deployment(AWS_BASE, changes), {})


def azure_platform(
    changes: Mapping[str, Any] | None = None, outputs: Mapping[str, Mapping[str, Any]] = OUTPUTS
) -> ResourceGraph:
    """Return the graph of the platform on Azure, by default on a base that was deployed."""
    return _run(AZURE, deployment(AWS, changes), outputs)


def _run(stack: str, found: Mapping[str, Any], outputs: Mapping[str, Mapping[str, Any]]) -> ResourceGraph:
    key = f"skerry:{PASSWORD_KEY}"
    values = {CONFIG_KEY: json.dumps(found), key: PASSWORD}
    return run_program(ROOT, stack, StackConfig(values, frozenset({key})), stack_outputs=outputs)


@cache
def base() -> ResourceGraph:
    """Return the graph of the base as it is by default, run once a test session."""
    return azure_base()


def of_type(kind: str, graph: ResourceGraph | None = None) -> list[Resource]:
    """Return the resources of a type, of which there is at least one."""
    found = [r for r in (graph or base()).resources if r.type == kind]
    assert found, f"the base stack has no {kind}"
    return found


def one(kind: str, graph: ResourceGraph | None = None) -> dict[str, Any]:
    """Return the inputs of the only resource of a type."""
    (found,) = of_type(kind, graph)
    return inputs(found)
