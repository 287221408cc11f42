"""Programs that use the component package as other languages do: by type token, with plain inputs in camelCase."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any, Final

import yaml

from components.package.arguments import schema_path

ROOT: Final = Path(__file__).resolve().parents[2]

HEAD: Final = '''
import json
import pulumi
import pulumi_kubernetes as k8s


class Remote(pulumi.ComponentResource):
    """What a generated SDK holds for each component."""

    def __init__(self, kind, name, outputs, inputs, opts=None):
        super().__init__(f"skerry:index:{kind}", name, {**dict.fromkeys(outputs), **inputs}, opts, remote=True)


config = pulumi.Config()
FOUR = ("endpoint", "port", "secretRef", "metricsEndpoint")
'''

LIFE: Final = (
    HEAD
    + """
import pulumi_aws as aws

k8s_provider = k8s.Provider("cluster", kubeconfig=config.require_secret("kubeconfig"))
site = pulumi.ResourceOptions(providers=[k8s_provider])
cluster = {"failureDomains": ["a", "b", "c"], "storageClass": "fast", "siteRegistry": "registry.example"}
outside = aws.s3.Bucket("outside")
space = Remote("TierNamespace", "space", ("namespace",), {
    "cluster": cluster, "namespace": "meta", "tier": "meta",
    "internet": [{"name": "a", "host": "a.example", "why": "b"}],
}, site)
database = Remote("RelationalStore", "db", FOUR, {
    "cluster": cluster, "namespace": "meta", "tier": "meta", "database": "mlflow",
    "size": {"replicas": config.require_int("replicas")},
}, site)
tracker = Remote("ExperimentTracker", "tracker", FOUR, {
    "cluster": cluster, "namespace": "meta",
    "database": {"endpoint": database.endpoint, "port": database.port, "secretRef": database.secretRef},
    "objects": {"bucket": outside.bucket, "region": "eu-central-1"},
}, pulumi.ResourceOptions(providers=[k8s_provider], depends_on=[space]))
managed = {**cluster, "objectStore": {"endpoint": "of-the-cloud", "port": 443, "region": "eu-central-1"}}
handed = ("bucket", "region", "url", "secretRef")
for name, where in (("cloud", managed), ("own", cluster)):
    objects = Remote("ObjectStore", f"{name}-objects", handed, {
        "cluster": where, "namespace": name, "database": {"endpoint": "db.example", "secretRef": "db-app"},
    }, site)
    Remote("ExperimentTracker", f"{name}-tracker", (), {
        "cluster": cluster, "namespace": name, "objects": {field: getattr(objects, field) for field in handed},
        "database": {"endpoint": "db.example", "secretRef": "db-app"},
    }, site)
