"""The entrance of services on AWS: a load balancer with TLS, its names, its access logs and its bounds."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, Final

import pulumi
from pulumi_aws import acm, ec2, lb, route53, vpc, wafv2

from components.aws.access_logs import AwsAccessLogs
from components.aws.network import AwsNetwork
from components.base import SkerryComponent, checked_name
from skerry.application import Application, hosts_of
from skerry.config.application import DnsSpec, Exposure
from skerry.config.sense_delivery import rule_parts
from skerry.facts import ComponentFacts, EndpointFact, Tier

TLS_POLICY: Final = "ELBSecurityPolicy-TLS13-1-2-2021-06"
"""TLS 1.2 and 1.3. Source: Elastic Load Balancing "Create an HTTPS listener", security policies (not opened; check
before relying on it)."""

LEAST_IDLE_S: Final = 60
LONGEST_IDLE_S: Final = 4000
IDLE_MARGIN_S: Final = 10
"""A connection is kept a little longer than the longest request, so that the service ends it and not the balancer."""

PRIORITIES: Final = 49_999
RATE_WINDOW_S: Final = 60


class AwsEntrance(SkerryComponent):
    """Makes the one load balancer of an exposure; services are told apart by host and path."""

    def __init__(
        self,
        name: str,
        network: AwsNetwork,
        applications: Sequence[Application],
        *,
        public: bool,
        certificate: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make the entrance.

        Args:
            name: the component's name, at most 20 characters: a load balancer's may have 32.
            network: where it is.
            applications: the services behind it.
            public: whether it is on the internet.
            certificate: the ARN of what proves the names.
            opts: Pulumi's options.
        """
        side = "public" if public else "internal"
        endpoints = [
            EndpointFact(
                name=one.name,
                host=f"{one.spec.host}",
                port=443,
                protocol="https",
                direction="ingress",
                scope="internet" if public else "site",
                why=f"{side} callers of {one.name}",
            )
            for one in applications
        ]
        facts = ComponentFacts(
            tier=Tier.PLATFORM,
            role="load-balancer",
            internet_facing=public,
            encrypted_in_transit=True,
            failure_domains=len(network.subnet_ids),
            ports={"https": 443, "http": 80},
            endpoints=tuple(endpoints),
        )
        super().__init__(name, facts, opts)
        self._network, self._public = network, public
        self._priorities: set[int] = set()
        self.group = self._group(applications)
        logs = AwsAccessLogs(self.child_name("logs", 48), opts=self.child_options())
        self.balancer = lb.LoadBalancer(
            self.child_name("alb", 24),
            load_balancer_type="application",
            internal=not public,
            security_groups=[self.group.id],
            subnets=network.public_subnet_ids if public else network.subnet_ids,
            idle_timeout=idle_timeout(applications),
            drop_invalid_header_fields=True,
            enable_deletion_protection=True,
            access_logs={"bucket": logs.bucket.bucket, "enabled": True},
            opts=self.child_options(depends_on=[logs.policy]),
        )
        self._listener = self._listeners(certificate)
        bounded = [one for one in applications if public and one.spec.rate_per_second is not None]
        if bounded:
            self._bounds(bounded)
        self.finish(endpoint=self.balancer.dns_name, port=443, secret_ref=None, metrics_endpoint=None)

    def name_it(self, zone_id: pulumi.Input[str], host: str, role: str) -> None:
        """Write a name of a service into the zone."""
        route53.Record(
            self.child_name(f"{role}-name"),
            zone_id=zone_id,
            name=host,
            type="A",
            aliases=[
                {"name": self.balancer.dns_name, "zone_id": self.balancer.zone_id, "evaluate_target_health": True}
            ],
            opts=self.child_options(),
        )

    def route(
        self, application: Application, target_group: lb.TargetGroup, other: lb.TargetGroup | None = None
    ) -> list[lb.ListenerRule]:
        """Send what is meant for a service to it, by host, path and who calls; a rule has few values, so several.

        Where two groups of tasks take turns, ECS says which of them callers meet, and an update does not undo that.
        """
        rules = []
        for index, (some_paths, some_ranges) in enumerate(rule_parts(application)):
            conditions: list[dict[str, Any]] = [{"host_header": {"values": hosts_of(application)}}]
            if some_paths:
                conditions.append({"path_pattern": {"values": some_paths}})
            if some_ranges:
                conditions.append({"source_ip": {"values": some_ranges}})
            rules.append(
                lb.ListenerRule(
                    self.child_name(f"{application.name}-rule-{index}" if index else application.name),
                    listener_arn=self._listener.arn,
                    priority=self._priority(f"{application.name}/{index}"),
                    actions=[_forward(target_group, other)],
                    conditions=conditions,
                    opts=self.child_options(ignore_changes=["actions"] if other is not None else []),
                )
            )
        return rules

    def _priority(self, text: str) -> int:
        """Return a place among the rules that does not move when other services come or go."""
        found = int(hashlib.sha256(text.encode()).hexdigest(), 16) % PRIORITIES + 1
        while found in self._priorities:
            found = found % PRIORITIES + 1
        self._priorities.add(found)
        return found

    def _group(self, applications: Sequence[Application]) -> ec2.SecurityGroup:
        group = ec2.SecurityGroup(
            self.child_name("entrance"),
            vpc_id=self._network.vpc_id,
            description="The public entrance" if self._public else "The internal entrance",
            opts=self.child_options(),
        )
        named = all(one.spec.allow_cidrs for one in applications)
        everybody = "0.0.0.0/0" if self._public else self._network.cidr
        ranges = sorted({cidr for one in applications for cidr in one.spec.allow_cidrs}) if named else [everybody]
        for port in (80, 443):
            for index, cidr in enumerate(ranges):
                vpc.SecurityGroupIngressRule(
                    self.child_name(f"from-{port}-{index}"),
                    security_group_id=group.id,
                    ip_protocol="tcp",
                    from_port=port,
                    to_port=port,
                    cidr_ipv4=cidr,
                    description="callers" if port == 443 else "callers, who are sent on to HTTPS",
                    opts=self.child_options(),
                )
        return group

    def _listeners(self, certificate: pulumi.Input[str]) -> lb.Listener:
        lb.Listener(
            self.child_name("http"),
            load_balancer_arn=self.balancer.arn,
            port=80,
            protocol="HTTP",
            default_actions=[
                {"type": "redirect", "redirect": {"port": "443", "protocol": "HTTPS", "status_code": "HTTP_301"}}
            ],
            opts=self.child_options(),
        )
        return lb.Listener(
            self.child_name("https"),
            load_balancer_arn=self.balancer.arn,
            port=443,
            protocol="HTTPS",
            ssl_policy=TLS_POLICY,
            certificate_arn=certificate,
            default_actions=[
                {"type": "fixed-response", "fixed_response": {"content_type": "text/plain", "status_code": "404"}}
            ],
            opts=self.child_options(),
        )

    def _bounds(self, applications: Sequence[Application]) -> None:
        """Let through so many requests of one address, each service by its own measure."""
        rules = [_rate_rule(one, index) for index, one in enumerate(applications)]
        acl = wafv2.WebAcl(
            self.child_name("bounds"),
            scope="REGIONAL",
            default_action={"allow": {}},
            rules=rules,
            visibility_config=_visible("bounds"),
            opts=self.child_options(),
        )
        wafv2.WebAclAssociation(
            self.child_name("bounds"), resource_arn=self.balancer.arn, web_acl_arn=acl.arn, opts=self.child_options()
        )


