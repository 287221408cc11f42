"""What services on AWS's own runtimes stand on, as each of them needs it, and the values that it gets at its start."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi
from pulumi_aws import cloudwatch, iam, ssm

from components.aws.application_access import AwsAccess
from components.aws.application_rights import value_rights
from components.aws.network import AwsNetwork
from components.aws.permissions import Statement, document, trust_of
from components.base import SkerryComponent
from skerry.application import SECRET_PLACES, Application, parts_of, places_in
from skerry.config.application import Exposure, Need
from skerry.config.spec import DeploymentSpec
from skerry.facts import ComponentFacts, EndpointFact, ImageFact, ScalingFact, Tier

LOG_DAYS = 90


@dataclass(frozen=True, slots=True)
class Site:
    """What the services of a deployment share."""

    name: str
    spec: DeploymentSpec
    network: AwsNetwork
    access: AwsAccess
    key_arn: pulumi.Output[str]
    account: pulumi.Output[str]
    places: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    """Place of skerry.application -> what stands there, where it is no secret."""
    secrets: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    """Place, or secret key of the stack, -> its value."""
    bucket_arn: pulumi.Output[str] | None = None
    queue_arn: pulumi.Output[str] | None = None
    queue_name: pulumi.Output[str] | None = None


@dataclass(frozen=True, slots=True)
class Values:
    """The environment of a service: what can be read in its description, and what is fetched at its start."""

    plain: dict[str, str]
    open: dict[str, pulumi.Input[str]]
    """Values that are no secrets, known once the stores are there."""
    secret: dict[str, pulumi.Input[str]]


def values_of(application: Application, site: Site) -> Values:
    """Return the environment of a service, by how each value reaches it.

    Raises:
        UsageError: a value names a place that is none.
    """
    found = Values({}, {}, {})
    for name, text in application.environment.items():
        named = places_in(text)
        if not named:
            found.plain[name] = text
        elif named[0] in SECRET_PLACES:
            found.secret[name] = site.secrets[named[0]]
        else:
            found.open[name] = pulumi.Output.concat(*parts_of(text, site.places))
    for name, key in application.spec.secrets.items():
        found.secret[name] = site.secrets[key]
    return found


def parameters(
    parent: SkerryComponent, application: Application, site: Site, values: Mapping[str, pulumi.Input[str]], *, kind: str
) -> dict[str, ssm.Parameter]:
    """Keep values where a task finds them by a name that is known beforehand, so that its description stays readable.

    Args:
        parent: the service.
        application: the service as it is described.
        site: what it stands on.
        values: variable -> value.
        kind: `String`, or `SecureString`, which is under the deployment's key.
    """
    secure = kind == "SecureString"
    return {
        name: ssm.Parameter(
            parent.child_name(f"value-{_slug_of(name)}"),
            name=parameter_name(application, name),
            type=kind,
            value=value,
            key_id=site.key_arn if secure else None,
            opts=parent.child_options(),
        )
        for name, value in values.items()
    }


def _slug_of(variable: str) -> str:
    """Return a part of a name for a variable: short, readable, and unlike that of every other variable."""
    digest = hashlib.sha256(variable.encode()).hexdigest()[:6]
    return f"{variable.lower().replace('_', '')[:20]}-{digest}"


def parameter_name(application: Application, variable: str) -> str:
    """Return where the value of a variable is kept."""
    return f"/{pulumi.get_stack()}/{application.name}/{variable}"


def value_statements(
    site: Site, kept: Mapping[str, ssm.Parameter], *, one_by_one: bool = False
) -> pulumi.Output[list[Statement]]:
    """Return what reading the values asks, of ECS at the start or of the program itself."""
    found: pulumi.Output[list[Statement]] = pulumi.Output.all(
        pulumi.Output.all(*(one.arn for one in kept.values())), site.key_arn
    ).apply(lambda got: value_rights(got[0], got[1], one_by_one=one_by_one))
    return found


def log_group(parent: SkerryComponent, application: Application, site: Site) -> cloudwatch.LogGroup:
    """Make the log group of a service, under a name that is known beforehand."""
    return cloudwatch.LogGroup(
        parent.child_name("logs"),
        name=f"/{pulumi.get_stack()}/{application.name}",
        retention_in_days=LOG_DAYS,
        kms_key_id=site.key_arn,
        opts=parent.child_options(),
    )


def role(
    parent: SkerryComponent, name: str, service: str, policy: pulumi.Input[str] | None, limit: int = 56
) -> iam.Role:
    """Make a role for a service of AWS, with one policy of its own."""
    made = iam.Role(parent.child_name(name, limit), assume_role_policy=trust_of(service), opts=parent.child_options())
    if policy is not None:
        iam.RolePolicy(parent.child_name(name), role=made.id, policy=policy, opts=parent.child_options())
    return made


def as_document(statements: list[Statement]) -> str:
    """Return a policy of statements."""
    return document(*statements)


def service_facts(
    application: Application, spec: DeploymentSpec, image: ImageFact, autoscaler: str, *, at_rest: bool
) -> ComponentFacts:
    """Return what readers may know of a service.

    Args:
        application: the service.
        spec: the deployment.
        image: its image.
        autoscaler: who decides how many run.
        at_rest: whether its disk is encrypted.
    """
    scale, row = application.spec.scale, application.spec
    typical = scale.minimum if scale.typical is None else scale.typical
    return ComponentFacts(
        tier=Tier.EXECUTION,
        role="service",
        data_class=spec.data_class,
        images=(image,),
        ports={name: port.port for name, port in application.definition.ports.items()},
        endpoints=tuple(_endpoints(application)),
        scaling=ScalingFact(
            minimum=scale.minimum,
            typical=typical,
            maximum=scale.maximum,
            autoscaler=autoscaler if application.scales else None,
        ),
        replicas=scale.minimum,
        failure_domains=len(spec.target.failure_domains),
        encrypted_at_rest=at_rest or None,
        encrypted_in_transit=True if row.exposure is not Exposure.NONE else None,
    )


def _endpoints(application: Application) -> list[EndpointFact]:
    found = [
        EndpointFact(
            name=host,
            host=host,
            port=443,
            protocol="https",
            direction="egress",
            scope="internet",
            why=f"{application.name} calls it",
        )
        for host in application.definition.egress
    ]
    for one in application.spec.site_endpoints:
        found.append(
            EndpointFact(
                name=one.host,
                host=one.host,
                port=one.port,
                protocol="tcp",
                direction="egress",
                scope="site",
                why=f"{application.name} calls it",
            )
        )
    return found


def needs(application: Application, need: Need) -> bool:
    """Say whether a service needs a store."""
    return need in application.definition.needs


def metric(name: str, namespace: str, dimensions: list[dict[str, Any]], stat: str) -> dict[str, Any]:
    """Return one figure of CloudWatch as autoscaling reads it."""
    return {"metric": {"metric_name": name, "namespace": namespace, "dimensions": dimensions}, "stat": stat}
