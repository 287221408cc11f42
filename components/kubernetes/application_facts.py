"""What readers may know of a service in pods."""

from __future__ import annotations

from typing import Final

from components.kubernetes.application_scaling import is_followed
from components.kubernetes.cluster import Cluster
from skerry.application import Application
from skerry.config.application import Exposure
from skerry.facts import ComponentFacts, EndpointFact, ImageFact, ModelFact, ScalingFact, StorageFact, Tier

HTTPS: Final = 443


def service_facts(cluster: Cluster, application: Application, image: ImageFact) -> ComponentFacts:
    """Return what readers may know of a service in pods."""
    definition, spec = application.definition, application.spec
    keeps, scale = definition.data_path is not None, spec.scale
    typical = scale.minimum if scale.typical is None else scale.typical
    asked = None if spec.storage_iops is None else cluster.classes_by_iops.get(spec.storage_iops)
    storage = StorageFact(
        kind="volume",
        gib=spec.storage_gib,
        copies=max(typical, 1) if application.keeps_own_files else 1,
        storage_class=asked or cluster.storage_class or "",
    )
    scaler = ("keda" if scale.queue_depth is not None else "hpa") if is_followed(application) else None
    return ComponentFacts(
        tier=Tier.META if keeps else Tier.EXECUTION,
        data_class=cluster.data_class,
        role="service",
        stateful=keeps,
        replicas=typical,
        failure_domains=cluster.failure_domains,
        encrypted_at_rest=cluster.storage_encrypted if keeps else None,
        encrypted_in_transit=spec.exposure is not Exposure.NONE or cluster.network_encrypted or None,
        # Nobody reaches the pods but by the entrance, which says whether it faces the internet.
        images=(image,),
        models=_models(cluster, application),
        ports={row: port.port for row, port in definition.ports.items()},
        endpoints=_endpoints(application),
        scaling=ScalingFact(minimum=scale.minimum, typical=typical, maximum=scale.maximum, autoscaler=scaler),
        storage=(storage,) if keeps else (),
    )


def _models(cluster: Cluster, application: Application) -> tuple[ModelFact, ...]:
    carried = application.spec.model
    return () if carried is None else (cluster.catalog.model(carried.name, f"{application.name} answers by it"),)


def _endpoints(application: Application) -> tuple[EndpointFact, ...]:
    why = f"called by {application.name}"
    outside = [(host, HTTPS, "internet") for host in application.definition.egress]
    outside += [(row.host, row.port, "site") for row in application.spec.site_endpoints]
    return tuple(
        EndpointFact(
            name=host.replace(".", "-"),
            host=host,
            port=port,
            protocol="https" if port == HTTPS else "tcp",
            direction="egress",
            scope=scope,
            why=why,
        )
        for host, port, scope in outside
    )