def idle_timeout(applications: Sequence[Application]) -> int:
    """Return how long a connection may be silent: longer than the longest request of any service behind it."""
    longest = max(one.definition.longest_request_s for one in applications)
    return min(max(LEAST_IDLE_S, longest + IDLE_MARGIN_S), LONGEST_IDLE_S)


def _rate_rule(application: Application, index: int) -> dict[str, Any]:
    named = [_named(host) for host in hosts_of(application)]
    return {
        "name": application.name,
        "priority": index,
        "action": {"block": {}},
        "visibility_config": _visible(application.name),
        "statement": {
            "rate_based_statement": {
                "aggregate_key_type": "IP",
                "limit": (application.spec.rate_per_second or 0) * RATE_WINDOW_S,
                "evaluation_window_sec": RATE_WINDOW_S,
                "scope_down_statement": named[0] if len(named) == 1 else {"or_statement": {"statements": named}},
            }
        },
    }


def _named(host: str) -> dict[str, Any]:
    return {
        "byte_match_statement": {
            "field_to_match": {"single_header": {"name": "host"}},
            "positional_constraint": "EXACTLY",
            "search_string": host,
            "text_transformations": [{"priority": 0, "type": "LOWERCASE"}],
        }
    }


def _visible(name: str) -> dict[str, Any]:
    return {"cloudwatch_metrics_enabled": True, "metric_name": name, "sampled_requests_enabled": False}


def _forward(target_group: lb.TargetGroup, other: lb.TargetGroup | None) -> dict[str, Any]:
    if other is None:
        return {"type": "forward", "target_group_arn": target_group.arn}
    groups = [{"arn": target_group.arn, "weight": 100}, {"arn": other.arn, "weight": 0}]
    return {"type": "forward", "forward": {"target_groups": groups}}


def certificate_of(
    name: str, hosts: Sequence[str], zone_id: pulumi.Input[str], dns: DnsSpec, options: pulumi.ResourceOptions
) -> pulumi.Output[str]:
    """Ask for a certificate of all hosts, prove them by records in the zone, and return its ARN once it is there."""
    certificate = acm.Certificate(
        name,
        domain_name=hosts[0],
        subject_alternative_names=list(hosts[1:]) or None,
        validation_method="DNS",
        opts=options,
    )
    proofs = []
    for host in hosts:
        wanted = certificate.domain_validation_options.apply(lambda found, host=host: _proof_of(found, host))
        proofs.append(
            route53.Record(
                checked_name(f"{name}-{host.replace('.', '-')}"),
                zone_id=zone_id,
                name=wanted.apply(lambda one: f"{one.resource_record_name}"),
                type="CNAME",
                records=[wanted.apply(lambda one: f"{one.resource_record_value}")],
                ttl=dns.ttl_s,
                allow_overwrite=True,
                opts=options,
            )
        )
    proven = acm.CertificateValidation(
        name,
        certificate_arn=certificate.arn,
        validation_record_fqdns=[one.fqdn for one in proofs],
        opts=options,
    )
    arn: pulumi.Output[str] = proven.certificate_arn
    return arn


def _proof_of(found: Sequence[Any], host: str) -> Any:
    """Return what proves one host; one proof of ACM may stand for several."""
    return next((one for one in found if one.domain_name == host), found[0])


def behind(applications: Sequence[Application], exposure: Exposure) -> list[Application]:
    """Return the services that an entrance is for."""
    return [one for one in applications if one.spec.exposure is exposure]
