"""What the whole of a deployment is under, as the readers see it, whatever the system."""

from __future__ import annotations

from skerry.config.hybrid import CALLED, PORT
from skerry.config.spec import DeploymentSpec, Layer
from skerry.facts import AcceptedLicenceFact, BoundaryFact, DeploymentFact, HybridFact, TargetFact, WaiverFact


def target_fact(spec: DeploymentSpec) -> TargetFact:
    """Return where a deployment stands, as the readers see it."""
    target = spec.target
    return TargetFact(
        kind=target.kind.value,
        connected=target.connected,
        region=target.region,
        jurisdiction=target.jurisdiction,
        zones=target.failure_domains,
        image_access=target.image_access.value,
        site_registry=target.site_registry,
    )


def deployment_fact(spec: DeploymentSpec) -> DeploymentFact:
    """Return what a deployment is under, as the readers see it."""
    return DeploymentFact(
        system=spec.system.value,
        mode=spec.mode.value,
        production=spec.production,
        residency_profile=spec.residency.profile,
        boundaries=tuple(
            BoundaryFact(data_class=row.data_class, jurisdictions=row.jurisdictions)
            for row in spec.residency.boundaries
        ),
        target=target_fact(spec),
        state_backend=spec.state.backend,
        state_jurisdiction=spec.state.jurisdiction,
        secrets_provider=spec.state.secrets_provider,
        secrets_jurisdiction=spec.state.secrets_jurisdiction,
        budget_usd_per_month=spec.budget.maximum_usd_per_month if spec.budget else None,
        waivers=tuple(
            WaiverFact(rule=row.rule, resource=row.resource, owner=row.owner, reason=row.reason, expires=row.expires)
            for row in spec.waivers
        ),
        accepted_licences=tuple(
            AcceptedLicenceFact(licence=row.licence, accepted_by=row.accepted_by, accepted_on=row.accepted_on)
            for row in spec.licences
        ),
        hybrid=_hybrid_fact(spec),
    )


def _hybrid_fact(spec: DeploymentSpec) -> HybridFact | None:
    hybrid = spec.hybrid
    if hybrid is None:
        return None
    return HybridFact(
        side=hybrid.side.value,
        hosts=tuple(hybrid.host(agents) for agents in CALLED),
        ranges=hybrid.entrance_cidrs,
        port=PORT,
        round_trip_ms=hybrid.round_trip_ms,
        base_stack=spec.target.base_stack if spec.layer is Layer.PLATFORM else None,
    )


def labels_of(spec: DeploymentSpec) -> dict[str, str]:
    """Return the labels on every Kubernetes object."""
    return {
        "app.kubernetes.io/part-of": spec.system.value,
        "app.kubernetes.io/managed-by": "skerry",
        "skerry.dev/data-class": spec.data_class.value,
        **spec.tags,
    }
