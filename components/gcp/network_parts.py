"""What every network on Google Cloud has, whatever stands in it: a way out, Google's names, and Google's own stores."""

from __future__ import annotations

import ipaddress
from typing import Final

from pulumi_gcp import compute, dns, servicenetworking

from components.base import SkerryComponent

GOOGLE_ADDRESSES: Final = ("199.36.153.8", "199.36.153.9", "199.36.153.10", "199.36.153.11")
"""Where Google's services answer inside a network without a way to the internet: private.googleapis.com.

Source: seen in public Terraform as the route to private.googleapis.com, 2026-11 (Google's own page was not opened).
"""

PEERING: Final = "servicenetworking.googleapis.com"
LEAST_NAT_PORTS: Final = 64
MOST_NAT_PORTS: Final = 4096


def way_out(parent: SkerryComponent, vpc: compute.Network, subnet: compute.Subnetwork, region: str) -> None:
    """Make the NAT of a subnet: hosts on the internet are called through it, and nothing comes in."""
    router = compute.Router(
        parent.child_name("router"), network=vpc.id, region=region, opts=parent.child_options()
    )  # fmt: skip
    compute.RouterNat(
        parent.child_name("nat"),
        router=router.name,
        region=region,
        nat_ip_allocate_option="AUTO_ONLY",
        source_subnetwork_ip_ranges_to_nat="LIST_OF_SUBNETWORKS",
        subnetworks=[{"name": subnet.id, "source_ip_ranges_to_nats": ["ALL_IP_RANGES"]}],
        enable_dynamic_port_allocation=True,
        enable_endpoint_independent_mapping=False,
        min_ports_per_vm=LEAST_NAT_PORTS,
        max_ports_per_vm=MOST_NAT_PORTS,
        log_config={"enable": True, "filter": "ERRORS_ONLY"},
        opts=parent.child_options(),
    )


def answer(parent: SkerryComponent, vpc: compute.Network, role: str, domain: str, holder: str) -> None:
    """Answer a domain of Google's from inside: all of its names lead to the private addresses.

    Args:
        parent: the network's component.
        vpc: where it is answered.
        role: what its resources are called.
        domain: the domain, with a dot at its end.
        holder: the name in it that has the addresses; all others point to that.
    """
    zone = dns.ManagedZone(
        parent.child_name(role),
        dns_name=domain,
        description=f"{domain} inside the network",
        visibility="private",
        private_visibility_config={"networks": [{"network_url": vpc.id}]},
        opts=parent.child_options(),
    )
    for part, name, kind, values in (
        ("addresses", holder, "A", list(GOOGLE_ADDRESSES)),
        ("names", f"*.{domain}", "CNAME", [holder]),
    ):
        dns.RecordSet(
            parent.child_name(f"{role}-{part}"),
            managed_zone=zone.name,
            name=name,
            type=kind,
            ttl=300,
            rrdatas=values,
            opts=parent.child_options(),
        )


def managed_stores(
    parent: SkerryComponent, vpc: compute.Network, block: ipaddress.IPv4Network
) -> tuple[compute.GlobalAddress, servicenetworking.Connection]:
    """Join the network in which Google runs its stores, at addresses of the plan."""
    address = compute.GlobalAddress(
        parent.child_name("managed"),
        network=vpc.id,
        purpose="VPC_PEERING",
        address_type="INTERNAL",
        address=str(block.network_address),
        prefix_length=block.prefixlen,
        opts=parent.child_options(),
    )
    peering = servicenetworking.Connection(
        parent.child_name("managed"),
        network=vpc.id,
        service=PEERING,
        reserved_peering_ranges=[address.name],
        # A store that goes leaves its network behind for hours, and with it the connection could not be taken away.
        # Source: terraform-provider-google at e03b7622, google_service_networking_connection, for deletion_policy
        deletion_policy="ABANDON",
        opts=parent.child_options(),
    )
    return address, peering
