"""The dual host as components: one a machine, one a service, and the facts that readers judge."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from skerry.facts import ComponentFacts, facts_of
from skerry.graph import ResourceGraph
from skerry.hosts.facts import HostFact
from skerry.render.files import files
from tests.simulators.changed_stacks import run_changed

SECRETS = ("skerry:webCertificate", "skerry:webKey", "skerry:backupKey", "skerry:sshKey", "skerry:registryLogin")


@cache
def graph() -> ResourceGraph:
    return run_changed("dual-host", {}, secrets=SECRETS)


def facts(name: str) -> ComponentFacts:
    found = facts_of(next(row for row in graph().resources if row.name == name))
    assert found is not None
    return found


def host(name: str) -> HostFact:
    found = facts(name).host
    assert found is not None
    return found


def test_the_components_of_a_stack_have_the_names_on_record(golden: Callable[[str, str], None]) -> None:
    rows = [f"{row.type}  {row.urn}" for row in graph().resources if row.type.startswith("skerry:index:")]
    golden("urns-dual-host.txt", "\n".join(rows) + "\n")


def test_names_bear_their_machine() -> None:
    names = [row.name for row in graph().resources if row.type.endswith(":HostProgram")]
    assert len(names) == len(set(names)) == 39
    assert {"mainpc-observability-hub", "pc2-observability-hub"} <= set(names)
    assert all(name.startswith(("mainpc-", "pc2-")) for name in names)


def test_parts_of_the_gpu_are_facts() -> None:
    assert sum(host("mainpc").gpu_percent.values()) == 100
    assert sum(host("pc2").gpu_percent.values()) == 70
    part = host("pc2").gpu_parts["dream-agents"]
    assert (part.mechanism, part.percent, part.memory_mib) == ("mps", 35, 4300)


def test_caps_are_facts_and_nothing_is_uncapped() -> None:
    found = {name: (host(name).memory_caps_mib, host(name).uncapped) for name in ("mainpc", "pc2")}
    assert found == {"mainpc": (26_239, ()), "pc2": (10_368, ())}


def test_each_group_is_a_file_of_its_machine_s_project() -> None:
    paths = [file.path for file in files(graph()) if "/etc/skerry/compose/" in file.path]
    assert len([path for path in paths if path.startswith("mainpc/")]) == 12
    assert len([path for path in paths if path.startswith("pc2/")]) == 8


def test_the_files_of_no_machine_are_the_root_s() -> None:
    paths = [file.path.removeprefix("dual-host/") for file in files(graph()) if file.path.startswith("dual-host/")]
    assert paths == [
        ".github/workflows/dual-host-images.yaml", "alerts.yaml", "decisions.md", "load-test/load.py",
        "load-test/plan.json", "scripts/health_probe.py",
    ]  # fmt: skip
