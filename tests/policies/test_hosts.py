"""HST and RES007: machines that are shut, known, restored and not overfull; one change of a graph that passes each."""

from __future__ import annotations

from typing import Any

import pytest

from policies.rules.hosts import RESIDENCY, RULES
from policies.runner import check
from policies.verdict import Rule, Verdict
from skerry.facts import BoundaryFact, ComponentFacts, DataClass, DeploymentFact, TargetFact
from skerry.graph import Resource, ResourceGraph
from skerry.hosts.facts import HostFact, OpenPortFact
from tests.simulators.policy_graphs import TODAY

by_id = {rule.id: rule for rule in (*RULES, *RESIDENCY)}

API: dict[str, Any] = {
    "name": "http", "port": 8787, "protocol": "tcp", "scheme": "https", "bind": "0.0.0.0",
    "sources": ("10.1.0.0/24",), "owner": "gateway",
}  # fmt: skip
GOOD: dict[str, Any] = {
    "address": "10.1.0.10", "os": "debian", "arch": "amd64", "vcpu": 8, "memory_gib": 32, "storage_gib": 100,
    "gpu_model": "RTX 4090", "gpus": 1, "gpu_memory_gib": 24, "delivery": "ssh", "host_key_known": True,
    "firewall": "nftables", "open_ports": (OpenPortFact(**API),), "memory_caps_mib": 4096,
    "gpu_percent": {"gateway": 40, "other": 60}, "backup_recipients": 1, "backup_off_host": "sftp://store/backups",
    "backup_jurisdiction": "DE", "keeps": ("gateway",),
}  # fmt: skip


def graph(production: bool = False, **changes: Any) -> ResourceGraph:
    deployment = DeploymentFact(
        system="agent-mesh",
        mode="small-team",
        production=production,
        residency_profile="eu",
        boundaries=(BoundaryFact(data_class=DataClass.INTERNAL, jurisdictions=("EU",)),),
        target=TargetFact(kind="hosts", connected=True, jurisdiction="DE"),
        state_backend="file:///srv",
        state_jurisdiction="DE",
        secrets_provider="passphrase",
    )
    host = HostFact(**{**GOOD, **changes})
    root, child = (
        "urn:pulumi:s::p::skerry:index:Hosts::mesh",
        "urn:pulumi:s::p::skerry:index:Hosts$skerry:index:Host::gate",
    )
    facts = ComponentFacts(data_class=DataClass.INTERNAL, jurisdiction="DE", role="host", host=host)
    return ResourceGraph(
        "p",
        ("s",),
        (
            Resource(
                root, "skerry:index:Hosts", "mesh", False, inputs=ComponentFacts(deployment=deployment).to_inputs()
            ),
            Resource(child, "skerry:index:Host", "gate", False, inputs=facts.to_inputs(), parent=root),
        ),
    )


def judged(rule: Rule, found: ResourceGraph) -> tuple[Verdict, str, str]:
    [finding] = check(found, rules=(rule,), today=TODAY).findings
    return finding.verdict, finding.property_path, finding.message


def port(**changes: Any) -> dict[str, Any]:
    return {"open_ports": (OpenPortFact(**{**API, **changes}),)}


@pytest.mark.parametrize("rule", by_id)
def test_a_machine_as_it_should_be_keeps_every_rule(rule: str) -> None:
    assert judged(by_id[rule], graph())[0] is Verdict.OK


