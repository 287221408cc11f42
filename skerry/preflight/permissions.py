"""What whoever deploys a plan must be allowed to do: on AWS the actions of each type of resource, as a policy.

The table skerry/data/aws_actions.csv holds the actions that CloudFormation's own handlers of a type need, to create,
read, change and delete it. Pulumi's provider calls the same API, now and then with another read: those that are known
stand in skerry/data/aws_provider_calls.csv, beside what the provider's functions that a program calls take. A first
deployment under the policy may still name one that is missing. On the other clouds the rights are roles, one for each
service.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from skerry.graph import ResourceGraph, find, plain

POLICY_CHARACTERS: Final = 6144
"""Characters of one managed policy, blanks not counted.

Source: AWS "IAM and AWS STS quotas", as public programs quote it, read 2026-11.
"""

OWN_ACTIONS: Final = ("sts:GetCallerIdentity",)
"""What the provider itself asks at its start, to compare the account with the one that it may touch."""

_DATA: Final = Path(__file__).resolve().parent.parent / "data"

_GCP_ROLES: Final[Mapping[str, str]] = {
    "gcp:certificatemanager": "roles/certificatemanager.editor",
    "gcp:cloudasset": "roles/cloudasset.owner",
    "gcp:cloudrunv2": "roles/run.admin",
    "gcp:compute": "roles/compute.networkAdmin",
    "gcp:compute/networkFirewallPolicy:NetworkFirewallPolicy": "roles/compute.securityAdmin",
    "gcp:compute/networkFirewallPolicyRule:NetworkFirewallPolicyRule": "roles/compute.securityAdmin",
    "gcp:compute/regionBackendService:RegionBackendService": "roles/compute.loadBalancerAdmin",
    "gcp:compute/regionSecurityPolicy:RegionSecurityPolicy": "roles/compute.securityAdmin",
    "gcp:compute/firewall:Firewall": "roles/compute.securityAdmin",
    "gcp:container": "roles/container.admin",
    "gcp:dns": "roles/dns.admin",
    "gcp:kms": "roles/cloudkms.admin",
    "gcp:projects": "roles/resourcemanager.projectIamAdmin",
    "gcp:pubsub": "roles/pubsub.admin",
    "gcp:redis": "roles/redis.admin",
    "gcp:secretmanager": "roles/secretmanager.admin",
    "gcp:serviceaccount": "roles/iam.serviceAccountAdmin",
    "gcp:servicenetworking": "roles/servicenetworking.networksAdmin",
    "gcp:sql": "roles/cloudsql.admin",
    "gcp:storage": "roles/storage.admin",
}
"""Type or module -> the role that may make and change it.

Source: Google Cloud "IAM roles and permissions index" (not opened; check before relying on it).
"""

GCP_USER_ROLE: Final = "roles/iam.serviceAccountUser"
"""To give machines and services an account of their own. Source: as for `_GCP_ROLES`."""

AZURE_ROLES: Final = ("Contributor", "Role Based Access Control Administrator")
"""Of the resource groups of a plan: to make things, and to give their identities rights.

