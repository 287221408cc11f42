"""ACC003: services of one deployment that act under one name, so that nobody can tell or bound what each does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from policies.context import Context
from policies.reading import mapping, read
from policies.verdict import Judgement, Rule, Severity, ok, undetermined, violation
from policies.workloads import REPLICATED, containers, namespace_of, of_kind, pod_template
from skerry.graph import UNKNOWN, Resource, ResourceGraph, plain

_SERVICE: Final = "skerry:index:ClusterService"
_IDENTITIES: Final = (
    "iam.gke.io/gcp-service-account",
    "azure.workload.identity/client-id",
    "eks.amazonaws.com/role-arn",
)
"""Annotations of a service account with an identity at a cloud.

Source: components/gcp/platform.py, components/azure/agents.py; of EKS "IAM roles for service accounts" (not opened).
"""


def _named_apart(graph: ResourceGraph, context: Context) -> Iterator[Judgement]:
    services = [row for row in of_kind(graph, *REPLICATED) if _of_service(graph, row)]
    names = {row.urn: _names(graph, row) for row in services}
    users: dict[str, list[Resource]] = {}
    for row in services:
        for one in names[row.urn] or ():
            users.setdefault(one, []).append(row)
    for row in services:
        found = names[row.urn]
        if found is None:
            yield undetermined(row, "under which name it acts is not known before a deployment")
            continue
        shared = sorted(one for one in found if len(users[one]) > 1)
        if shared:
            others = sorted({_service(graph, other) for one in shared for other in users[one]} - {_service(graph, row)})
            text = f"it acts as {', '.join(others)} too: {'; '.join(shared)}: each may do what any of them may"
            yield violation(row, text, "spec.template.spec")
        else:
            yield ok(row)


def _of_service(graph: ResourceGraph, row: Resource) -> bool:
    parent = graph.get(row.parent) if row.parent else None
    return parent is not None and parent.type == _SERVICE


def _service(graph: ResourceGraph, row: Resource) -> str:
    parent = graph.get(row.parent) if row.parent else None
    return parent.name if parent is not None else row.name


def _names(graph: ResourceGraph, row: Resource) -> set[str] | None:
    """Return the identity and the logins of a workload; None where they are not known."""
    template = plain(pod_template(row))
    if template is UNKNOWN:
        return None
    found: set[str] = set()
    account = read(template, "spec.serviceAccountName", "default")
    if account is UNKNOWN:
        return None
    if _identified(graph, row, account):
        found.add(f"the identity of '{account}'")
    for _, container in containers(row):
        if container is UNKNOWN:
            return None
        found |= {f"the login in the Secret '{name}'" for name in _logins(container)}
    return found


def _identified(graph: ResourceGraph, row: Resource, account: str) -> bool:
    where = namespace_of(graph, row)
    for one in of_kind(graph, "ServiceAccount"):
        if read(one.inputs, "metadata.name") == account and namespace_of(graph, one) == where:
            annotations = mapping(one.inputs, "metadata.annotations")
            return annotations is not UNKNOWN and any(key in annotations for key in _IDENTITIES)
    return False


def _logins(container: Mapping[str, Any]) -> set[str]:
    """Return the Secrets of which a container reads a password or a key."""
    variables = container.get("env") or []
    references = [read(one, "valueFrom.secretKeyRef") for one in variables if isinstance(one, dict)]
    return {
        f"{one['name']}"
        for one in references
        if isinstance(one, dict) and isinstance(one.get("name"), str) and one.get("key") in ("password", "secret-key")
    }


RULES: Final = (
    Rule(
        id="ACC003",
        title="each service of a cluster acts under a name of its own",
        severity=Severity.LOW,
        rationale="who takes one service over has what all of them may do, and no log tells them apart",
        remedy="name the Secret of a login of its own in `database_secret`; on AWS the base makes an identity for each",
        controls=("NIST SP 800-53 AC-6", "CIS Kubernetes 5.1.5"),
        subject="services on a cluster",
        check=_named_apart,
    ),
)
"""The rule of shared names."""
