"""What functions run in: an environment of Container Apps without a public address, its logs and its names."""

from __future__ import annotations

from typing import Any, Final

import pulumi
from pulumi_azure_native import app, monitor, operationalinsights, privatedns

from components.azure.rights import Place, identity
from components.azure.run_network import AzureRunNetwork
from components.base import SkerryComponent
from skerry.application import Application, hosts_of
from skerry.config.application import ApplicationsSpec, Exposure
from skerry.facts import ComponentFacts, Tier

LOG_DAYS: Final = 30


class AzureRunEnvironment(SkerryComponent):
    """Makes what functions run in: an environment without a public address, over zones, encrypted between them."""

    def __init__(
        self,
        name: str,
        place: Place,
        network: AzureRunNetwork,
        plan: ApplicationsSpec,
        applications: list[Application],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make the environment.

        Args:
            name: the component's name.
            place: where it is made.
            network: in which it stands.
            plan: the certificate of its names.
            applications: names of those that the network calls are answered in it.
            opts: Pulumi's options.
        """
        super().__init__(name, ComponentFacts(tier=Tier.PLATFORM, role="environment"), opts)
        self._place = place
        who = identity(self, "identity", place, Tier.PLATFORM)
        zoned: Any = {"infrastructure_subnet_id": network.environment.id, "internal": True}
        logs: Any = {"destination": "azure-monitor"}
        bearing: Any = {"type": "UserAssigned", "user_assigned_identities": [who.id]}
        profiles: Any = [{"name": "Consumption", "workload_profile_type": "Consumption"}]
        self.environment = app.ManagedEnvironment(
            self.child_name("environment"),
            resource_group_name=place.group,
            location=place.region,
            vnet_configuration=zoned,
            public_network_access="Disabled",
            zone_redundant=True,
            workload_profiles=profiles,
            identity=bearing,
            app_logs_configuration=logs,
            peer_authentication={"mtls": {"enabled": True}},
            peer_traffic_configuration={"encryption": {"enabled": True}},
            tags=place.tags(Tier.PLATFORM),
            opts=self.child_options(),
        )
        self._keep_logs()
        inside = [one for one in applications if one.spec.exposure is Exposure.INTERNAL]
        self.certificate = self._certificate(plan, who.id) if inside and plan.site.certificate else None
        for one in inside:
            for index, host in enumerate(hosts_of(one)):
                self._answer(network, host, f"{one.name}-{index}" if index else one.name)
        if any(one.spec.exposure is not Exposure.NONE for one in applications):
            self._answer_all(network)
        self.finish()

    def _keep_logs(self) -> None:
        place = self._place
        workspace = operationalinsights.Workspace(
            self.child_name("logs"),
            resource_group_name=place.group,
            location=place.region,
            sku={"name": "PerGB2018"},
            retention_in_days=LOG_DAYS,
            tags=place.tags(Tier.PLATFORM),
            opts=self.child_options(),
        )
        kept: Any = [{"category_group": "allLogs", "enabled": True}]
        monitor.DiagnosticSetting(
            self.child_name("logs"),
            name="logs",
            resource_uri=self.environment.id,
            workspace_id=workspace.id,
            logs=kept,
            opts=self.child_options(),
        )

    def _certificate(self, plan: ApplicationsSpec, who: pulumi.Input[str]) -> pulumi.Output[str]:
        properties: Any = {
            "certificate_key_vault_properties": {"identity": who, "key_vault_url": plan.site.certificate}
        }
        made = app.Certificate(
            self.child_name("names"),
            resource_group_name=self._place.group,
            location=self._place.region,
            environment_name=self.environment.name,
            properties=properties,
            tags=self._place.tags(Tier.PLATFORM),
            opts=self.child_options(),
        )
        found: pulumi.Output[str] = made.id
        return found

    def _answer(self, network: AzureRunNetwork, host: str, role: str) -> None:
        """Answer a name inside the network with the environment's address."""
        self._record(network.zone(f"{role}-own", host).name, f"{role}-own", "@")

    def _answer_all(self, network: AzureRunNetwork) -> None:
        """Answer the environment's own names, by which the gateway calls the functions."""
        zone = privatedns.PrivateZone(
            self.child_name("names"),
            resource_group_name=self._place.group,
            private_zone_name=self.environment.default_domain,
            location="Global",
            tags=self._place.tags(Tier.PLATFORM),
            opts=self.child_options(),
        )
        privatedns.VirtualNetworkLink(
            self.child_name("names"),
            resource_group_name=self._place.group,
            private_zone_name=zone.name,
            location="Global",
            virtual_network={"id": network.vnet.id},
            registration_enabled=False,
            tags=self._place.tags(Tier.PLATFORM),
            opts=self.child_options(),
        )
        self._record(zone.name, "names", "*")

    def _record(self, zone: pulumi.Input[str], role: str, name: str) -> None:
        address: Any = [{"ipv4_address": self.environment.static_ip}]
        privatedns.PrivateRecordSet(
            self.child_name(role),
            resource_group_name=self._place.group,
            private_zone_name=zone,
            relative_record_set_name=name,
            record_type="A",
            ttl=300,
            a_records=address,
            opts=self.child_options(),
        )
