"""AWS network: gateways, addresses, endpoints and balancers, in round numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from skerry.graph import UNKNOWN
from tests.simulators.cost_round_numbers import on_aws, priced, rows

ENDPOINT = "aws:ec2/vpcEndpoint:VpcEndpoint"
BALANCER = "aws:lb/loadBalancer:LoadBalancer"

CASES: Mapping[str, tuple[str, dict[str, Any], dict[str, Any], dict[str, str]]] = {
    "a NAT gateway without usage": (
        "aws:ec2/natGateway:NatGateway",
        {},
        {},
        {
            "gateway": "36.5",
            "data": "usage not given: gb_processed",
            "data to the internet": "usage not given: gb_out",
        },
    ),
    "a NAT gateway with usage": (
        "aws:ec2/natGateway:NatGateway",
        {},
        {"i*": {"gb_processed": {"minimum": 0, "typical": 100, "maximum": 1000}, "gb_out": 10}},
        {"gateway": "36.5", "data": "0/4/40", "data to the internet": "0.9"},
    ),
    "a network that is attached to a transit gateway": (
        "aws:ec2transitgateway/vpcAttachment:VpcAttachment",
        {},
        {"it": {"gb_processed": 100}},
        {"attachment": "36.5", "data": "2"},
    ),
    "a side of a peering of two": (
        "aws:ec2transitgateway/peeringAttachmentAccepter:PeeringAttachmentAccepter",
        {},
        {},
        {"attachment": "36.5"},
    ),
    "a side of a peering in a region without a price": (
        "aws:ec2transitgateway/peeringAttachment:PeeringAttachment",
        {"region": "ap-southeast-1"},
        {},
        {"attachment": "the price book has no price of transit-gateway-attachment (hour) for aws ap-southeast-1"},
    ),
    "a transit gateway": ("aws:ec2transitgateway/transitGateway:TransitGateway", {}, {}, {}),
    "a zone of names": ("aws:route53/zone:Zone", {"name": "x.example"}, {}, {"zone": "0.5"}),
    "a health check by HTTP": ("aws:route53/healthCheck:HealthCheck", {"type": "HTTP"}, {}, {"health check": "0.5"}),
    "a health check by HTTPS every ten seconds that measures": (
        "aws:route53/healthCheck:HealthCheck",
        {"type": "HTTPS", "requestInterval": 10, "measureLatency": True},
        {},
        {"health check": "0.5", "features": "3"},
    ),
    "a health check of a kind that is not known yet": (
        "aws:route53/healthCheck:HealthCheck",
        {"type": UNKNOWN},
        {},
        {"health check": "0.5", "the rest": "type is not known before a deployment"},
    ),
    "a public address": ("aws:ec2/eip:Eip", {}, {}, {"public IPv4 address": "3.65"}),
    "a gateway endpoint is free": (ENDPOINT, {"vpcEndpointType": "Gateway"}, {}, {}),
    "no type stated is a gateway endpoint": (ENDPOINT, {}, {}, {}),
    "an interface endpoint counts its zones, though their ids are not known": (
        ENDPOINT,
        {"vpcEndpointType": "Interface", "subnetIds": [UNKNOWN, UNKNOWN, UNKNOWN]},
        {"it": {"gb_processed": 100}},
        {"endpoint in 3 zones": "21.9", "data": "1"},
    ),
    "an interface endpoint whose zones are not known": (
        ENDPOINT,
        {"vpcEndpointType": "Interface", "subnetIds": UNKNOWN},
        {},
        {"the rest": "subnetIds is not known before a deployment"},
    ),
    "an endpoint of a type without a price": (
        ENDPOINT,
        {"vpcEndpointType": "GatewayLoadBalancer"},
        {},
        {"endpoint": "endpoints of type GatewayLoadBalancer are not in the price book"},
    ),
    "an application load balancer": (
        BALANCER,
        {},
        {"it": {"lcu": 2}},
        {"application load balancer": "14.6", "capacity units": "11.68"},
    ),
    "a load balancer on the internet has an address in each zone": (
        BALANCER,
        {"internal": False, "subnets": [UNKNOWN, UNKNOWN]},
        {"it": {"lcu": 2}},
        {"application load balancer": "14.6", "public IPv4 addresses": "7.3", "capacity units": "11.68"},
    ),
    "a network load balancer without a price of its units": (
        BALANCER,
        {"loadBalancerType": "network"},
        {"it": {"lcu": 2}},
        {
            "network load balancer": "21.9",
            "capacity units": "the price book has no price of nlb-lcu (LCU-hour) for aws us-east-1",
        },
    ),
    "a load balancer of another type": (
        BALANCER,
        {"loadBalancerType": "gateway"},
        {},
        {"load balancer": "load balancers of type gateway are not in the price book"},
    ),
}


@pytest.mark.parametrize("sentence", CASES)
def test_a_part_of_the_network(sentence: str) -> None:
    kind, inputs, usage, expected = CASES[sentence]
    builder = on_aws()
    builder.add(kind, "it", inputs)
    assert expected == rows(priced(builder, usage))
