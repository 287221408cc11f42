"""Services on ECS and Lambda, seen in the graph: the numbers of AgentDB's analysis, a new service, what is opened."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from skerry.facts import Tier, facts_of
from skerry.graph import UNKNOWN, Resource, ResourceGraph, plain
from tests.simulators.aws_service_stacks import (
    ECS,
    LAMBDA,
    PROGRAM_DEFAULTS,
    REGISTRY,
    REPLICATION_DEFAULTS,
    STACKS,
    changed,
    everything,
    graph,
    one_service,
    run,
    services,
)

TASK, SERVICE = "aws:ecs/taskDefinition:TaskDefinition", "aws:ecs/service:Service"
TARGET, POLICY = "aws:appautoscaling/target:Target", "aws:appautoscaling/policy:Policy"
FUNCTION, GROUP = "aws:lambda/function:Function", "aws:lb/targetGroup:TargetGroup"
BALANCER, LISTENER = "aws:lb/loadBalancer:LoadBalancer", "aws:lb/listener:Listener"
RULE = "aws:lb/listenerRule:ListenerRule"
DATABASE, QUEUE = "aws:rds/instance:Instance", "aws:sqs/queue:Queue"
WAY_IN = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
WAY_OUT = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"


def one(found: ResourceGraph, kind: str, name: str = "") -> Resource:
    """Return the one resource of a type, or of a type and a name."""
    rows = [row for row in found.of_type(kind) if name in ("", row.name)]
    assert len(rows) == 1, (kind, name, [row.name for row in rows])
    return rows[0]


def inputs(resource: Resource) -> dict[str, Any]:
    return dict(plain(resource.inputs))


def container(found: ResourceGraph, name: str) -> dict[str, Any]:
    (row,) = json.loads(inputs(one(found, TASK, f"{name}-task"))["containerDefinitions"])
    return dict(row)


@pytest.fixture(scope="module")
def whole() -> ResourceGraph:
    """Services of all kinds with all stores."""
    return run(services(everything()), {"skerry:apiKey": "only-of-this-test"})


@pytest.mark.parametrize("stack", STACKS)
def test_the_resources_of_a_stack_have_the_names_on_record(stack: str, golden: Callable[[str, str], None]) -> None:
    rows = [f"{row.type}  {row.urn}" for row in graph(stack).resources]
    golden(f"urns-{stack}.txt", "\n".join(rows) + "\n")


# -- AgentDB on ECS: 003:3061 to 3316 ----------------------------------------------------------------------------------


def test_tasks_are_of_the_size_that_512_mib_has_on_fargate() -> None:
    task = inputs(one(graph(ECS), TASK))
    assert (task["cpu"], task["memory"], task["networkMode"]) == ("256", "512", "awsvpc")
    assert (task["family"], task["requiresCompatibilities"]) == ("agentdb", ["FARGATE"])
    assert task["runtimePlatform"] == {"operatingSystemFamily": "LINUX", "cpuArchitecture": "X86_64"}


def test_the_container_has_the_ports_the_image_and_no_secret_in_plain_text() -> None:
    row = container(graph(ECS), "agentdb")
    assert row["image"] == f"{REGISTRY}/agentdb:2.0.0"
    assert row["portMappings"] == [
        {"containerPort": 8080, "protocol": "tcp"},
        {"containerPort": 4433, "protocol": "udp"},
    ]
    plain_values = {item["name"]: item["value"] for item in row["environment"]}
    assert plain_values == {
        "DATABASE_MODE": "graph",
        "NODE_ENV": "production",
        "QUIC_ENABLED": "true",
        **PROGRAM_DEFAULTS,
        **REPLICATION_DEFAULTS,
    }
    kept = {item["name"]: item["valueFrom"] for item in row["secrets"]}
    names = ("HOST", "NAME", "PASSWORD", "PORT", "USER")
    assert kept == {f"DATABASE_{name}": f"/{ECS}/agentdb/DATABASE_{name}" for name in names}
    assert row["user"] == "65532" and row["linuxParameters"]["capabilities"] == {"drop": ["ALL"]}


def test_one_service_of_two_tasks_whose_number_is_autoscalings() -> None:
    service = one(graph(ECS), SERVICE)
    values = inputs(service)
    assert (values["name"], values["desiredCount"]) == ("agentdb-service", 2)
    assert service.ignore_changes == ("desiredCount",)
    assert values["capacityProviderStrategies"] == [{"capacityProvider": "FARGATE", "base": 2, "weight": 1}]
    assert values["networkConfiguration"]["assignPublicIp"] is False
    assert len(values["networkConfiguration"]["subnets"]) == 3
    assert values["deploymentCircuitBreaker"] == {"enable": True, "rollback": True}
    (balancer,) = values["loadBalancers"]
    assert (balancer["containerName"], balancer["containerPort"]) == ("agentdb", 8080)


def test_tasks_go_from_2_to_20_at_70_percent_of_cpu() -> None:
    target, policy = inputs(one(graph(ECS), TARGET)), inputs(one(graph(ECS), POLICY))
    assert (target["minCapacity"], target["maxCapacity"]) == (2, 20)
    assert target["resourceId"] == "service/agentdb-cluster/agentdb-service"
    assert (target["serviceNamespace"], target["scalableDimension"]) == ("ecs", "ecs:service:DesiredCount")
    tracking = policy["targetTrackingScalingPolicyConfiguration"]
    assert (policy["name"], policy["policyType"]) == ("cpu-scaling", "TargetTrackingScaling")
    assert (tracking["targetValue"], tracking["predefinedMetricSpecification"]["predefinedMetricType"]) == (
        70,
        "ECSServiceAverageCPUUtilization",
    )
    assert inputs(one(graph(ECS), "aws:ecs/cluster:Cluster"))["name"] == "agentdb-cluster"


def test_the_load_balancer_ends_tls_asks_for_health_and_has_the_name() -> None:
    found = graph(ECS)
    health = inputs(one(found, GROUP))["healthCheck"]
    assert (health["path"], inputs(one(found, GROUP))["port"]) == ("/health", 8080)
    https = inputs(one(found, LISTENER, "entrance-public-https"))
    assert (https["port"], https["protocol"], https["certificateArn"]) == (443, "HTTPS", UNKNOWN)
    http = inputs(one(found, LISTENER, "entrance-public-http"))
    assert http["defaultActions"][0]["redirect"]["protocol"] == "HTTPS"
    record = inputs(one(found, "aws:route53/record:Record", "entrance-public-agentdb-name"))
    assert (record["name"], record["type"]) == ("agentdb.example.com", "A")
    assert inputs(one(found, "aws:acm/certificate:Certificate"))["domainName"] == "agentdb.example.com"
    balancer = inputs(one(found, BALANCER))
    assert (balancer["idleTimeout"], balancer["enableDeletionProtection"], balancer["internal"]) == (70, True, False)


def test_postgres_is_in_two_zones_with_100_gb_and_a_week_of_backups() -> None:
    database = inputs(one(graph(ECS), DATABASE))
    assert (database["instanceClass"], database["multiAz"]) == ("db.t3.medium", True)
    assert (database["allocatedStorage"], database["storageType"], database["backupRetentionPeriod"]) == (100, "gp3", 7)
    assert database["storageEncrypted"] is True and database["publiclyAccessible"] is False
    assert "iops" not in database, "below 400 GiB RDS has 3,000 and no more (003: IOPS trap)"


def test_callers_are_bounded_by_address() -> None:
    (rule,) = inputs(one(graph(ECS), "aws:wafv2/webAcl:WebAcl"))["rules"]
    bound = rule["statement"]["rateBasedStatement"]
    assert (bound["limit"], bound["evaluationWindowSec"], rule["action"]) == (6000, 60, {"block": {}})


def test_replicas_reach_each_other_over_quic_and_nobody_else_does() -> None:
    way = inputs(one(graph(ECS), WAY_IN, "applications-access-agentdb-quic"))
    assert (way["ipProtocol"], way["fromPort"], way["toPort"]) == ("udp", 4433, 4433)
    source = one(graph(ECS), WAY_IN, "applications-access-agentdb-quic").property_dependencies
    assert source["referencedSecurityGroupId"] == source["securityGroupId"], "only its own group may call it"
    assert one(graph(ECS), "aws:servicediscovery/service:Service").inputs["name"] == "agentdb"


def test_the_profile_production_is_two_vcpu_and_not_1024_units() -> None:
    """003:5935 to 5956: 2 to 10 tasks of 2 vCPU and 4 GB."""
    scale = {"minimum": 2, "typical": 3, "maximum": 10, "cpu_percent": 70}
    given = changed(ECS, agentdb__profile="production", agentdb__vcpu=2, agentdb__memory_mib=4096, agentdb__scale=scale)
    found = run(given)
    task, target = inputs(one(found, TASK)), inputs(one(found, TARGET))
    assert (task["cpu"], task["memory"]) == ("2048", "4096")
    assert (target["minCapacity"], target["maxCapacity"]) == (2, 10)
    assert inputs(one(found, DATABASE))["allocatedStorage"] == 100


# -- AgentDB on Lambda: 003:3803 to 3998 -------------------------------------------------------------------------------


def test_the_function_has_the_size_and_the_end_of_the_analysis() -> None:
    function = inputs(one(graph(LAMBDA), FUNCTION))
    assert (function["name"], function["memorySize"], function["timeout"]) == ("agentdb-api", 512, 30)
    assert (function["packageType"], function["publish"]) == ("Image", True)
    assert "runtime" not in function, "an image has its own: none of AWS's can reach its end of life"
    variables = function["environment"]["variables"]
    assert (variables["DATABASE_MODE"], variables["QUIC_ENABLED"]) == ("graph", "false")
    assert function["ephemeralStorage"] == {"size": 512}
    assert "reservedConcurrentExecutions" not in function, "1000 are all that an account has"


def test_two_functions_are_prepared_behind_an_alias_of_a_published_version() -> None:
    found = graph(LAMBDA)
    prepared = inputs(one(found, "aws:lambda/provisionedConcurrencyConfig:ProvisionedConcurrencyConfig"))
    assert (prepared["provisionedConcurrentExecutions"], prepared["qualifier"]) == (2, "live")
    alias = one(found, "aws:lambda/alias:Alias")
    assert alias.property_dependencies["functionVersion"] == (one(found, FUNCTION).urn,)
    permission = inputs(one(found, "aws:lambda/permission:Permission"))
    assert (permission["principal"], permission["qualifier"]) == ("elasticloadbalancing.amazonaws.com", "live")
    assert inputs(one(found, GROUP))["targetType"] == "lambda"


# -- any service ------------------------------------------------------------------------------------------------------


def test_a_service_of_no_catalogue_stands_on_ecs_by_configuration_alone() -> None:
    found = run(services(one_service("ecs")))
    row = container(found, "greeter")
    assert row["portMappings"] == [{"containerPort": 3000, "protocol": "tcp"}]
    assert row["environment"] == [{"name": "GREETING", "value": "hello"}]
    task = inputs(one(found, TASK))
    assert (task["cpu"], task["memory"]) == ("1024", "2048")
    assert inputs(one(found, GROUP))["healthCheck"]["path"] == "/healthz"
    assert inputs(one(found, BALANCER))["idleTimeout"] == 130
    assert inputs(one(found, TARGET))["resourceId"] == f"service/{ECS}-cluster/greeter-service"
    (rule,) = found.of_type(RULE)
    assert inputs(rule)["conditions"] == [{"hostHeader": {"values": ["greeter.example.com"]}}]


def test_the_same_service_stands_on_lambda_when_its_runtime_is_changed() -> None:
    found = run(services(one_service("lambda")))
    function = inputs(one(found, FUNCTION))
    assert (function["memorySize"], function["timeout"], function["reservedConcurrentExecutions"]) == (2048, 120, 50)
    assert function["environment"]["variables"]["GREETING"] == "hello"
    assert [row.name for row in found.of_type(SERVICE, "aws:ecs/cluster:Cluster")] == []


def test_a_second_port_of_a_service_with_an_entrance_is_for_the_other_services() -> None:
    plan = one_service("ecs")
    plan["services"]["greeter"]["definition"]["ports"] = {"http": {"port": 3000}, "admin": {"port": 3001}}
    ways = {row.name: inputs(row)["fromPort"] for row in run(services(plan)).of_type(WAY_IN)}
    assert {name: port for name, port in ways.items() if name.startswith("applications-access")} == {
        "applications-access-greeter-admin": 3001,
        "applications-access-greeter-from-public": 3000,
    }


@pytest.mark.parametrize("runtime", ["ecs", "lambda"])
def test_a_service_of_the_catalogue_is_put_there_by_its_name(runtime: str) -> None:
    plan = one_service(runtime, service="stand-in", definition=None, image=f"{REGISTRY}/stand-in:1.0.0")
    del plan["services"]["greeter"]["definition"]
    found = run(services(plan))
    assert inputs(one(found, RULE))["conditions"] == [{"hostHeader": {"values": ["greeter.example.com"]}}]
    if runtime == "ecs":
        assert container(found, "greeter")["portMappings"] == [{"containerPort": 8080, "protocol": "tcp"}]
        assert (inputs(one(found, TASK))["cpu"], inputs(one(found, TASK))["memory"]) == ("256", "512")
    else:
        assert inputs(one(found, FUNCTION))["memorySize"] == 128


def test_another_minimum_or_share_of_spot_does_not_replace_a_service() -> None:
    assert inputs(one(graph(ECS), SERVICE))["forceNewDeployment"] is True


def test_without_callers_outside_there_is_no_entrance_and_no_public_subnet() -> None:
    plan = one_service("ecs", exposure="none", host=None)
    found = run(services({"services": plan["services"]}))
    kinds = {row.type for row in found.resources}
    assert BALANCER not in kinds
    assert not {kind for kind in kinds if "internetGateway" in kind or "natGateway" in kind}
    ports = [inputs(row)["serviceName"].rsplit(".", 1)[-1] for row in found.of_type("aws:ec2/vpcEndpoint:VpcEndpoint")]
    assert sorted(ports) == ["api", "dkr", "logs", "s3"]


def test_an_image_from_elsewhere_needs_a_way_out() -> None:
    found = run(services(one_service("ecs", image="registry.vendor.example/greeter:1")))
    assert len(list(found.of_type("aws:ec2/natGateway:NatGateway"))) == 3
    out = inputs(one(found, WAY_OUT, "applications-access-to-https"))
    assert out["cidrIpv4"] == "0.0.0.0/0"


def test_spot_never_stands_alone(whole: ResourceGraph) -> None:
    assert inputs(one(whole, SERVICE, "web-service"))["capacityProviderStrategies"] == [
        {"capacityProvider": "FARGATE", "base": 2, "weight": 3},
        {"capacityProvider": "FARGATE_SPOT", "weight": 7},
    ]


def test_jobs_are_nobody_elses_for_longer_than_they_may_take(whole: ResourceGraph) -> None:
    jobs, dead = (
        inputs(one(whole, QUEUE, "applications-queue-jobs")),
        inputs(one(whole, QUEUE, "applications-queue-dead")),
    )
    assert jobs["visibilityTimeoutSeconds"] == 760, "700 s and a minute, which is more than six times 120 s"
    assert dead["messageRetentionSeconds"] == 14 * 86_400
    mapping = inputs(one(whole, "aws:lambda/eventSourceMapping:EventSourceMapping"))
    assert mapping["scalingConfig"] == {"maximumConcurrency": 40}


BACKLOG: Mapping[str, tuple[tuple[int, int | None, int | None], float]] = {
    "nothing waits and nothing runs": ((0, 0, 0), 0),
    "one job and no task: more than the target of 5, or nothing would ever start": ((1, 0, 0), 6),
    "a cluster that tells no number of tasks yet": ((1, None, None), 6),
    "ten jobs for two tasks": ((10, 0, 2), 5),
    "the last job is being done": ((0, 1, 1), 1),
}
"""What is so -> (waiting, taken, running tasks), and the jobs for each task that autoscaling reads."""


@pytest.mark.parametrize("case", BACKLOG)
def test_autoscaling_reads_how_many_jobs_there_are_for_each_task(whole: ResourceGraph, case: str) -> None:
    (waiting, taken, running), expected = BACKLOG[case]
    policy = inputs(one(whole, POLICY, "worker-queue-scaling"))["targetTrackingScalingPolicyConfiguration"]
    *figures, backlog = policy["customizedMetricSpecification"]["metrics"]
    assert policy["targetValue"] == 5
    assert [row["id"] for row in figures] == ["waiting", "taken", "running"]
    assert [row["id"] for row in (*figures, backlog) if row["returnData"]] == ["backlog"]
    assert expected == reckoned(backlog["expression"], waiting=waiting, taken=taken, running=running)


class LikeCloudWatch(ast.NodeTransformer):
    """Writes `IF(a, b, c)` as Python does, which looks at one of the two alone."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and node.func.id == "IF":
            test, then, otherwise = node.args
            return ast.IfExp(test, then, otherwise)
        return node


