"""Peerings with the VPCs that the customer's databases stand in, and the routes into them."""

from __future__ import annotations

from typing import Any

import pulumi
from pulumi_aws import ec2

from components.base import SkerryComponent
from skerry.config.data_access import DataRoute
from skerry.config.spec import DeploymentSpec


def peering_routes(owner: SkerryComponent, spec: DeploymentSpec, vpc_id: pulumi.Input[str]) -> list[dict[str, Any]]:
    """Ask for a peering with each VPC that is named, once, and return the routes of its databases' ranges.

    They go into the route tables as these are made: a table with routes inside takes away every other.
    Source: terraform-provider-aws aws_route_table, the note on in-line routes (not opened; check before relying on it).

    Args:
        owner: the network, whose children the peerings are.
        spec: the deployment; `execution.data_endpoints` names the databases.
        vpc_id: the deployment's own.
    """
    made: dict[str, ec2.VpcPeeringConnection] = {}
    routes: dict[str, dict[str, Any]] = {}
    for row in spec.execution.data_endpoints:
        if row.route is not DataRoute.PEERING:
            continue
        peer = f"{row.peer}"
        own_region = row.peer_region in (None, spec.target.region)
        if peer not in made:
            made[peer] = ec2.VpcPeeringConnection(
                owner.child_name(f"peering-{peer}"),
                vpc_id=vpc_id,
                peer_vpc_id=peer,
                peer_owner_id=row.peer_account,
                peer_region=None if own_region else row.peer_region,
                # Another account or region accepts it there: until then nothing goes through.
                auto_accept=row.peer_account is None and own_region,
                opts=owner.child_options(),
            )
        for block in row.cidrs:
            routes[block] = {"cidr_block": block, "vpc_peering_connection_id": made[peer].id}
    return [routes[block] for block in sorted(routes)]
