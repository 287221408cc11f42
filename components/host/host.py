"""A machine without an orchestrator, its services and its proxies: facts for every reader, and the files."""

from __future__ import annotations

import pulumi

from components.base import SkerryComponent
from components.configuration import FlatConfig
from components.host.apply import ApplyScript, apply_script
from components.host.cloud_init import cloud_init_text
from components.host.deploy import deliver
from components.host.files import files_of
from components.host.packages import packages_of
from components.host.places import is_linux
from skerry.config.host import FirewallKind, HostDelivery, HostsSpec
from skerry.config.spec import DeploymentSpec
from skerry.facts import ComponentFacts, NodesFact, StorageFact, Tier
from skerry.hosts.facts import SECRET_SCHEMES, GpuPartFact, HostFact, OpenPortFact
from skerry.hosts.plan import LOOPBACK, GpuPart, HostService, HostsPlan, Listen, Machine, Proxy, Supervisor


class HostProgram(SkerryComponent):
    """A program that a machine keeps running, under Compose or systemd."""

    def __init__(
        self,
        name: str,
        service: HostService,
        machine: Machine,
        spec: DeploymentSpec,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Describe it.

        Args:
            name: `<machine>-<service>`.
            service: what it is.
            machine: where it stands.
            spec: the deployment.
            opts: Pulumi's options.
        """
        storage = (StorageFact(kind="volume", gib=service.storage_gib),) if service.storage_gib else ()
        facts = ComponentFacts(
            tier=service.tier,
            data_class=spec.data_class if service.stateful else None,
            role=service.role,
            stateful=service.stateful,
            replicas=max(1, len(service.instances)),
            encrypted_at_rest=machine.spec.storage_encrypted if service.stateful else None,
            encrypted_in_transit=_in_secret(service),
            images=(service.image,) if service.image else (),
            models=service.models,
            baselines=service.baselines,
            ports={row.name: row.port for row in service.listens},
            endpoints=service.endpoints,
            storage=storage,
        )
        super().__init__(name, facts, opts)
        self.finish()


class HostProxy(SkerryComponent):
    """A load balancer on a machine: nginx or HAProxy."""

    def __init__(self, name: str, proxy: Proxy, opts: pulumi.ResourceOptions | None = None) -> None:
        """Describe it.

        Args:
            name: `<machine>-<proxy>`.
            proxy: what it is.
            opts: Pulumi's options.
        """
        facts = ComponentFacts(
            tier=Tier.CHANNELS,
            role="load-balancer",
            replicas=1,
            encrypted_in_transit=proxy.tls is not None if proxy.mode == "http" else None,
            ports={proxy.listen.name: proxy.listen.port},
        )
        super().__init__(name, facts, opts)
        self.finish()


class Host(SkerryComponent):
    """A machine: its facts, its files as the input `files`, and what stands on it as children."""

    def __init__(
        self,
        name: str,
        machine: Machine,
        plan: HostsPlan,
        spec: DeploymentSpec,
        hosts: HostsSpec,
        opts: pulumi.ResourceOptions | None = None,
        config: FlatConfig | None = None,
    ) -> None:
        """Describe it, and where it is reached by SSH, send it what it is to be.

        Args:
            name: the machine's name.
            machine: what stands on it.
            plan: all machines, for what joins them.
            spec: the deployment.
            hosts: how machines are kept.
            opts: Pulumi's options.
            config: the stack's secrets; left out, nothing is sent.

        Raises:
            UsageError: something cannot be written for its program.
        """
        self.machine = machine
        self.rendered = files_of(machine, plan, hosts)
        texts = {file.path.lstrip("/"): file.text for file in self.rendered if not file.secret and not file.variables}
        script = apply_script(machine, plan, hosts, self.rendered)
        if script is not None:
            texts |= script.carried()
            if machine.spec.delivery is HostDelivery.CLOUD_INIT:
                texts["user-data.yaml"] = cloud_init_text(machine, plan, hosts, script)
        secrets = {file.secret for file in self.rendered if file.secret}
        secrets |= {key for file in self.rendered for key in file.variables.values()}
        facts = _facts(machine, plan, spec, hosts, tuple(sorted(secrets)))
        super().__init__(name, facts, opts, props={"files": texts})
        for service in machine.services:
            HostProgram(self.child_name(service.name), service, machine, spec, self.child_options())
        for proxy in machine.proxies:
            HostProxy(self.child_name(proxy.name), proxy, self.child_options())
        if script is not None and config is not None and machine.spec.delivery is HostDelivery.SSH:
            self._send(script, config)
        self.finish()

    def _send(self, script: ApplyScript, config: FlatConfig) -> None:
        """Send the script; what keeps something is neither unmade with the stack nor by a slip."""
        found = {key: config.get_secret(key) for key in script.secrets}
        stateful = any(service.stateful for service in self.machine.services)
        deliver(
            self.child_name("apply"),
            self.machine.spec,
            script,
            {key: value for key, value in found.items() if value is not None},
            config.get_secret(self.machine.spec.ssh.private_key_secret),
            self.store_options() if stateful else self.child_options(),
        )


def _in_secret(service: HostService) -> bool | None:
    """Return whether what it speaks beyond the machine is encrypted: by TLS, or because only the overlay carries it."""
    if service.encrypted_in_transit is not None or not service.listens:
        return service.encrypted_in_transit
    return all(row.scheme in SECRET_SCHEMES or row.bind == LOOPBACK or not row.sources for row in service.listens)


def open_ports(machine: Machine) -> tuple[OpenPortFact, ...]:
    """Return every port of a machine, whoever listens."""
    rows: list[tuple[str, Listen]] = [(service.name, row) for service in machine.services for row in service.listens]
    rows += [(proxy.name, row) for proxy in machine.proxies for row in (proxy.listen, proxy.redirect) if row]
    rows += [("machine", row) for row in machine.opens]
    return tuple(
        OpenPortFact(
            name=row.name,
            port=row.port,
            last=row.last,
            protocol=row.protocol,
            scheme=row.scheme,
            bind=row.bind,
            sources=row.sources,
            overlay=row.overlay,
            owner=owner,
        )
        for owner, row in rows
    )


def _gpu_part(part: GpuPart) -> GpuPartFact:
    return GpuPartFact(
        device=part.device,
        mechanism=part.mechanism,
        percent=part.percent,
        memory_mib=part.memory_mib,
        profile=part.profile,
    )


def _delivery(machine: Machine) -> HostDelivery:
    """Return how files come to a machine; no script runs but on Linux, so that elsewhere people carry them."""
    return machine.spec.delivery if is_linux(machine) else HostDelivery.FILES


def _host_fact(
    machine: Machine, plan: HostsPlan, spec: DeploymentSpec, hosts: HostsSpec, secrets: tuple[str, ...]
) -> HostFact:
    row, backup = machine.spec, hosts.backup if machine.backups else None
    off_host = backup.off_host if backup else None
    return HostFact(
        address=row.address,
        os=row.os.value,
        arch=row.arch.value,
        vcpu=row.vcpu,
        memory_gib=row.memory_gib,
        storage_gib=row.storage_gib,
        gpu_model=row.gpu_model,
        gpus=row.gpus,
        gpu_memory_gib=row.gpu_memory_gib,
        failure_domain=row.failure_domain,
        network_interfaces=row.network_interfaces,
        delivery=_delivery(machine).value,
        host_key_known=row.ssh.host_key is not None if _delivery(machine) is HostDelivery.SSH else None,
        firewall=FirewallKind(hosts.firewall).value,
        open_ports=open_ports(machine),
        overlay=plan.overlay.name if plan.overlay and row.overlay else None,
        memory_caps_mib=sum((service.memory_mib or 0) * max(1, len(service.instances)) for service in machine.services),
        uncapped=tuple(service.name for service in machine.services if service.memory_mib is None),
        runs_as_root=tuple(
            service.name
            for service in machine.services
            if service.supervisor is Supervisor.SYSTEMD and not service.user
        ),
        dev_tokens=tuple(service.name for service in machine.services if service.dev_token),
        trust_on_first_use=tuple(service.name for service in machine.services if service.trust == "tofu"),
        gpu_percent={service.name: service.gpu.percent for service in machine.services if service.gpu},
        gpu_parts={service.name: _gpu_part(service.gpu) for service in machine.services if service.gpu},
        backup_recipients=len(backup.recipients) if backup else None,
        backup_off_host=off_host,
        backup_jurisdiction=(backup.off_host_jurisdiction or spec.target.jurisdiction) if backup and off_host else None,
        keeps=tuple(service.name for service in machine.services if service.stateful),
        packages=packages_of(machine, plan, hosts),
        package_snapshot=hosts.package_snapshot,
        carries=machine.carries,
        secrets=secrets,
        purchase_usd=row.price.purchase_usd,
        lifetime_years=row.price.lifetime_years,
        average_watts=row.price.average_watts,
        usd_per_kwh=row.price.usd_per_kwh,
        usd_per_month=row.price.usd_per_month,
        price_source=row.price.source,
        comparable_instance=row.comparable_instance,
    )


def _facts(
    machine: Machine, plan: HostsPlan, spec: DeploymentSpec, hosts: HostsSpec, secrets: tuple[str, ...]
) -> ComponentFacts:
    row = machine.spec
    nodes = NodesFact(
        vcpu=row.vcpu,
        memory_gib=row.memory_gib,
        gpu_model=row.gpu_model,
        gpus=row.gpus,
        gpu_memory_gib=row.gpu_memory_gib,
        purchase="existing",
        priced_here=False,
        comparable_instance=row.comparable_instance,
    )
    return ComponentFacts(
        tier=machine.tier,
        data_class=spec.data_class,
        jurisdiction=row.jurisdiction or spec.target.jurisdiction,
        role="host",
        replicas=1,
        encrypted_at_rest=row.storage_encrypted,
        nodes=nodes,
        host=_host_fact(machine, plan, spec, hosts, secrets),
    )