tier = Remote("CognitiveTier", "cognitive", (*FOUR, "modelUrl"), {
    "cluster": cluster, "namespace": "cognitive", "objects": {"bucket": "weights"},
    "cognitive": {
        "providers": ["anthropic", "openai"],
        "scout": {"image": "r.example/scout:1"}, "architect": {"image": "r.example/architect:1", "replicas": 1},
    },
    "apiKey": config.require_secret("key"),
    "environment": {"BUCKET": outside.bucket, "TOKEN": config.require_secret("key")},
}, site)
port = database.port.apply(lambda port: str(int(port)))
pulumi.export("database", pulumi.Output.concat(database.endpoint, ":", port))
pulumi.export("secret", database.secretRef)
pulumi.export("metrics", database.metricsEndpoint)
pulumi.export("namespace", space.namespace)
"""
)
"""A program with a secret, an unknown (a bucket's name), and what one component hands to another."""


def camel(value: Any) -> Any:
    """Return a part of a stack file as programs of other languages write it."""
    if isinstance(value, list):
        return [camel(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {schema_path(key): item if key == "tags" else camel(item) for key, item in value.items()}


def deployment_of(stack: str) -> dict[str, Any]:
    """Return the deployment of a shipped stack, in camelCase."""
    text = (ROOT / "stacks" / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8")
    found: dict[str, Any] = camel(yaml.safe_load(text)["config"]["skerry:deployment"])
    return found


AZURE: dict[str, Any] = {
    "subscriptionId": "00000000-0000-0000-0000-000000000001",
    "tenantId": "00000000-0000-0000-0000-000000000002",
    "administrators": ["00000000-0000-0000-0000-000000000003"],
    "postgresAdminSecret": "postgres-admin",
}


def machines() -> dict[str, Any]:
    """Return the inputs of two machines, with the secrets that they name."""
    deployment = deployment_of("agentdb-single-node")
    named = {"apiCertificate", "apiKey", "peerCertificate", "peerKey", "peerAuthority", "sshKey", "backupKey"}
    return {"deployment": deployment, "secrets": dict.fromkeys(sorted(named), "example")}


def every_component() -> dict[str, dict[str, Any]]:
    """Return inputs for every public component."""
    onprem, base = deployment_of("sensei-private-onprem"), deployment_of("sensei-saas-aws-base")
    base["target"].setdefault("aws", {})["accountId"] = "000000000000"
    google = {"project": "acme-skerry-123", "projectNumber": "000000000000"}
    on_google = {**base["target"], "kind": "gcp", "region": "europe-west4", "gcp": google}
    on_google |= {"failureDomains": ["europe-west4-a", "europe-west4-b", "europe-west4-c"], "jurisdiction": "NL"}
    on_google.pop("aws")
    google_base = copy.deepcopy({**base, "target": on_google})
    for tier in ("cognitive", "execution", "meta"):
        google_base[tier]["pool"]["machine"].pop("instanceType", None)
    on_azure = {**on_google, "kind": "azure", "region": "westeurope", "azure": AZURE}
    on_azure["failureDomains"] = ["westeurope-1", "westeurope-2", "westeurope-3"]
    on_azure.pop("gcp")
    azure_base = {**google_base, "target": on_azure}
    azure_base.pop("backup", None)
    services = {"rehearsal": {"service": "stand-in", "runtime": "kubernetes", "image": "r.example/stand-in:1"}}
    any_services = {key: onprem[key] for key in ("target", "residency", "state")} | {
        "system": "applications",
        "mode": "single-region",
        "machines": {"stores": onprem["meta"]["pool"]},
        "applications": {"services": services},
    }
    here: dict[str, Any] = {"cluster": {"failureDomains": ["a", "b", "c"], "tags": {"team": "x"}}, "namespace": "n"}
    database, objects = {"endpoint": "db.example", "secretRef": "db-app"}, {"bucket": "b", "url": "http://s3:8333"}
    agents = {"environment": {"A": "1"}, "secretEnvironment": {"B": {"secret": "s", "key": "k"}}}
    network = {"vpcId": "vpc-1", "subnetIds": ["subnet-1", "subnet-2"], "clients": "sg-1", "keyArn": "arn:aws:kms:::k"}
    return {
        "Sensei": {"deployment": onprem},
        "AgentDb": {"deployment": deployment_of("agentdb-onprem")},
        "AetherGraph": {"deployment": deployment_of("aethergraph-server-onprem")},
        "Applications": {"deployment": any_services},
        "Hosts": machines(),
        "CognitiveTier": {**here, "cognitive": onprem["cognitive"], "objects": objects, **agents},
        "ExecutionTier": {
            **here,
            "execution": onprem["execution"],
            "pubsub": {"endpoint": "valkey.n"},
            **agents,
            "environment": {"TEMPORAL_ADDRESS": "temporal.n:7233", "TEMPORAL_NAMESPACE": "default"},
        },
        "MetaTier": {**here, "meta": onprem["meta"], "objects": objects, **agents},
        "AgentGroup": {**here, "tier": "meta", "kind": "scribe", "agent": {"image": "r.example/a:1"}, "grpc": True},
        "PubSub": {**here, "kind": "valkey", "replicas": 3},
        "Workflows": {**here, "database": database, "replicas": 2, "historyShards": 128},
        "ObjectStore": {**here, "database": database, "gib": 200, "replicas": 3},
        "Rpc": {"cluster": here["cluster"], "namespaces": ["n", "m"]},
        "VectorStore": {**here, "size": {"storageGib": 10}},
        "GraphStore": here,
        "DocumentStore": here,
        "RelationalStore": {**here, "tier": "meta", "database": "d", "moreDatabases": ["e"]},
        "ExperimentTracker": {**here, "database": database, "objects": objects},
        "TierNamespace": {
            **here,
            "tier": "meta",
            "flows": [{"source": "m", "destination": "n", "ports": [1, 2], "why": "w"}],
            "apiClients": {"operator": {"app": "x"}, "all": {}},
            "keepsData": True,
            "gpus": 2,
        },
        "PriorityClasses": {"cluster": here["cluster"]},
        "Operator": {**here, "chart": "cloudnative-pg", "why": "w", "values": {"a": {"b": [1]}}, "webhookPort": 9443},
        "OnPremCluster": {"deployment": onprem},
        "AwsBase": {"deployment": base},
        "AwsNetwork": {"deployment": base, "clusterName": "c", "keyArn": network["keyArn"]},
        "AwsCluster": {
            "deployment": base,
            "clusterName": "c",
            "keyArn": network["keyArn"],
            "subnetIds": network["subnetIds"],
        },
        "AwsPostgres": {"deployment": base, **network},
        "AwsPubSub": {"deployment": base, **network},
        "AwsObjectStore": {"deployment": base, "keyArn": network["keyArn"]},
        "GcpBase": {"deployment": google_base},
        "AzureBase": {"deployment": azure_base, "postgresPassword": "not a password"},
    }


def program_of(rows: dict[str, dict[str, Any]]) -> str:
    """Return a program that makes each component once, under the name of its kind in lower case."""
    return f"""{HEAD}
import pulumi_aws as aws

providers = [k8s.Provider("cluster", kubeconfig="{{}}"), aws.Provider("aws", region="eu-central-1")]
for kind, inputs in json.loads({json.dumps(json.dumps(rows))}).items():
    Remote(kind, "my-" + kind.lower(), (), inputs, pulumi.ResourceOptions(providers=providers))
"""


def write_project(folder: Path, program: str, package: Path, stack: str, config: str = "{}") -> Path:
    """Write a project that names the component package, and return its folder, which has the name of the project."""
    folder.mkdir(parents=True)
    runtime = "{name: python, options: {virtualenv: .venv}}"
    text = f"name: {folder.name}\nruntime: {runtime}\npackages: {{skerry: {package}}}\n"
    (folder / "Pulumi.yaml").write_text(text, encoding="utf-8")
    (folder / f"Pulumi.{stack}.yaml").write_text(f"config: {config}\n", encoding="utf-8")
    (folder / "__main__.py").write_text(program, encoding="utf-8")
    return folder
