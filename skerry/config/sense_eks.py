"""What the options of an EKS cluster must be to each other and to the rest of the deployment."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from skerry.config.eks import ADDONS, NETWORK_ADDON, CapacityKind
from skerry.config.pools import type_of
from skerry.config.spec import DeploymentSpec, Purchase, TargetKind
from skerry.errors import CatalogError, Problem
from skerry.instances import instance_type

EFA_ONLY_CNI: Final = (1, 18, 5)
"""The first VPC CNI that leaves interfaces for EFA alone in peace.

Source: Amazon EKS "Run machine learning training on Amazon EKS with Elastic Fabric Adapter", read 2026-11.
"""

_PATH: Final = "target.aws.eks"
_VERSION: Final = re.compile(r"^v(\d+)\.(\d+)\.(\d+)")


def eks_problems(spec: DeploymentSpec) -> Iterator[Problem]:
    """Yield everything that cannot be."""
    yield from _role(spec)
    yield from _addons(spec)
    yield from _system(spec)
    yield from _gpus(spec)


def _role(spec: DeploymentSpec) -> Iterator[Problem]:
    account, role = spec.target.aws.account_id, spec.target.aws.deployment_role
    if account and role and role.split(":")[4] != account:
        text = f"'{role}' is of another account than '{account}', the only one that the provider may touch"
        yield Problem("target.aws.deployment_role", text, "name a role of target.aws.account_id")


def _addons(spec: DeploymentSpec) -> Iterator[Problem]:
    eks = spec.target.aws.eks
    for name in eks.addon_versions:
        if name not in ADDONS:
            yield Problem(f"{_PATH}.addon_versions.{name}", "is no add-on of the cluster", f"use {', '.join(ADDONS)}")
    found = _VERSION.match(eks.addon_versions.get(NETWORK_ADDON, ""))
    if eks.efa and found and tuple(map(int, found.groups())) < EFA_ONLY_CNI:
        least = "v" + ".".join(map(str, EFA_ONLY_CNI))
        text = f"'{found[0]}' does not know interfaces for EFA alone, which efa needs"
        yield Problem(f"{_PATH}.addon_versions.{NETWORK_ADDON}", text, f"use {least} or newer")


def _system(spec: DeploymentSpec) -> Iterator[Problem]:
    wanted = spec.target.aws.eks.system_machines
    if wanted is None:
        return
    path = f"{_PATH}.system_machines.instance_type"
    try:
        found = instance_type(TargetKind.AWS.value, wanted.instance_type)
    except CatalogError as exc:
        yield Problem(path, str(exc))
        return
    if found.gpus:
        yield Problem(path, f"'{found.name}' has {found.gpus} GPUs, which the cluster's own pods do not use", "use a "
                      "type without")  # fmt: skip


def _gpus(spec: DeploymentSpec) -> Iterator[Problem]:
    eks, pool, zones = spec.target.aws.eks, spec.cognitive.pool, spec.target.failure_domains
    if eks.gpu_zone is not None and eks.gpu_zone not in zones:
        text = f"'{eks.gpu_zone}' is not among target.failure_domains"
        yield Problem(f"{_PATH}.gpu_zone", text, f"use {', '.join(zones)}")
    if eks.gpu_capacity is not None and pool is None:
        yield Problem(f"{_PATH}.gpu_capacity", "reserves GPU machines, and there is no pool of them", "remove it")
    if pool is None:
        return
    if eks.gpu_capacity is not None and eks.gpu_zone is None:
        yield Problem(f"{_PATH}.gpu_zone", "is required with gpu_capacity", "name the zone of the reservation")
    if eks.gpu_capacity is not None and pool.purchase is Purchase.SPOT:
        text = f"is spot, and a {eks.gpu_capacity.kind.value} is not"
        yield Problem("cognitive.pool.purchase", text, "use on-demand")
    if eks.gpu_capacity is not None and eks.gpu_capacity.kind is CapacityKind.BLOCK and spec.production:
        text = "is a block, which ends on a day, and its machines with it"
        yield Problem(f"{_PATH}.gpu_capacity.kind", text, "use a reservation in production")
    try:
        machine = type_of(TargetKind.AWS, pool.machine)
    except CatalogError:
        return  # another check says so
    if eks.efa and machine.fabric_interfaces and eks.gpu_zone is None:
        text = f"is required with efa: the {machine.fabric_interfaces} adapters of '{machine.name}' reach one zone"
        yield Problem(f"{_PATH}.gpu_zone", text, "name the zone of the GPU machines")