def reckoned(expression: str, **figures: int | None) -> Any:
    tree = ast.fix_missing_locations(LikeCloudWatch().visit(ast.parse(expression, mode="eval")))
    fill = {"FILL": lambda value, instead: instead if value is None else value}
    return eval(compile(tree, "expression", "eval"), {**fill, **figures})


def test_functions_held_ready_follow_their_use(whole: ResourceGraph) -> None:
    target = inputs(one(whole, TARGET, "thumb-scaling"))
    assert (target["resourceId"], target["minCapacity"], target["maxCapacity"]) == ("function:thumb:live", 2, 8)
    assert one(whole, "aws:lambda/provisionedConcurrencyConfig:ProvisionedConcurrencyConfig").ignore_changes == (
        "provisionedConcurrentExecutions",
    )


def test_a_secret_reaches_a_function_by_name_and_never_as_a_value(whole: ResourceGraph) -> None:
    variables = inputs(one(whole, FUNCTION))["environment"]["variables"]
    assert variables == {"API_KEY_PARAMETER_NAME": f"/{ECS}/thumb/API_KEY"}
    kept = inputs(one(whole, "aws:ssm/parameter:Parameter", "thumb-value-apikey-ccae6d"))
    assert (kept["type"], kept["name"]) == ("SecureString", f"/{ECS}/thumb/API_KEY")


