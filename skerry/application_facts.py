"""What readers may know of a service, whatever runs it."""

from __future__ import annotations

from skerry.application import Application
from skerry.config.application import Exposure
from skerry.config.spec import DeploymentSpec
from skerry.facts import ComponentFacts, EndpointFact, ImageFact, ScalingFact, Tier


def site_endpoints(application: Application) -> list[EndpointFact]:
    """Return the hosts of the private network that a service calls."""
    return [
        EndpointFact(
            name=one.host.replace(".", "-"),
            host=one.host,
            port=one.port,
            protocol="https" if one.port == 443 else "tcp",
            direction="egress",
            scope="site",
            why=f"{application.name} calls it",
        )
        for one in application.spec.site_endpoints
    ]


def secret_role(key: str) -> str:
    """Return how a secret key of the stack is called among a cloud's secrets: a DNS label."""
    return "".join(f"-{one.lower()}" if one.isupper() else one for one in key).replace("_", "-").replace(".", "-")


def instance_facts(
    spec: DeploymentSpec, application: Application, image: ImageFact, *, minimum: int, autoscaler: str
) -> ComponentFacts:
    """Return what readers may know of a service that a cloud runs instance by instance, as it is called.

    Args:
        spec: the deployment.
        application: the service.
        image: what it runs.
        minimum: the fewest that run, those held ready included.
        autoscaler: what decides how many run, where anything does.
    """
    scale = application.spec.scale
    typical = max(minimum, scale.minimum if scale.typical is None else scale.typical)
    public = application.spec.exposure is Exposure.PUBLIC
    return ComponentFacts(
        tier=Tier.EXECUTION,
        data_class=spec.data_class,
        role="service",
        images=(image,),
        ports={name: port.port for name, port in application.definition.ports.items()},
        endpoints=(*_internet_endpoints(application), *site_endpoints(application), *_entrances(application)),
        internet_facing=public,
        encrypted_at_rest=True,
        encrypted_in_transit=True,
        failure_domains=max(len(spec.target.failure_domains), 1),
        scaling=ScalingFact(
            minimum=minimum,
            typical=typical,
            maximum=scale.maximum,
            autoscaler=autoscaler if application.scales else None,
        ),
    )


def _internet_endpoints(application: Application) -> list[EndpointFact]:
    return [
        EndpointFact(
            name=host.partition(".")[0],
            host=host,
            port=443,
            protocol="https",
            direction="egress",
            scope="internet",
            why=f"{application.name} calls it",
        )
        for host in application.definition.egress
    ]


def _entrances(application: Application) -> list[EndpointFact]:
    row = application.spec
    if row.exposure is not Exposure.PUBLIC or row.host is None:
        return []
    return [
        EndpointFact(
            name="public",
            host=row.host,
            port=443,
            protocol="https",
            direction="ingress",
            scope="internet",
            why="callers, without an identity" if row.anonymous else "callers, each with an identity",
        )
    ]
