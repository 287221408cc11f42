"""Several regions as one service on AWS: names that lead to the nearest healthy one, and ways between all pairs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import pulumi
from pulumi_aws import ec2transitgateway, route53

from components.aws.base import aws_provider
from components.base import SkerryComponent
from components.clouds.base_stack import output_of
from components.configuration import FlatConfig
from skerry.config.geo import GeoRegionSpec, GeoSpec
from skerry.config.spec import DeploymentSpec
from skerry.facts import ComponentFacts, EndpointFact, Tier

HEALTH_PATH: Final = "/health"
HTTPS: Final = 443
NEAREST: Final = "nearest"


@dataclass(frozen=True, slots=True)
class Region:
    """One region as the others see it."""

    name: str
    spec: GeoRegionSpec
    base: pulumi.StackReference


class AwsRegions(SkerryComponent):
    """Joins regions that stand: transit gateways peered in pairs, health checks, and records that heed both."""

    def __init__(
        self,
        name: str,
        spec: DeploymentSpec,
        geo: GeoSpec,
        config: FlatConfig,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make names and ways.

        Args:
            name: the component's name.
            spec: the deployment.
            geo: the regions; each has its addresses.
            config: the flat value `organization` where the state backend knows any.
            opts: Pulumi's options.
        """
        super().__init__(name, _facts(spec, geo), opts)
        organization = config.get("organization") or "organization"
        project = f"{organization}/{pulumi.get_project()}"
        self._geo = geo
        self._provider = aws_provider(self, spec)
        self._regions = [
            Region(one, row, pulumi.StackReference(f"{project}/{row.base_stack}"))
            for one, row in sorted(geo.regions.items())
        ]
        for first, second in combinations(self._regions, 2):
            self._pair(first, second)
        self._private_names()
        self._public_names()
        self.finish(endpoint=geo.host, port=HTTPS, secret_ref=None, metrics_endpoint=None)

    def _made(self, *after: pulumi.Resource) -> pulumi.ResourceOptions:
        return self.child_options(provider=self._provider, depends_on=list(after))

    def _pair(self, first: Region, second: Region) -> None:
        """Join the gateways of two regions, and route each one's addresses to the other."""
        pair = f"{first.name}-{second.name}"
        asked = ec2transitgateway.PeeringAttachment(
            self.child_name(f"peering-{pair}"),
            region=first.spec.region,
            transit_gateway_id=output_of(first.base, "transitGatewayId"),
            peer_region=second.spec.region,
            peer_transit_gateway_id=output_of(second.base, "transitGatewayId"),
            opts=self._made(),
        )
        taken = ec2transitgateway.PeeringAttachmentAccepter(
            self.child_name(f"accepted-{pair}"),
            region=second.spec.region,
            transit_gateway_attachment_id=asked.id,
            opts=self._made(),
        )
        for here, there in ((first, second), (second, first)):
            ec2transitgateway.Route(
                self.child_name(f"{here.name}-to-{there.name}"),
                region=here.spec.region,
                destination_cidr_block=there.spec.network_cidr,
                transit_gateway_attachment_id=asked.id,
                transit_gateway_route_table_id=output_of(here.base, "transitRouteTableId"),
                opts=self._made(taken),
            )

    def _private_names(self) -> None:
        """Make the zone in which each region finds the replicas of the others that write."""
        zone = route53.Zone(
            self.child_name("mesh"),
            name=self._geo.mesh_zone,
            comment="Replicas of other regions",
            vpcs=[{"vpc_id": output_of(one.base, "vpcId"), "vpc_region": one.spec.region} for one in self._regions],
            opts=self._made(),
        )
        for one in self._regions:
            self._lead(f"mesh-{one.name}", zone.zone_id, one.spec.mesh_host, f"{one.spec.mesh_address}")

    def _public_names(self) -> None:
        """Make the names of the regions, and the one that leads to the nearest healthy one."""
        geo = self._geo
        found = route53.get_zone_output(name=geo.zone, opts=pulumi.InvokeOptions(provider=self._provider))
        zone: pulumi.Output[str] = found.apply(lambda known: str(known.zone_id))
        nearest = f"{NEAREST}.{geo.host}"
        for one in self._regions:
            self._lead(f"region-{one.name}", zone, one.spec.host, f"{one.spec.address}")
            healthy = self._health(one)
            for continent in one.spec.continents:
                self._record(
                    f"{one.name}-{continent.value.lower()}",
                    zone,
                    geo.host,
                    one.spec.host,
                    health_check_id=healthy.id,
                    geolocation_routing_policies=[{"continent": continent.value}],
                )
            self._record(
                f"nearest-{one.name}",
                zone,
                nearest,
                one.spec.host,
                health_check_id=healthy.id,
                latency_routing_policies=[{"region": one.spec.region}],
            )
        # Whoever has no region of his own, or one that is lost, goes to the nearest that is healthy.
        self._record("default", zone, geo.host, nearest, geolocation_routing_policies=[{"country": "*"}])

    def _health(self, one: Region) -> route53.HealthCheck:
        geo = self._geo
        return route53.HealthCheck(
            self.child_name(f"health-{one.name}"),
            type="HTTPS",
            fqdn=one.spec.host,
            port=HTTPS,
            resource_path=HEALTH_PATH,
            enable_sni=True,
            request_interval=geo.health_interval_s,
            failure_threshold=geo.health_failures,
            measure_latency=True,
            opts=self._made(),
        )

    def _lead(self, role: str, zone: pulumi.Input[str], name: str, leads_to: str) -> None:
        route53.Record(
            self.child_name(role),
            zone_id=zone,
            name=name,
            type="CNAME",
            ttl=self._geo.ttl_s,
            records=[leads_to],
            opts=self._made(),
        )

    def _record(
        self, role: str, zone: pulumi.Input[str], name: str, leads_to: str, **policy: pulumi.Input[object]
    ) -> None:
        route53.Record(
            self.child_name(role),
            zone_id=zone,
            name=name,
            type="CNAME",
            ttl=self._geo.ttl_s,
            records=[leads_to],
            set_identifier=role,
            opts=self._made(),
            **policy,
        )

    def stack_outputs(self) -> dict[str, pulumi.Input[object]]:
        """Return the names that callers use, and those of each region."""
        regions: Mapping[str, str] = {one.name: one.spec.host for one in self._regions}
        return {"host": self._geo.host, "regions": dict(regions), "pairs": json.dumps(self.pairs())}

    def pairs(self) -> list[str]:
        """Return the pairs of regions that are joined."""
        return [f"{first.name}-{second.name}" for first, second in combinations(self._regions, 2)]


def _facts(spec: DeploymentSpec, geo: GeoSpec) -> ComponentFacts:
    return ComponentFacts(
        tier=Tier.PLATFORM,
        role="global-names",
        jurisdiction=spec.target.jurisdiction,
        internet_facing=True,
        failure_domains=len(geo.regions),
        ports={"https": HTTPS},
        endpoints=(
            EndpointFact(
                name="service",
                host=geo.host,
                port=HTTPS,
                protocol="https",
                direction="ingress",
                scope="internet",
                why="leads callers to the nearest region",
            ),
        ),
    )