def test_rules_of_a_load_balancer_have_at_most_five_values(whole: ResourceGraph) -> None:
    rules = [inputs(row) for row in whole.of_type(RULE) if row.name.startswith("entrance-public-web")]
    assert len(rules) == 2, "three ranges and two paths are two rules"
    for rule in rules:
        values = [value for row in rule["conditions"] for part in row.values() for value in part["values"]]
        assert len(values) <= 5
    ranges = [
        value for rule in rules for row in rule["conditions"] for value in row.get("sourceIp", {}).get("values", [])
    ]
    assert sorted(ranges) == ["192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24"]
    priorities = [inputs(row)["priority"] for row in whole.of_type(RULE)]
    assert len(set(priorities)) == len(priorities) and {1 <= one <= 50_000 for one in priorities} == {True}


def test_grpc_is_called_over_http2_and_internally(whole: ResourceGraph) -> None:
    group = inputs(one(whole, GROUP, "inside-tg"))
    assert (group["protocolVersion"], group["port"], group["healthCheck"]["matcher"]) == ("GRPC", 50051, "0-99")
    balancer = one(whole, BALANCER, "entrance-internal-alb")
    assert inputs(balancer)["internal"] is True
    (row,) = [inputs(r) for r in whole.of_type(WAY_IN) if r.name == "entrance-internal-from-443-0"]
    assert row["cidrIpv4"] == "10.60.0.0/18"


