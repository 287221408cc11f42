"""Who may call whom between services on AWS's own runtimes: security groups, one rule for each way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import pulumi
from pulumi_aws import ec2, vpc

from components.aws.network import AwsNetwork
from components.base import SkerryComponent
from skerry.application import Application
from skerry.config.application import Exposure, Need, Protocol, Runtime
from skerry.facts import ComponentFacts, Tier

HTTPS: Final = 443
FILES_PORT: Final = 2049


class AwsAccess(SkerryComponent):
    """Makes a group for each service, one for all of them, and one for the callers of each store."""

    def __init__(
        self,
        name: str,
        network: AwsNetwork,
        applications: Sequence[Application],
        *,
        store_ports: Mapping[Need, int],
        outbound: bool,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make the groups.

        Args:
            name: the component's name.
            network: where they are.
            applications: the services.
            store_ports: store -> the port at which it is called.
            outbound: whether there is a way to the internet; without one AWS is called inside the network.
            opts: Pulumi's options.
        """
        super().__init__(name, ComponentFacts(tier=Tier.PLATFORM, role="access"), opts)
        self._network = network
        self._all = self._group("services", "every service of the deployment")
        self._calls_aws(outbound)
        self._own = {one.name: self._group(one.name, f"service {one.name}") for one in applications}
        self.callers = {need: self._caller(need, port) for need, port in store_ports.items()}
        for one in applications:
            self._ways(one)
        self.finish()

    def groups_of(self, application: Application) -> list[pulumi.Input[str]]:
        """Return the groups of a service's tasks or functions."""
        needed = [self.callers[need].id for need in application.definition.needs if need in self.callers]
        return [self._own[application.name].id, self._all.id, *needed]

    @property
    def everybody(self) -> pulumi.Output[str]:
        """The group that every service is in."""
        group: pulumi.Output[str] = self._all.id
        return group

    def let_in(self, application: Application, entrance: ec2.SecurityGroup, side: str) -> None:
        """Let a load balancer call the main port of a service."""
        main = application.main_port
        if main is None:
            return
        name = f"{application.name}-from-{side}"
        self._from(name, self._own[application.name], main.port, main.port, entrance.id, f"from the {side} entrance")
        self._to(name, entrance, main.port, self._own[application.name].id, f"to service {application.name}")

    def _group(self, role: str, what: str) -> ec2.SecurityGroup:
        return ec2.SecurityGroup(
            self.child_name(role), vpc_id=self._network.vpc_id, description=what, opts=self.child_options()
        )

    def _caller(self, need: Need, port: int) -> ec2.SecurityGroup:
        group = self._group(f"{need.value}-callers", f"services that call the {need.value}")
        vpc.SecurityGroupEgressRule(
            self.child_name(f"to-{need.value}"),
            security_group_id=group.id,
            ip_protocol="tcp",
            from_port=port,
            to_port=port,
            cidr_ipv4=self._network.cidr,
            description=f"to the {need.value}",
            opts=self.child_options(),
        )
        return group

    def _calls_aws(self, outbound: bool) -> None:
        """Open what every service needs of AWS itself: images, logs and values at its start."""
        vpc.SecurityGroupEgressRule(
            self.child_name("to-https"),
            security_group_id=self._all.id,
            ip_protocol="tcp",
            from_port=HTTPS,
            to_port=HTTPS,
            cidr_ipv4="0.0.0.0/0" if outbound else self._network.cidr,
            description="to AWS and to what services call on the internet" if outbound else "to AWS in the network",
            opts=self.child_options(),
        )
        if not outbound:
            vpc.SecurityGroupEgressRule(
                self.child_name("to-s3"),
                security_group_id=self._all.id,
                ip_protocol="tcp",
                from_port=HTTPS,
                to_port=HTTPS,
                prefix_list_id=self._network.s3_prefix_list_id,
                description="to S3 through its gateway",
                opts=self.child_options(),
            )

    def _ways(self, application: Application) -> None:
        """Open the ports of a service to the others, or to its own replicas alone, and what it calls on the site."""
        own = self._own[application.name]
        if application.spec.runtime is Runtime.ECS:
            for role, port in application.definition.ports.items():
                if port.between_replicas:
                    source, text = own.id, "from its own replicas"
                elif application.spec.exposure is Exposure.NONE or port is not application.main_port:
                    source, text = self._all.id, "from the services of the deployment"
                else:
                    continue
                name, protocol = f"{application.name}-{role}", "udp" if port.protocol is Protocol.UDP else "tcp"
                self._from(name, own, port.port, port.port, source, text, protocol)
                self._to(name, own if port.between_replicas else self._all, port.port, own.id, text, protocol)
        for index, endpoint in enumerate(application.spec.site_endpoints):
            for at, cidr in enumerate(endpoint.cidrs):
                vpc.SecurityGroupEgressRule(
                    self.child_name(f"{application.name}-site-{index}-{at}"),
                    security_group_id=own.id,
                    ip_protocol="tcp",
                    from_port=endpoint.port,
                    to_port=endpoint.port,
                    cidr_ipv4=cidr,
                    description=f"to {endpoint.host}",
                    opts=self.child_options(),
                )

    def _from(
        self,
        name: str,
        group: ec2.SecurityGroup,
        low: int,
        high: int,
        source: pulumi.Input[str],
        text: str,
        protocol: str = "tcp",
    ) -> None:
        vpc.SecurityGroupIngressRule(
            self.child_name(name),
            security_group_id=group.id,
            ip_protocol=protocol,
            from_port=low,
            to_port=high,
            referenced_security_group_id=source,
            description=text,
            opts=self.child_options(),
        )

    def _to(
        self,
        name: str,
        group: ec2.SecurityGroup,
        port: int,
        target: pulumi.Input[str],
        text: str,
        protocol: str = "tcp",
    ) -> None:
        vpc.SecurityGroupEgressRule(
            self.child_name(name),
            security_group_id=group.id,
            ip_protocol=protocol,
            from_port=port,
            to_port=port,
            referenced_security_group_id=target,
            description=text,
            opts=self.child_options(),
        )
