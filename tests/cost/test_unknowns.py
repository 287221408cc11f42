"""An unknown value at any place of any priced resource: never a crash, never a lower total without a word."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from cost.handlers import HANDLERS
from skerry.graph import UNKNOWN
from tests.simulators.cost_round_numbers import on_aws, priced

DISK = {"volumeSize": 50, "volumeType": "gp3", "iops": 4000, "throughput": 200}
CLAIM = {"spec": {"storageClassName": "fast", "resources": {"requests": {"storage": "10Gi"}}}}
SAMPLES: Mapping[str, dict[str, Any]] = {
    "aws:cloudwatch/logGroup:LogGroup": {"retentionInDays": 30},
    "aws:docdb/cluster:Cluster": {"engine": "docdb"},
    "aws:docdb/clusterInstance:ClusterInstance": {"instanceClass": "db.t3.medium"},
    "aws:ebs/volume:Volume": {"size": 50, "type": "gp3", "iops": 4000, "throughput": 200},
    "aws:ec2/eip:Eip": {"domain": "vpc"},
    "aws:ec2/instance:Instance": {"instanceType": "m6i.large", "rootBlockDevice": DISK, "ebsBlockDevices": [DISK]},
    "aws:ec2/natGateway:NatGateway": {"subnetId": "x"},
    "aws:ec2transitgateway/peeringAttachment:PeeringAttachment": {"peerRegion": "x"},
    "aws:ec2transitgateway/peeringAttachmentAccepter:PeeringAttachmentAccepter": {"region": "us-east-1"},
    "aws:ec2transitgateway/vpcAttachment:VpcAttachment": {"vpcId": "x"},
    "aws:ec2/vpc:Vpc": {"cidrBlock": "10.0.0.0/16"},
    "aws:ec2/vpcEndpoint:VpcEndpoint": {"vpcEndpointType": "Interface", "subnetIds": ["a", "b"]},
    "aws:ecr/repository:Repository": {"name": "x"},
    "aws:ecs/cluster:Cluster": {"settings": [{"name": "containerInsights", "value": "enabled"}]},
    "aws:ecs/service:Service": {"launchType": "FARGATE", "desiredCount": 2},
    "aws:efs/fileSystem:FileSystem": {"encrypted": True},
    "aws:eks/cluster:Cluster": {"version": "1.33", "upgradePolicy": {"supportType": "EXTENDED"}},
    "aws:eks/nodeGroup:NodeGroup": {
        "instanceTypes": ["m6i.large"],
        "capacityType": "ON_DEMAND",
        "diskSize": 30,
        "scalingConfig": {"minSize": 1, "desiredSize": 2, "maxSize": 3},
    },
    "aws:elasticache/replicationGroup:ReplicationGroup": {
        "engine": "valkey",
        "nodeType": "cache.r6g.large",
        "numCacheClusters": 3,
        "snapshotRetentionLimit": 7,
    },
    "aws:kms/key:Key": {"enableKeyRotation": True},
    "aws:lambda/function:Function": {"memorySize": 512, "ephemeralStorage": {"size": 1024}},
    "aws:lambda/provisionedConcurrencyConfig:ProvisionedConcurrencyConfig": {"provisionedConcurrentExecutions": 2},
    "aws:lb/loadBalancer:LoadBalancer": {"loadBalancerType": "network"},
    "aws:rds/cluster:Cluster": {"engine": "aurora-postgresql", "serverlessv2ScalingConfiguration": {"minCapacity": 1}},
    "aws:rds/clusterInstance:ClusterInstance": {"engine": "aurora-postgresql", "instanceClass": "db.r6g.large"},
    "aws:rds/instance:Instance": {
        "engine": "postgres",
        "instanceClass": "db.r6g.large",
        "allocatedStorage": 100,
        "maxAllocatedStorage": 200,
        "storageType": "gp3",
        "iops": 4000,
        "multiAz": True,
        "backupRetentionPeriod": 7,
        "manageMasterUserPassword": True,
    },
    "aws:route53/healthCheck:HealthCheck": {"type": "HTTPS", "requestInterval": 10, "measureLatency": True},
    "aws:route53/zone:Zone": {"name": "x.example"},
    "aws:s3/bucket:Bucket": {"bucket": "x"},
    "aws:s3/bucketV2:BucketV2": {"bucket": "x"},
    "aws:secretsmanager/secret:Secret": {"name": "x"},
    "aws:servicediscovery/privateDnsNamespace:PrivateDnsNamespace": {"name": "x.internal"},
    "aws:sqs/queue:Queue": {"fifoQueue": False},
    "aws:ssm/parameter:Parameter": {"type": "String", "tier": "Standard"},
    "aws:wafv2/webAcl:WebAcl": {"scope": "REGIONAL", "rules": [{"name": "x"}]},
    "azure-native:app:ContainerApp": {
        "template": {
            "containers": [{"resources": {"cpu": 0.5, "memory": "1Gi"}}],
            "scale": {"minReplicas": 1, "maxReplicas": 200},
        }
    },
    "azure-native:containerservice:AgentPool": {
        "vmSize": "Standard_F32s_v2",
        "enableAutoScaling": True,
        "minCount": 4,
        "maxCount": 128,
        "osDiskSizeGB": 128,
    },
    "azure-native:containerservice:ManagedCluster": {
        "sku": {"tier": "Standard"},
        "agentPoolProfiles": [{"name": "system", "vmSize": "Standard_D4s_v5", "count": 3}],
    },
    "azure-native:dbforpostgresql:Server": {
        "sku": {"name": "Standard_D2ds_v5"},
        "storage": {"storageSizeGB": 64},
        "highAvailability": {"mode": "ZoneRedundant"},
    },
    "azure-native:keyvault:Key": {"vaultName": "v"},
    "azure-native:keyvault:Secret": {"vaultName": "v"},
    "azure-native:network:ApplicationGateway": {
        "sku": {"tier": "WAF_v2"},
        "autoscaleConfiguration": {"minCapacity": 1, "maxCapacity": 10},
    },
    "azure-native:network:NatGateway": {"sku": {"name": "Standard"}},
    "azure-native:network:PrivateEndpoint": {"resourceGroupName": "g"},
    "azure-native:network:PublicIPAddress": {"sku": {"name": "Standard"}},
    "azure-native:network:VirtualNetwork": {"resourceGroupName": "g"},
    "azure-native:operationalinsights:Workspace": {"retentionInDays": 90},
    "azure-native:privatedns:PrivateZone": {"location": "Global"},
    "azure-native:redisenterprise:RedisEnterprise": {"sku": {"name": "Balanced_B5"}},
    "azure-native:servicebus:Namespace": {"sku": {"tier": "Premium", "capacity": 2}},
    "azure-native:storage:StorageAccount": {"sku": {"name": "Standard_ZRS"}, "accessTier": "Hot", "kind": "StorageV2"},
    "gcp:cloudrunv2/service:Service": {
        "template": {
            "containers": [{"resources": {"limits": {"cpu": "1000m", "memory": "512Mi"}, "cpuIdle": False}}],
            "scaling": {"minInstanceCount": 1, "maxInstanceCount": 100},
        }
    },
    "gcp:cloudrunv2/workerPool:WorkerPool": {
        "scaling": {"manualInstanceCount": 2},
        "template": {"containers": [{"resources": {"limits": {"cpu": "2", "memory": "1Gi"}}}]},
    },
    "gcp:compute/forwardingRule:ForwardingRule": {"portRange": "443"},
    "gcp:compute/globalForwardingRule:GlobalForwardingRule": {"portRange": "443"},
    "gcp:compute/network:Network": {"autoCreateSubnetworks": False},
    "gcp:compute/networkFirewallPolicyRule:NetworkFirewallPolicyRule": {"match": {"destFqdns": ["api.openai.com"]}},
    "gcp:compute/regionSecurityPolicy:RegionSecurityPolicy": {"rules": [{"priority": 1}, {"priority": 2147483647}]},
    "gcp:compute/routerNat:RouterNat": {"natIpAllocateOption": "AUTO_ONLY"},
    "gcp:compute/securityPolicy:SecurityPolicy": {"rules": [{"priority": 1}, {"priority": 2147483647}]},
    "gcp:container/cluster:Cluster": {"location": "us-central1"},
    "gcp:container/nodePool:NodePool": {
        "nodeLocations": ["us-central1-a"],
        "autoscaling": {"totalMinNodeCount": 1, "totalMaxNodeCount": 3},
        "nodeConfig": {"machineType": "n2-standard-8", "spot": True, "diskType": "pd-balanced", "diskSizeGb": 100},
    },
    "gcp:dns/managedZone:ManagedZone": {"dnsName": "googleapis.com."},
    "gcp:kms/cryptoKey:CryptoKey": {"rotationPeriod": "7776000s"},
    "gcp:pubsub/subscription:Subscription": {"topic": "t"},
    "gcp:pubsub/topic:Topic": {"name": "t"},
    "gcp:redis/instance:Instance": {"tier": "STANDARD_HA", "memorySizeGb": 5, "replicaCount": 2},
    "gcp:secretmanager/secretVersion:SecretVersion": {"secret": "s"},
    "gcp:sql/databaseInstance:DatabaseInstance": {
        "settings": {
            "tier": "db-custom-2-15360",
            "availabilityType": "REGIONAL",
            "diskType": "PD_SSD",
            "diskSize": 50,
            "backupConfiguration": {"enabled": True},
        },
    },
    "gcp:storage/bucket:Bucket": {"storageClass": "STANDARD"},
    "kubernetes:apps/v1:StatefulSet": {"spec": {"replicas": 3, "volumeClaimTemplates": [CLAIM]}},
    "kubernetes:core/v1:PersistentVolumeClaim": CLAIM,
    "kubernetes:core/v1:Service": {"spec": {"type": "LoadBalancer"}},
    "kubernetes:gateway.networking.k8s.io/v1:Gateway": {"spec": {}},
    "kubernetes:helm.sh/v3:Release": {"chart": "x"},
    "kubernetes:karpenter.sh/v1:NodePool": {"spec": {"limits": {"cpu": 100}}},
}
NONSENSE = (UNKNOWN, None, -1, "", "x", [], {}, [UNKNOWN], {"x": UNKNOWN}, True, 1e400, "٣")


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield every path into a value, the value itself left out."""
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in entries:
        yield (*path, key)
        yield from places(item, (*path, key))


