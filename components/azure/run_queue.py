"""The queue that services on Azure share."""

from __future__ import annotations

from typing import Any, Final

import pulumi
from pulumi_azure_native import servicebus

from components.azure.key import AzureKey
from components.azure.private_network import PrivateNetwork
from components.azure.rights import Place
from components.base import SkerryComponent
from skerry.config.application import QueueSpec
from skerry.facts import ComponentFacts, DataClass, Tier

BUS_ZONE: Final = "privatelink.servicebus.windows.net"
"""Source: MicrosoftDocs azure-docs "Azure Private Endpoint private DNS zone values", read 2026-11."""

LONGEST_LOCK_S: Final = 300
"""A job that takes longer is held by its worker's client, which renews the lock.

Source: Azure "Service Bus quotas", lock duration (not opened; check before relying on it).
"""

JOBS: Final = "jobs"


class AzureRunQueue(SkerryComponent):
    """Service Bus in one region: jobs at least once, and a queue beside for what fails again and again.

    The premium kind, since no other has an address in the network or takes a key of ours.
    """

    def __init__(
        self,
        name: str,
        place: Place,
        queue: QueueSpec,
        network: PrivateNetwork,
        key: AzureKey,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make namespace and queue.

        Args:
            name: the component's name.
            place: where it is made.
            queue: how long a job may take, how often it is tried, how long it waits.
            network: from which it is reached.
            key: of every job.
            opts: Pulumi's options.
        """
        super().__init__(name, queue_facts(place.spec.data_class), opts)
        encryption: Any = {
            "key_source": "Microsoft.KeyVault",
            "key_vault_properties": [
                {
                    "key_name": key.key.name,
                    "key_vault_uri": key.key.key_uri.apply(lambda uri: uri.partition("keys/")[0]),
                    "identity": {"user_assigned_identity": key.stores.id},
                }
            ],
            "require_infrastructure_encryption": True,
        }
        kind: Any = {"name": "Premium", "tier": "Premium", "capacity": 1}
        bearing: Any = {"type": "UserAssigned", "user_assigned_identities": [key.stores.id]}
        self.bus = servicebus.Namespace(
            self.child_name("bus"),
            resource_group_name=place.group,
            location=place.region,
            sku=kind,
            zone_redundant=True,
            minimum_tls_version="1.2",
            # Whoever has a key has everything, and nobody sees who it is: identities only.
            disable_local_auth=True,
            public_network_access="Disabled",
            identity=bearing,
            encryption=encryption,
            tags=place.tags(Tier.CHANNELS),
            opts=self.child_options(depends_on=key.grants),
        )
        self.queue = servicebus.Queue(
            self.child_name(JOBS),
            resource_group_name=place.group,
            namespace_name=self.bus.name,
            queue_name=JOBS,
            lock_duration=f"PT{min(queue.longest_job_s, LONGEST_LOCK_S)}S",
            max_delivery_count=queue.attempts,
            default_message_time_to_live=f"P{queue.retention_days}D",
            dead_lettering_on_message_expiration=True,
            requires_duplicate_detection=False,
            opts=self.child_options(),
        )
        network.answer(self, "bus", self.bus.id, "namespace", BUS_ZONE)
        self.host = self.bus.name.apply(lambda found: f"{found}.servicebus.windows.net")
        self.finish(endpoint=self.host, port=443, secret_ref=None, metrics_endpoint=None)


def queue_facts(data_class: DataClass) -> ComponentFacts:
    """Return what readers may know of the queue."""
    return ComponentFacts(
        tier=Tier.CHANNELS,
        data_class=data_class,
        role="queue",
        stateful=True,
        encrypted_at_rest=True,
        encrypted_in_transit=True,
        guarantee="durable",
    )
