"""Connections between a namespace of the services and single pods of a tier, opened at both ends and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pulumi
from pulumi_kubernetes.networking.v1 import NetworkPolicy

from components.base import SkerryComponent
from components.kubernetes.cluster import Cluster
from components.kubernetes.peers import blocks, namespace_peer, ports
from components.kubernetes.workload import NAME_LABEL

EVERY_POD: Final[Mapping[str, Any]] = {}


def named(name: str) -> dict[str, Any]:
    """Return the selector of the pods of a workload of ours."""
    return {"matchLabels": {NAME_LABEL: name}}


@dataclass(frozen=True, slots=True)
class Opening:
    """Who may call some pods, on some ports, and why."""

    role: str
    """Part of the policy's name."""
    namespace: str
    """Where the called pods are."""
    pods: Mapping[str, Any]
    """Their selector."""
    ports: tuple[int, ...]
    """Ports of the pods, which need not be those of a Service."""


def open_for(
    parent: SkerryComponent,
    cluster: Cluster,
    source: str | None,
    caller: Mapping[str, Any],
    openings: Sequence[Opening],
    *,
    addresses: Sequence[pulumi.Input[str]] = (),
    depends_on: Sequence[pulumi.Resource] = (),
) -> None:
    """Make the policies of each opening: at the called pods, and at the caller where that namespace is ours.

    Args:
        parent: the component that needs them.
        cluster: where they are made.
        source: the namespace of the caller; None where it calls from `addresses` alone.
        caller: the selector of the calling pods.
        openings: what is called.
        addresses: from where a caller outside the cluster's pods calls.
        depends_on: the namespaces.
    """
    options = parent.child_options(depends_on=list(depends_on))
    who = blocks(addresses)
    if source is not None:
        who += [{**namespace_peer(source), "podSelector": dict(caller)}]
    for opening in openings:
        NetworkPolicy(
            parent.child_name(f"to-{opening.role}"),
            metadata=_metadata(cluster, parent, opening.role, opening.namespace),
            spec={
                "podSelector": dict(opening.pods),
                "policyTypes": ["Ingress"],
                "ingress": [{"from": who, "ports": ports(opening.ports)}],
            },
            opts=options,
        )


def leave_for(
    parent: SkerryComponent,
    cluster: Cluster,
    source: str,
    caller: Mapping[str, Any],
    openings: Sequence[Opening],
    *,
    depends_on: Sequence[pulumi.Resource] = (),
) -> None:
    """Make the one policy by which a caller in a namespace of ours reaches all its openings."""
    rules = [
        {
            "to": [
                {
                    **namespace_peer(opening.namespace),
                    "podSelector": dict(opening.pods),
                }
            ],
            "ports": ports(opening.ports),
        }
        for opening in openings
        if opening.namespace != source
    ]
    if rules:
        egress(parent, cluster, "out", source, caller, rules, depends_on=depends_on)


def egress(
    parent: SkerryComponent,
    cluster: Cluster,
    role: str,
    namespace: str,
    caller: Mapping[str, Any],
    rules: Sequence[Mapping[str, Any]],
    *,
    depends_on: Sequence[pulumi.Resource] = (),
) -> None:
    """Make a policy by which some pods may call what `rules` name."""
    NetworkPolicy(
        parent.child_name(role),
        metadata=_metadata(cluster, parent, role, namespace),
        spec={"podSelector": dict(caller), "policyTypes": ["Egress"], "egress": [dict(rule) for rule in rules]},
        opts=parent.child_options(depends_on=list(depends_on)),
    )


def _metadata(cluster: Cluster, parent: SkerryComponent, role: str, namespace: str) -> dict[str, Any]:
    return {"name": parent.child_name(f"allow-{role}"), "namespace": namespace, "labels": dict(cluster.labels)}