def put(value: Any, path: tuple[Any, ...], planted: Any) -> Any:
    changed = copy.deepcopy(value)
    holder = changed
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = planted
    return changed


def total_of(kind: str, inputs: Any) -> tuple[Any, int]:
    builder = on_aws()
    driver = {"metadata": {"name": "fast"}, "provisioner": "ebs.csi.aws.com"}
    builder.add("kubernetes:storage.k8s.io/v1:StorageClass", "fast", driver)
    builder.add(kind, "it", inputs)
    found = priced(builder)
    return found.known, len(found.unknown)


def test_every_priced_type_has_a_sample() -> None:
    assert set(HANDLERS) == set(SAMPLES)


@pytest.mark.parametrize("kind", SAMPLES)
def test_an_unknown_never_lowers_a_total_without_a_word(kind: str) -> None:
    known, unknown = total_of(kind, SAMPLES[kind])
    for path in places(SAMPLES[kind]):
        changed, told = total_of(kind, put(SAMPLES[kind], path, UNKNOWN))
        assert (changed, told) == (known, unknown) or told > 0, f"{path} made {known} to {changed} in silence"


@pytest.mark.parametrize("kind", SAMPLES)
def test_nonsense_never_breaks_an_estimate(kind: str) -> None:
    for path in places(SAMPLES[kind]):
        for planted in NONSENSE:
            total_of(kind, put(SAMPLES[kind], path, planted))
