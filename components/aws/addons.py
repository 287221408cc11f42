"""The add-ons of an EKS cluster, each AWS's own, and where their pods run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

import pulumi
from pulumi_aws import eks

from components.base import SkerryComponent
from components.kubernetes.cluster import TIER_LABEL
from skerry.config.eks import EBS_DRIVER, METRICS_ADDON, NETWORK_ADDON
from skerry.config.spec import DeploymentSpec
from skerry.facts import Tier

AFTER_MACHINES: Final = ("coredns", EBS_DRIVER, METRICS_ADDON)
"""Those whose pods need machines to run on; the others must be there before machines become ready."""


def add_addon(
    parent: SkerryComponent,
    spec: DeploymentSpec,
    cluster: eks.Cluster,
    addon: str,
    *,
    after: Sequence[pulumi.Resource] = (),
    driver_role: pulumi.Input[str] | None = None,
) -> eks.Addon:
    """Make one add-on.

    Args:
        parent: the cluster's component, whose child it is.
        spec: the deployment; `target.aws.eks` names versions.
        cluster: the control plane.
        addon: AWS's name of it.
        after: the machines that its pods run on.
        driver_role: of the driver of volumes.
    """
    identities = [{"service_account": "ebs-csi-controller-sa", "role_arn": driver_role}] if driver_role else None
    return eks.Addon(
        parent.child_name("ebs-csi" if addon == EBS_DRIVER else addon),
        cluster_name=cluster.name,
        addon_name=addon,
        addon_version=spec.target.aws.eks.addon_versions.get(addon),
        configuration_values=_settings(spec, addon),
        pod_identity_associations=identities,
        resolve_conflicts_on_create="OVERWRITE",
        resolve_conflicts_on_update="PRESERVE",
        opts=parent.child_options(depends_on=list(after)),
    )


def _settings(spec: DeploymentSpec, addon: str) -> str | None:
    eks_ = spec.target.aws.eks
    where = _on(Tier.META if eks_.system_machines is None else Tier.PLATFORM)
    if addon in ("coredns", METRICS_ADDON):
        return json.dumps(where)
    if addon == EBS_DRIVER:
        return json.dumps({"controller": where})
    if addon != NETWORK_ADDON:
        return None
    # The CNI's own agent is what enforces network policies. Source: Amazon EKS "Limit Pod traffic with
    # Kubernetes network policies", read 2026-11
    settings: dict[str, Any] = {"enableNetworkPolicy": "true"}
    if eks_.prefix_delegation:
        settings["env"] = {"ENABLE_PREFIX_DELEGATION": "true", "WARM_PREFIX_TARGET": "1"}
    return json.dumps(settings)


def _on(tier: Tier) -> dict[str, Any]:
    return {
        "nodeSelector": {TIER_LABEL: tier.value},
        "tolerations": [{"key": TIER_LABEL, "operator": "Equal", "value": tier.value, "effect": "NoSchedule"}],
    }
