"""How ECS exchanges the tasks of a service: one after another, or beside each other with callers moved over."""

from __future__ import annotations

from typing import Any, Final

import pulumi
from pulumi_aws import iam, lb

from components.aws.permissions import trust_of
from components.base import SkerryComponent
from skerry.config.delivery import DeliverySpec, Strategy

MOVES_CALLERS: Final = "arn:aws:iam::aws:policy/AmazonECSInfrastructureRolePolicyForLoadBalancers"
"""Source: Amazon ECS "Application Load Balancer resources for blue/green, linear, and canary deployments" and the
reference of AWS managed policies (of the latter not opened; check before relying on it)."""


def deployment_of(delivery: DeliverySpec) -> dict[str, Any]:
    """Return how a service exchanges its tasks.

    Source: Amazon ECS API, DeploymentConfiguration, as botocore 1.44.5 has it: the circuit breaker is of rolling
    deployments alone.
    """
    watch = f"{delivery.watch_minutes}"
    if delivery.strategy is Strategy.BLUE_GREEN:
        return {"deployment_configuration": {"strategy": "BLUE_GREEN", "bake_time_in_minutes": watch}}
    if delivery.strategy is Strategy.CANARY:
        first = {"canary_percent": float(delivery.percent or 0), "canary_bake_time_in_minutes": watch}
        told = {"strategy": "CANARY", "canary_configuration": first, "bake_time_in_minutes": watch}
        return {"deployment_configuration": told}
    return {"deployment_circuit_breaker": {"enable": True, "rollback": True}}


def moved_by(parent: SkerryComponent, other: lb.TargetGroup, rule: lb.ListenerRule) -> dict[str, Any]:
    """Make the role by which ECS moves callers from one group of tasks to the other, and return what it is told."""
    role = iam.Role(
        parent.child_name("moves", 56), assume_role_policy=trust_of("ecs.amazonaws.com"), opts=parent.child_options()
    )
    may = iam.RolePolicyAttachment(
        parent.child_name("moves"), role=role.name, policy_arn=MOVES_CALLERS, opts=parent.child_options()
    )
    return {
        "alternate_target_group_arn": other.arn,
        "production_listener_rule": rule.arn,
        # Known only once the role may do what it is for.
        "role_arn": pulumi.Output.all(role.arn, may.id).apply(lambda got: got[0]),
    }