BROKEN: dict[str, tuple[str, dict[str, Any], str, str]] = {
    "plain HTTP to everybody": (
        "HST001", port(scheme="http", sources=("0.0.0.0/0",)), "host.openPorts[0].sources", "every address there is"),
    "half of all addresses is all of them": (
        "HST001", port(scheme="http", sources=("128.0.0.0/1",)), "host.openPorts[0].sources", "8787/tcp"),
    "IPv6 to everybody": ("HST001", port(scheme="http", sources=("::/0",)), "host.openPorts[0].sources", "'gateway'"),
    "SSH to everybody": (
        "HST001", port(scheme="ssh", port=22, sources=("0.0.0.0/0",)), "host.openPorts[0].sources", "22/tcp"),
    "a range to everybody": (
        "HST001", port(scheme="http", last=8797, sources=("0.0.0.0/0",)), "host.openPorts[0].sources", "8787-8797/tcp"),
    "no firewall, and a port that nobody shut": (
        "HST001", {"firewall": "none", **port(scheme="http", sources=())}, "host.openPorts[0].sources", "no firewall"),
    "no firewall": ("HST002", {"firewall": "none"}, "host.firewall", "nothing holds packets"),
    "plain HTTP on the local network": (
        "HST003", port(scheme="http"), "host.openPorts[0].scheme", "speaks http to 10.1.0.0/24"),
    "Redis without TLS": ("HST003", port(scheme="redis", port=6379), "host.openPorts[0].scheme", "speaks redis"),
    "an SSH key that nobody knows": ("HST004", {"host_key_known": False}, "host.hostKeyKnown", "not pinned"),
    "no backup of what it keeps": (
        "HST005", {"backup_recipients": None}, "host.backupRecipients", "nothing copies away what gateway keep"),
    "a backup in plain": ("HST005", {"backup_recipients": 0}, "host.backupRecipients", "not encrypted"),
    "a backup beside what it copies": (
        "HST006", {"backup_off_host": None, "backup_jurisdiction": None}, "host.backupOffHost", "on the machine"),
    "caps above the memory": ("HST007", {"memory_caps_mib": 32769}, "host.memoryCapsMib", "32,769 MiB of 32,768"),
    "parts above the GPU": (
        "HST008", {"gpu_percent": {"a": 60, "b": 41}}, "host.gpuPercent", "101 % of 100"),
    "a service as root": ("HST009", {"runs_as_root": ("gateway",)}, "host.runsAsRoot", "gateway run as root"),
    "a developers' token on every address": (
        "HST010", {"dev_tokens": ("gateway",)}, "host.openPorts[0].bind", "bound to 0.0.0.0"),
    "trust on first use from the world": (
        "HST011", {"trust_on_first_use": ("gateway",), **port(sources=("8.8.8.0/24",))}, "host.trustOnFirstUse",
        "from 8.8.8.0/24"),
    "trust on first use in production": (
        "HST011", {"production": True, "trust_on_first_use": ("gateway",)}, "host.trustOnFirstUse", "in production"),
    "copies that leave the Union": (
        "RES007", {"backup_jurisdiction": "US"}, "host.backupJurisdiction", "copies go to US"),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN)
def test_a_machine_that_breaks_a_rule_is_told_where(case: str) -> None:
    rule, changes, path, says = BROKEN[case]
    verdict, where, message = judged(by_id[rule], graph(**changes))
    assert (verdict, where) == (Verdict.VIOLATION, path)
    assert says in message


OTHERS: dict[str, tuple[str, dict[str, Any], Verdict]] = {
    "TLS to everybody is meant": ("HST001", port(sources=("0.0.0.0/0",)), Verdict.OK),
    "the machine itself": ("HST003", port(scheme="http", bind="127.0.0.1", sources=()), Verdict.OK),
    "plain within the overlay": ("HST003", port(scheme="grpc", sources=(), overlay=True), Verdict.OK),
    "a service without a cap": ("HST007", {"uncapped": ("gateway",)}, Verdict.UNDETERMINED),
    "a GPU that nobody knows": ("HST008", {"gpu_model": "RTX 9999"}, Verdict.UNDETERMINED),
    "a developers' token on the machine itself": (
        "HST010", {"dev_tokens": ("gateway",), **port(bind="127.0.0.1", sources=())}, Verdict.OK),
    "trust on first use on a private network": ("HST011", {"trust_on_first_use": ("gateway",)}, Verdict.OK),
    "nobody logs in": ("HST004", {"host_key_known": None}, Verdict.NOT_APPLICABLE),
    "it keeps nothing": ("HST005", {"backup_recipients": None, "keeps": ()}, Verdict.NOT_APPLICABLE),
}  # fmt: skip


@pytest.mark.parametrize("case", OTHERS)
def test_what_is_no_violation(case: str) -> None:
    rule, changes, verdict = OTHERS[case]
    found = check(graph(**changes), rules=(by_id[rule],), today=TODAY).findings
    assert {one.verdict for one in found} == {verdict}


def test_a_foreign_program_has_no_machines() -> None:
    found = check(ResourceGraph("p", ("s",), ()), rules=RULES, today=TODAY).findings
    assert {one.verdict for one in found} == {Verdict.NOT_APPLICABLE}