Source: Azure "Azure built-in roles" (not opened; check before relying on it).
"""


@dataclass(frozen=True, slots=True)
class Rights:
    """What a plan asks of whoever deploys it."""

    policies: tuple[Mapping[str, Any], ...]
    """IAM policy documents for AWS, each within the length of a managed policy."""
    roles: tuple[str, ...]
    """Roles on Google Cloud and Azure."""
    unknown: tuple[str, ...]
    """Types of which no source says what they need."""


@cache
def _rows(name: str) -> Mapping[str, str]:
    with (_DATA / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return {row["type"].lower(): row["actions"] for row in csv.DictReader(file)}


def actions_of(token: str) -> tuple[str, ...] | None:
    """Return the IAM actions that a type of resource, or a provider's function, takes; None where no source says so.

    Args:
        token: `aws:ec2/vpc:Vpc`, or `aws:route53/getZone:getZone`.

    Returns:
        The actions, sorted.
    """
    table = _rows("aws_actions")
    found = table.get(token.lower())
    if found is None:
        module, _, name = token.partition("/")
        found = table.get(f"aws::{module.removeprefix('aws:')}::{name.rsplit(':', 1)[-1]}".lower())
    if found is not None and found.startswith("="):
        found = table.get(found[1:].lower())
    own = _rows("aws_provider_calls").get(token.lower())
    if found is None and own is None:
        return None
    return tuple(sorted({*(found or "").split(), *(own or "").split()}))


def rights_of(graph: ResourceGraph) -> Rights:
    """Return what a plan asks of whoever deploys it."""
    tokens = sorted({one.type for one in graph.resources if one.custom and not one.is_provider})
    tokens += sorted({one.token for one in graph.invokes if one.token.startswith("aws:")})
    known = {token: actions_of(token) for token in tokens if token.startswith("aws:")}
    actions = {action for found in known.values() for action in found or ()}
    roles = {_gcp_role(token): token for token in tokens if token.startswith("gcp:")}
    unknown = [token for token, found in known.items() if found is None]
    unknown += [token for role, token in roles.items() if role is None]
    named = {role for role in roles if role}
    if "gcp:container/nodePool:NodePool" in tokens or any(one.startswith("gcp:cloudrunv2/") for one in tokens):
        named.add(GCP_USER_ROLE)
    if any(token.startswith("azure-native:") for token in tokens):
        named |= set(AZURE_ROLES)
    policies = policies_of(actions, _trusted(graph)) if known else ()
    return Rights(tuple(policies), tuple(sorted(named)), tuple(sorted(unknown)))


def policies_of(actions: Iterable[str], passed_to: Sequence[str]) -> tuple[Mapping[str, Any], ...]:
    """Return the policy documents that allow these actions, as few as their length allows.

    Args:
        actions: what is to be allowed.
        passed_to: the services that may get a role; no other does.
    """
    actions = set(actions)
    wanted = sorted({*actions, *OWN_ACTIONS} - {"iam:PassRole"})
    services: dict[str, list[str]] = {}
    for action in wanted:
        services.setdefault(action.split(":", 1)[0], []).append(action)
    statements: list[dict[str, Any]] = [
        {"Effect": "Allow", "Action": listed, "Resource": "*"} for listed in services.values()
    ]
    if "iam:PassRole" in actions and passed_to:
        condition = {"StringEquals": {"iam:PassedToService": sorted(passed_to)}}
        statements.append({"Effect": "Allow", "Action": "iam:PassRole", "Resource": "*", "Condition": condition})
    documents: list[list[dict[str, Any]]] = [[]]
    for statement in statements:
        if documents[-1] and _length([*documents[-1], statement]) > POLICY_CHARACTERS:
            documents.append([])
        documents[-1].append(statement)
    return tuple(_document(one) for one in documents)


def _trusted(graph: ResourceGraph) -> tuple[str, ...]:
    """Return the services that the trust policies of the plan's roles name."""
    found: set[str] = set()
    for role in graph.of_type("aws:iam/role:Role"):
        text = plain(role.inputs).get("assumeRolePolicy")
        try:
            statements = json.loads(text)["Statement"] if isinstance(text, str) else []
        except (ValueError, KeyError, TypeError):
            continue  # not a document: the provider refuses it
        for one in statements if isinstance(statements, list) else []:
            services = find(one, "Principal.Service", [])
            found |= {services} if isinstance(services, str) else set(services)
    return tuple(sorted(found))


def _document(statements: list[dict[str, Any]]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": statements}


def _length(statements: list[dict[str, Any]]) -> int:
    return len(json.dumps(_document(statements), separators=(",", ":")))


def _gcp_role(token: str) -> str | None:
    return _GCP_ROLES.get(token) or _GCP_ROLES.get(token.split("/", 1)[0])
