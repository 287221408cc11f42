"""What decides how many tasks of a service run: targets that AWS holds CPU, memory or waiting jobs at."""

from __future__ import annotations

from typing import Any, Final

import pulumi
from pulumi_aws import appautoscaling, ecs

from components.aws.application_site import Site, metric
from components.base import SkerryComponent
from skerry.application import Application

SCALE_IN_S: Final = 300
SCALE_OUT_S: Final = 60


def autoscale(
    parent: SkerryComponent, application: Application, site: Site, *, cluster: ecs.Cluster, service: ecs.Service
) -> None:
    """Hold each measure that the service names at its target, between its bounds.

    Args:
        parent: the service's component.
        application: the service.
        site: what it stands on.
        cluster: where it runs.
        service: it itself.
    """
    scale = application.spec.scale
    target = appautoscaling.Target(
        parent.child_name("scaling"),
        service_namespace="ecs",
        scalable_dimension="ecs:service:DesiredCount",
        resource_id=f"service/{site.name}-cluster/{application.name}-service",
        min_capacity=scale.minimum,
        max_capacity=scale.maximum,
        opts=parent.child_options(depends_on=[service]),
    )
    measures: dict[str, dict[str, Any]] = {}
    for name, percent, kind in (
        ("cpu", scale.cpu_percent, "ECSServiceAverageCPUUtilization"),
        ("memory", scale.memory_percent, "ECSServiceAverageMemoryUtilization"),
    ):
        if percent is not None:
            predefined = {"predefined_metric_specification": {"predefined_metric_type": kind}}
            measures[name] = {"target_value": percent, **predefined}
    if scale.queue_depth is not None:
        backlog = _backlog(site.queue_name, cluster.name, service.name, scale.queue_depth)
        measures["queue"] = {"target_value": scale.queue_depth, "customized_metric_specification": backlog}
    for name, measure in measures.items():
        appautoscaling.Policy(
            parent.child_name(f"{name}-scaling"),
            name=f"{name}-scaling",
            policy_type="TargetTrackingScaling",
            service_namespace=target.service_namespace,
            scalable_dimension=target.scalable_dimension,
            resource_id=target.resource_id,
            target_tracking_scaling_policy_configuration={
                **measure, "scale_in_cooldown": SCALE_IN_S, "scale_out_cooldown": SCALE_OUT_S,
            },
            opts=parent.child_options(),
        )  # fmt: skip


def _backlog(
    queue: pulumi.Input[str] | None, cluster: pulumi.Input[str], service: pulumi.Input[str], depth: int
) -> dict[str, Any]:
    """Return how many jobs there are for each task, as CloudWatch reckons it.

    Where no task runs, one job is more than the target: autoscaling starts a task only where that is passed, and up to
    `depth` jobs would wait for ever. What is being done counts, so that the last task is not taken away meanwhile.

    Source: aws/copilot-cli issues 3376 and 3054 with the words of Amazon ECS on a capacity of 0, read 2026-11.
    """
    of_queue = [{"name": "QueueName", "value": queue}]
    running = metric(
        "RunningTaskCount",
        "ECS/ContainerInsights",
        [{"name": "ClusterName", "value": cluster}, {"name": "ServiceName", "value": service}],
        "Average",
    )
    figures = {
        "waiting": metric("ApproximateNumberOfMessagesVisible", "AWS/SQS", of_queue, "Maximum"),
        "taken": metric("ApproximateNumberOfMessagesNotVisible", "AWS/SQS", of_queue, "Maximum"),
        "running": running,
    }
    jobs = "(waiting + FILL(taken, 0))"
    return {
        "metrics": [
            *({"id": name, "metric_stat": one, "return_data": False} for name, one in figures.items()),
            {
                "id": "backlog",
                "label": "jobs for each task",
                "expression": f"IF(FILL(running, 0) > 0, {jobs} / FILL(running, 0), {jobs} * {depth + 1})",
                "return_data": True,
            },
        ]
    }
