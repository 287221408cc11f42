"""Which components are public, and which are not and why; written out, so that neither happens by accident."""

from __future__ import annotations

from typing import Final

from components.package import aws, azure, channels, deployment, gcp, stores, systems, tiers, workloads
from components.package.remote import Remote


def public_components() -> list[type[Remote]]:
    """Return what programs in every Pulumi language can use."""
    return [
        deployment.Sensei,
        systems.AgentDb,
        systems.AetherGraph,
        systems.Applications,
        systems.Hosts,
        tiers.CognitiveTier,
        tiers.ExecutionTier,
        tiers.MetaTier,
        tiers.AgentGroup,
        channels.PubSub,
        channels.Workflows,
        channels.ObjectStore,
        channels.Rpc,
        stores.VectorStore,
        stores.GraphStore,
        stores.DocumentStore,
        stores.RelationalStore,
        stores.ExperimentTracker,
        workloads.TierNamespace,
        workloads.PriorityClasses,
        workloads.Operator,
        deployment.OnPremCluster,
        aws.AwsBase,
        aws.AwsNetwork,
        aws.AwsCluster,
        aws.AwsPostgres,
        aws.AwsPubSub,
        aws.AwsObjectStore,
        gcp.GcpBase,
        azure.AzureBase,
    ]


_PART_OF_AZURE_BASE: Final = (
    "a part of AzureBase: its parts take one another as objects, which no other language can pass"
)
_PART_OF_GCP_BASE: Final = "a part of GcpBase: its parts take one another as objects, which no other language can pass"

_SERVICE: Final = (
    "a part of Sensei, made where `services` asks for it: it takes objects of the program, which no other language can "
    "pass"
)

_RUNTIME: Final = (
    "a part of AgentDb, AetherGraph and Applications on a cloud's own runtime, made where their plan asks for it"
)
_RUNTIMES: Final = (
    "a part of AgentDb, AetherGraph and Applications, which choose it by runtime: it takes objects of the program, "
    "which no other language can pass"
)

_ON_MACHINES: Final = "a part of Hosts, made from the machines and services of its plan"

