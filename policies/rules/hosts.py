"""HST: machines without an orchestrator are shut to the world, call each other in secret, fit, and can be restored."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Final

from policies.context import Context, boundary
from policies.verdict import Judgement, Rule, Severity, not_applicable, ok, undetermined, violation
from skerry.gpus import gpu_model
from skerry.graph import Resource, ResourceGraph
from skerry.hosts.facts import SECRET_SCHEMES, HostFact, OpenPortFact
from skerry.jurisdictions import inside

_LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")


def _hosts(context: Context) -> Iterator[tuple[Resource, HostFact]]:
    for resource, _ in context.components():
        found = context.own[resource.urn].host
        if found is not None:
            yield resource, found


def _everybody(text: str) -> bool:
    try:
        network = ipaddress.ip_network(text)
    except ValueError:
        return True
    # Half of all addresses and more is what somebody writes who means all of them.
    return network.prefixlen <= 1


def _reached(port: OpenPortFact, host: HostFact) -> bool:
    """Say whether anybody beyond the machine, and beyond the overlay, is let in."""
    if port.bind in _LOOPBACK:
        return False
    return bool(port.sources) or host.firewall == "none"


def _named(port: OpenPortFact) -> str:
    last = f"-{port.last}" if port.last else ""
    return f"'{port.owner}' on {port.port}{last}/{port.protocol}"


def _world(graph: ResourceGraph, context: Context) -> Iterator[Judgement]:
    for resource, host in _hosts(context):
        found = False
        for at, port in enumerate(host.open_ports):
            if not _reached(port, host) or not (any(map(_everybody, port.sources)) or not port.sources):
                continue
            who = "every address there is" if port.sources else "whoever reaches the machine, since it has no firewall"
            if port.scheme not in ("https", "wss", "wireguard"):
                found = True
                yield violation(resource, f"{_named(port)} is open to {who}", f"host.openPorts[{at}].sources")
        if not found:
            yield ok(resource)


def _shut(graph: ResourceGraph, context: Context) -> Iterator[Judgement]:
    for resource, host in _hosts(context):
        if host.firewall == "none":
            yield violation(resource, "nothing holds packets of this machine", "host.firewall")
        else:
            yield ok(resource)


def _plain(graph: ResourceGraph, context: Context) -> Iterator[Judgement]:
    for resource, host in _hosts(context):
        found = [
            (at, port)
            for at, port in enumerate(host.open_ports)
            if _reached(port, host) and port.scheme not in SECRET_SCHEMES and port.scheme != "multicast"
        ]
        for at, port in found:
            whom = ", ".join(port.sources) or "everybody"
            text = f"{_named(port)} speaks {port.scheme} to {whom}, and anybody between reads it"
            yield violation(resource, text, f"host.openPorts[{at}].scheme")
        if not found:
            yield ok(resource)


def _key(graph: ResourceGraph, context: Context) -> Iterator[Judgement]:
    for resource, host in _hosts(context):
        if host.host_key_known is None:
            yield not_applicable("nobody logs in to deploy it", resource)
        elif host.host_key_known:
            yield ok(resource)
        else:
            text = "its SSH key is not pinned: whoever answers at its address gets its secrets"
            yield violation(resource, text, "host.hostKeyKnown")


def _copies(graph: ResourceGraph, context: Context) -> Iterator[Judgement]:
    for resource, host in _hosts(context):
        if host.backup_recipients is None:
            if host.keeps:
                text = f"nothing copies away what {', '.join(host.keeps)} keep"
                yield violation(resource, text, "host.backupRecipients")
            else:
                yield not_applicable("it keeps nothing", resource)
        elif host.backup_recipients == 0:
            text = "its backups hold what it keeps, keys among it, and are not encrypted"
            yield violation(resource, text, "host.backupRecipients")
        else:
            yield ok(resource)


def _elsewhere(graph: ResourceGraph, context: Context) -> Iterator[Judgement]:
    for resource, host in _hosts(context):
        if host.backup_recipients is None:
            yield not_applicable("nothing is copied away", resource)
        elif host.backup_off_host is None:
            yield violation(resource, "its backups lie on the machine that they are for", "host.backupOffHost")
        else:
            yield ok(resource, host.backup_off_host)


def _abroad(graph: ResourceGraph, context: Context) -> Iterator[Judgement]:
    for resource, host in _hosts(context):
        deployment = context.deployment(resource)
        row = boundary(deployment, context.facts(resource).data_class) if deployment is not None else None
        if host.backup_jurisdiction is None or row is None:
            yield not_applicable("no copy leaves it, or no boundary reaches it", resource)
        elif inside(host.backup_jurisdiction, row.jurisdictions):
            yield ok(resource)
        else:
            allowed = ", ".join(row.jurisdictions)
            text = f"copies go to {host.backup_jurisdiction}, but its data must stay in {allowed}"
            yield violation(resource, text, "host.backupJurisdiction")


def _memory(graph: ResourceGraph, context: Context) -> Iterator[Judgement]:
    for resource, host in _hosts(context):
        has = round(host.memory_gib * 1024)
        if host.memory_caps_mib > has:
            text = f"its services may take {host.memory_caps_mib:,} MiB of {has:,}"
            yield violation(resource, text, "host.memoryCapsMib")
        elif host.uncapped:
            text = f"nothing bounds the memory of {', '.join(host.uncapped)}, so that the sum could not be told"
            yield undetermined(resource, text, "host.uncapped")
        else:
            yield ok(resource, f"{host.memory_caps_mib:,} of {has:,} MiB")


def _gpus(graph: ResourceGraph, context: Context) -> Iterator[Judgement]:
    for resource, host in _hosts(context):
        if not host.gpus:
            yield not_applicable("it has no GPU", resource)
            continue
        total = sum(host.gpu_percent.values())
        if host.gpu_model is not None and gpu_model(host.gpu_model, host.gpu_memory_gib) is None:
            yield undetermined(resource, f"nothing is known of the GPU {host.gpu_model}", "host.gpuModel")
        elif total > 100 * host.gpus:
            yield violation(resource, f"parts of its GPUs sum to {total} % of {100 * host.gpus}", "host.gpuPercent")
        else:
            yield ok(resource, f"{total} % of {100 * host.gpus}")


def _tokens(graph: ResourceGraph, context: Context) -> Iterator[Judgement]:
    for resource, host in _hosts(context):
        found = False
        for service in host.dev_tokens:
            for at, port in enumerate(host.open_ports):
                if port.owner == service and port.bind not in _LOOPBACK:
                    found = True
                    text = f"{_named(port)} is bound to {port.bind} and takes a token for developers"
                    yield violation(resource, text, f"host.openPorts[{at}].bind")
        if not found:
            yield ok(resource)


def _first(graph: ResourceGraph, context: Context) -> Iterator[Judgement]:
    for resource, host in _hosts(context):
        names = ", ".join(host.trust_on_first_use)
        deployment = context.deployment(resource)
        if not names:
            yield ok(resource)
        elif deployment is not None and deployment.production:
            text = f"{names} trust whoever comes first, in production"
            yield violation(resource, text, "host.trustOnFirstUse")
        else:
            ranges = {
                text for port in host.open_ports if port.owner in host.trust_on_first_use for text in port.sources
            }
            wide = sorted(text for text in ranges if _everybody(text) or not _private(text))
            if wide:
                text = f"{names} trust whoever comes first from {', '.join(wide)}"
                yield violation(resource, text, "host.trustOnFirstUse")
            else:
                yield ok(resource, "on a private network, outside production")


def _private(text: str) -> bool:
    try:
        return ipaddress.ip_network(text).is_private
    except ValueError:
        return False


def _root(graph: ResourceGraph, context: Context) -> Iterator[Judgement]:
    for resource, host in _hosts(context):
        if host.runs_as_root:
            yield violation(resource, f"{', '.join(host.runs_as_root)} run as root", "host.runsAsRoot")
        else:
            yield ok(resource)


RESIDENCY: Final = (
    Rule(
        id="RES007",
        title="copies of what a machine keeps stay inside the boundary of its class",
        severity=Severity.CRITICAL,
        rationale="a backup is the data, wherever it lies and whoever holds it",
        remedy="copy to a place inside the boundary, and say its country in hosts.backup.off_host_jurisdiction",
        controls=("NIST SP 800-53 SA-9(5)", "NIST SP 800-53 CP-6", "GDPR Art. 44"),
        subject="machines without an orchestrator",
        check=_abroad,
    ),
)
RULES: Final = (
    Rule(
        id="HST001",
        title="no port of a machine is open to the world but those that speak TLS, and the overlay's",
        severity=Severity.CRITICAL,
        rationale="what everybody can reach is tried by everybody, within minutes",
        remedy="name who is let in: hosts.lan_cidrs, hosts.admin_cidrs or the overlay; put a proxy with TLS before it",
        controls=("NIST SP 800-53 SC-7(5)", "CIS Controls 4.4"),
        subject="machines without an orchestrator",
        check=_world,
    ),
    Rule(
        id="HST002",
        title="a firewall holds the packets of each machine",
        severity=Severity.HIGH,
        rationale="a service that listens by mistake is then reached by nobody",
        remedy="use hosts.firewall: nftables or ufw",
        controls=("NIST SP 800-53 SC-7(12)", "CIS Controls 4.4"),
        subject="machines without an orchestrator",
        check=_shut,
    ),
    Rule(
        id="HST003",
        title="what crosses a network outside the overlay is encrypted",
        severity=Severity.HIGH,
        rationale="tokens and prompts in plain HTTP are read by whoever shares the network",
        remedy="put a proxy with TLS before it, use the overlay alone, or waive it for a network of one owner",
        controls=("NIST SP 800-53 SC-8(1)", "GDPR Art. 32"),
        subject="machines without an orchestrator",
        check=_plain,
    ),
    Rule(
        id="HST004",
        title="whoever deploys to a machine knows its SSH key",
        severity=Severity.HIGH,
        rationale="an address can be taken over, and the deployment hands out secrets",
        remedy="name hosts.machines.<name>.ssh.host_key, read from the machine's own console",
        controls=("NIST SP 800-53 IA-3", "NIST SP 800-53 SC-23"),
        subject="machines without an orchestrator",
        check=_key,
    ),
    Rule(
        id="HST005",
        title="what a machine keeps is copied away, encrypted",
        severity=Severity.HIGH,
        rationale="disks die, and an archive with private keys is worth as much as the machine",
        remedy="describe hosts.backup with at least one recipient",
        controls=("NIST SP 800-53 CP-9(8)", "NIST SP 800-53 SC-28(1)"),
        subject="machines without an orchestrator",
        check=_copies,
    ),
    Rule(
        id="HST006",
        title="copies lie on another machine than what they are copies of",
        severity=Severity.MEDIUM,
        rationale="a fire, a thief or a blackmailer takes both",
        remedy="name hosts.backup.off_host",
        controls=("NIST SP 800-53 CP-6(1)",),
        subject="machines without an orchestrator",
        check=_elsewhere,
    ),
    Rule(
        id="HST007",
        title="what services may take of a machine's memory is no more than it has",
        severity=Severity.HIGH,
        rationale="the kernel kills something when memory ends, and it chooses what",
        remedy="lower the caps, cap every service, or move one to another machine",
        controls=("NIST SP 800-53 SC-6",),
        subject="machines without an orchestrator",
        check=_memory,
    ),
    Rule(
        id="HST008",
        title="parts of a machine's GPUs sum to no more than there is",
        severity=Severity.HIGH,
        rationale="a model that does not fit fails when it is loaded, not when it is planned",
        remedy="lower the parts, or move a service to another machine",
        controls=("NIST SP 800-53 SC-6",),
        subject="machines without an orchestrator",
        check=_gpus,
    ),
    Rule(
        id="HST009",
        title="no service under systemd runs as root",
        severity=Severity.HIGH,
        rationale="a fault in it is then the whole machine's",
        remedy="give it a user of its own",
        controls=("NIST SP 800-53 AC-6", "CIS Controls 5.4"),
        subject="machines without an orchestrator",
        check=_root,
    ),
    Rule(
        id="HST010",
        title="a token for developers is taken on the machine itself alone",
        severity=Severity.CRITICAL,
        rationale="everybody knows it, and who has it runs tools on every node",
        remedy="bind to 127.0.0.1, or use tokens of your own",
        controls=("NIST SP 800-53 IA-5(5)", "CIS Controls 4.7"),
        subject="machines without an orchestrator",
        check=_tokens,
    ),
    Rule(
        id="HST011",
        title="whoever comes first is trusted on a private network alone, and not in production",
        severity=Severity.HIGH,
        rationale="at the first meeting nobody can tell a node from somebody who stands between",
        remedy="use trust: pki, with keys and bundles that the site makes",
        controls=("NIST SP 800-53 IA-3", "NIST SP 800-53 SC-17"),
        subject="machines without an orchestrator",
        check=_first,
    ),
)