def test_nothing_but_the_public_entrance_is_open_to_the_world() -> None:
    for stack in STACKS:
        world = [row.name for row in graph(stack).of_type(WAY_IN) if inputs(row).get("cidrIpv4") == "0.0.0.0/0"]
        assert sorted(world) == ["entrance-public-from-443-0", "entrance-public-from-80-0"]


def test_files_that_tasks_share_are_encrypted_mounted_by_tls_and_of_one_user(whole: ResourceGraph) -> None:
    (volume,) = inputs(one(whole, TASK, "web-task"))["volumes"]
    assert volume["efsVolumeConfiguration"]["transitEncryption"] == "ENABLED"
    assert volume["efsVolumeConfiguration"]["authorizationConfig"]["iam"] == "ENABLED"
    system = one(whole, "aws:efs/fileSystem:FileSystem")
    assert inputs(system)["encrypted"] is True and system.protect and system.retain_on_delete
    assert len(list(whole.of_type("aws:efs/mountTarget:MountTarget"))) == 3
    assert container(whole, "web")["mountPoints"][0]["containerPath"] == "/var/lib/greeter"


def test_facts_tell_readers_what_runs(whole: ResourceGraph) -> None:
    rows = {row.name: facts_of(row) for row in whole.resources if row.type.startswith("skerry:index:")}
    web, thumb = rows["web"], rows["thumb"]
    assert web is not None and thumb is not None and web.scaling is not None and thumb.scaling is not None
    assert (web.tier, web.role, web.scaling.maximum, web.scaling.autoscaler) == (Tier.EXECUTION, "service", 12, "ecs")
    assert (thumb.scaling.minimum, thumb.scaling.autoscaler) == (2, "lambda")
    assert [image.reference for image in web.images] == [f"{REGISTRY}/greeter:1.0.0"]
    assert [row.host for row in web.endpoints] == ["api.vendor.example", "erp.corp.example"]
    files, queue = rows["web-files"], rows["applications-queue"]
    assert files is not None and files.tier is Tier.META and files.stateful
    assert queue is not None and (queue.tier, queue.guarantee) == (Tier.CHANNELS, "at-least-once")


def test_stores_are_protected_and_retained(whole: ResourceGraph) -> None:
    stores = (DATABASE, QUEUE, "aws:s3/bucket:Bucket", "aws:efs/fileSystem:FileSystem", "aws:kms/key:Key",
              "aws:elasticache/replicationGroup:ReplicationGroup", "aws:ecr/repository:Repository")  # fmt: skip
    for kind in stores:
        found = list(whole.of_type(kind))
        assert found and {(row.protect, row.retain_on_delete) for row in found} == {(True, True)}, kind


def test_a_change_of_size_is_told_with_its_arithmetic() -> None:
    found = run(services(one_service("ecs", vcpu=0.5, memory_mib=None)))
    assert (inputs(one(found, TASK))["cpu"], inputs(one(found, TASK))["memory"]) == ("512", "2048")