NOT_PUBLIC: Final = {
    "Host": _ON_MACHINES,
    "HostProgram": _ON_MACHINES,
    "HostProxy": _ON_MACHINES,
    "AwsDataAccess": "a part of AwsBase, made where databases are reached by a private link",
    "AwsFabric": "a part of AwsCluster, made where its GPU machines have Elastic Fabric Adapters",
    "AgentIdentities": _PART_OF_AZURE_BASE,
    "AwsNodeGroup": "a part of AwsCluster, made from the pools of the deployment",
    "AwsPlatform": "a part of Sensei: it hands objects of the program to the tiers, which no other language can pass",
    "AwsServiceIdentities": "a part of AwsBase, made where `services` asks for it",
    "AzureCluster": _PART_OF_AZURE_BASE,
    "AzureDataAccess": _PART_OF_AZURE_BASE,
    "AzureKey": _PART_OF_AZURE_BASE,
    "AzureNetwork": _PART_OF_AZURE_BASE,
    "AzureNodePool": _PART_OF_AZURE_BASE,
    "AzureObjectStore": _PART_OF_AZURE_BASE,
    "AzurePlatform": "a part of Sensei: it hands objects of the program to the tiers, which no other language can pass",
    "AzurePostgres": _PART_OF_AZURE_BASE,
    "AzurePubSub": _PART_OF_AZURE_BASE,
    "DataEndpoint": "a part of ExecutionTier, one for each of `execution.data_endpoints`",
    "FabricDevices": "a part of AwsPlatform: elsewhere the site's own operator makes adapters known",
    "CertificateIssuer": _SERVICE,
    "CustomerEntrance": "a part of Sensei on the vendor's side of mode hybrid, whose agents stand behind it",
    "EdgeEntrance": "a part of Sensei, made where `edge` asks for it: its service stands behind it",
    "EdgeSync": "a part of Sensei, made where `edge` asks for it: it keeps what it reconciles in Sensei's object store",
    "GcpCluster": _PART_OF_GCP_BASE,
    "GcpDataAccess": _PART_OF_GCP_BASE,
    "GcpKey": _PART_OF_GCP_BASE,
    "GcpNetwork": _PART_OF_GCP_BASE,
    "GcpNodePool": _PART_OF_GCP_BASE,
    "GcpObjectStore": _PART_OF_GCP_BASE,
    "GcpPlatform": "a part of Sensei: it hands objects of the program to the tiers, which no other language can pass",
    "GcpPostgres": _PART_OF_GCP_BASE,
    "GcpPubSub": _PART_OF_GCP_BASE,
    "GcpServiceIdentities": "a part of GcpBase, made where `services` asks for it",
    "GpuDevices": "a part of AwsPlatform and GcpPlatform; elsewhere the site's own operator makes GPUs known",
    "GpuJobQueue": "a part of Sensei, made where `gpu.queue` asks for it",
    "GpuMetrics": "a part of Sensei, made where `gpu.metrics` asks for it",
    "GpuSpace": "a part of Sensei: the namespace of what watches and manages GPU machines",
    "HttpsGateway": _SERVICE,
    "Keda": "a part of Sensei: another program installs the chart before agents with `autoscale`",
    "ModelServer": "a part of CognitiveTier, whose outputs name it",
    "ModelWeights": "a part of CognitiveTier, made where weights lie on a volume",
    "Monitoring": _SERVICE,
    "NodePool": "a part of OnPremCluster and AwsCluster, which say where its machines are",
    "PostgresBackup": "a part of RelationalStore, where backups are asked for",
    "QueueScaler": "a part of AgentGroup, made where its agents follow a queue",
    "RayPool": "a part of ExecutionTier, whose outputs name it",
    "SecretSync": _SERVICE,
    "SmallModel": "a part of ExecutionTier, which tells its agents the address",
    "StoreBackup": "a part of each store, where backups are asked for",
    "VendorLink": "a part of Sensei on a customer's side of mode hybrid: it tells its agents the vendor's entrance",
    "AwsAccess": _RUNTIME,
    "AwsAccessLogs": _RUNTIME,
    "AwsApplications": _RUNTIMES,
    "AwsContainerCluster": _RUNTIME,
    "AwsContainerService": _RUNTIME,
    "AwsEntrance": _RUNTIME,
    "AwsFunctionService": _RUNTIME,
    "AwsPassword": _RUNTIME,
    "AwsQueue": _RUNTIME,
    "AwsRegions": "a part of AgentDb in mode geo, made for its layer `global` or for one of its regions",
    "AwsSharedFiles": _RUNTIME,
    "AwsTransit": "a part of AgentDb in mode geo, made for its layer `global` or for one of its regions",
    "AzureApplications": _RUNTIMES,
    "AzureFunctionService": _RUNTIME,
    "AzureRunCache": _RUNTIME,
    "AzureRunDatabase": _RUNTIME,
    "AzureRunEntrance": _RUNTIME,
    "AzureRunEnvironment": _RUNTIME,
    "AzureRunNetwork": _RUNTIME,
    "AzureRunQueue": _RUNTIME,
    "AzureRunSecrets": _RUNTIME,
    "CloudRunService": _RUNTIME,
    "ClusterService": _RUNTIMES,
    "GcpApplications": _RUNTIMES,
    "GcpRunCache": _RUNTIME,
    "GcpRunDatabase": _RUNTIME,
    "GcpRunEntrance": _RUNTIME,
    "GcpRunNetwork": _RUNTIME,
    "GcpRunQueue": _RUNTIME,
    "GcpRunSecrets": _RUNTIME,
    "EdgeCache": "a part of AgentDb in layer `edge` of mode hybrid-edge: it makes files, which `skerry render` writes",
    "EdgePlace": "a part of AgentDb in layer `edge`: says where answers are kept and writes go, and makes nothing",
    "LocalProcess": "a part of AetherGraph in the modes of one machine: it makes files, which `skerry render` writes",
    "OutsideService": "a part of AetherGraph: says who else answers it, and makes nothing",
    "PrivateNetwork": "what AzureNetwork and AzureRunNetwork inherit",
    "RegionPeer": "a part of AgentDb in mode geo, made for its layer `global` or for one of its regions",
    "ServiceEntrance": _RUNTIMES,
    "ServiceMonitoring": _RUNTIMES,
}
"""The components that are not, and why."""
