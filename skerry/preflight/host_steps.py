"""What people do for machines without an orchestrator before a deployment: secrets, log-ins, files that are carried."""

from __future__ import annotations

from collections.abc import Iterator

from skerry.facts import facts_of
from skerry.graph import Resource, ResourceGraph
from skerry.hosts.facts import HostFact
from skerry.preflight.document import Mark, Step

MACHINES, SECRETS = "machines", "secrets"


def host_steps(graph: ResourceGraph) -> Iterator[Step]:
    """Yield what must be so of each machine, and which secrets of the stack they get.

    Args:
        graph: the plan.
    """
    rows = [(resource, facts.host) for resource in graph.resources if (facts := facts_of(resource)) and facts.host]
    for resource, host in rows:
        yield from _machine(resource, host)
    named = sorted({key for _, host in rows for key in host.secrets})
    if named:
        stack = rows[0][0].stack
        text = f"the stack has the secrets {', '.join(named)}: made at the site, never by the program"
        yield Step(SECRETS, text, Mark.DUE, f"pulumi config --stack {stack}")


def _machine(resource: Resource, host: HostFact) -> Iterator[Step]:
    match host.delivery:
        case "ssh":
            known = "with the key that the stack pins" if host.host_key_known else "with a key that nobody pinned"
            yield Step(MACHINES, f"{resource.name} answers SSH at {host.address} {known}", Mark.DUE)
        case "cloud-init":
            yield Step(MACHINES, f"{resource.name} is rented with the rendered user-data.yaml", Mark.DUE)
        case _:
            text = f"people carry the files of {resource.name} ({host.os}) there, as `skerry render` wrote them"
            yield Step(MACHINES, text, Mark.DUE, f"skerry render --stack {resource.stack} --out rendered")
    for row in host.carries:
        text = f"{row.name} {row.version} ({row.kind}) is brought to {resource.name}: {row.why}"
        yield Step(MACHINES, text, Mark.DUE, f"skerry bundle plan --stack {resource.stack}")
