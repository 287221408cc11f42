"""The answer as people read it on a terminal; numbers in brackets are lines of the analysis."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Sequence

import yaml

from skerry.agentdb import tables
from skerry.agentdb.answer import Answer
from skerry.agentdb.beside import Scenario
from skerry.agentdb.load import Load
from skerry.agentdb.rows import Contradiction, Profile
from skerry.agentdb.service import Holds
from skerry.agentdb.settings import settings
from skerry.figures import Figure, Source, tidy

_COUNTED = ("nodes", "regions", "stores", "files", "machines")
"""Units that lose their plural where there is one."""
MARKS = {Holds.YES: "holds", Holds.NO: "does not hold", Holds.UNKNOWN: "cannot tell"}


def to_text(answer: Answer, width: int) -> str:
    """Return everything but the cost."""
    parts = [
        _head(answer, width),
        _architecture(answer, width),
        _node(answer, width),
        _load(answer, width),
        _storage(answer, width),
        _network(answer, width),
        _service(answer, width),
        _edge(answer, width),
        _fits(answer, width),
        _settings(answer),
    ]
    return "\n".join("\n".join(part) + "\n" for part in parts if part)


def seeds(lines: Iterable[str]) -> str:
    """Return lines of the analysis in brackets; nothing where there are none."""
    found = ", ".join(lines)
    return f" [{found}]" if found else ""


def told(one: Figure, places: int = 2) -> str:
    """Return a figure in words: its value, unit and lines; what is unknown says so."""
    if one.value is None:
        return f"unknown: {one.how}"
    unit = re.sub(r"^(\w+)s\b", r"\1", one.unit) if one.value == 1 and one.unit.startswith(_COUNTED) else one.unit
    return f"{tidy(one.known, places)} {unit}{seeds(one.seeds)}"


def wrapped(text: str, width: int, indent: str) -> list[str]:
    """Return text in lines of at most `width` columns."""
    return textwrap.wrap(text, max(width, 40), initial_indent=indent, subsequent_indent=indent + "  ")


def _head(answer: Answer, width: int) -> list[str]:
    agents = f"{answer.asked.agents:,} agent{'s' if answer.asked.agents != 1 else ''}"
    text = (
        "Brackets name the line of the analysis on which a number stands (003: AgentDB v2.0 scalability and deployment "
        "analysis); `derived` numbers are computed from such lines, `unknown` ones nobody measured."
    )
    return [
        f"AgentDB for {agents} on {answer.asked.target}",
        *wrapped(_short(answer), width, "  "),
        *wrapped(text, width, "  "),
    ]


def _short(answer: Answer) -> str:
    """Return the answer in a sentence."""
    layout, node = answer.layout, answer.node
    nodes = int(layout.nodes.known)
    where = f" in {tidy(layout.regions.known)} regions" if layout.regions.known > 1 else ""
    least = "at least " if node.memory_is_least else ""
    return (
        f"In short: {nodes} node{'s' if nodes > 1 else ''}{where} of {tidy(node.cores.known)} cores, "
        f"{least}{tidy(node.memory_mib.known / 1024)} GiB of memory and {tidy(node.disk_gb.known)} GB of disk."
    )


def _architecture(answer: Answer, width: int) -> list[str]:
    layout = answer.layout
    lines = ["Architecture", f"  {layout.architecture}{seeds([layout.row.seed])}"]
    lines += wrapped(f"{told(layout.nodes_a_region)}: {layout.nodes_a_region.how}", width, "  ")
    if layout.regions.known > 1:
        lines += wrapped(f"{told(layout.regions)}: {layout.regions.how}", width, "  ")
        lines += wrapped(f"{told(layout.nodes)} in all, {told(layout.agents_a_region)} a region", width, "  ")
    lines += [line for note in layout.notes for line in wrapped(f"warning: {note}", width, "  ")]
    row = answer.bottleneck
    gain = f": {row.remedy} ({row.gain})" if row.remedy else ""
    lines += wrapped(f"limited by {row.what}{gain}{seeds([row.seed])}", width, "  ")
    other = answer.other_bottleneck
    if other is not None and other.what != row.what:
        lines += wrapped(f"section 1 says: {other.what}{seeds([other.seed])}", width, "  ")
    return lines


def _node(answer: Answer, width: int) -> list[str]:
    node = answer.node
    lines = ["Each node (* counts: the largest that the load test does not contradict)"]
    parts = (
        ("memory", node.memory_mib, node.memory_by),
        ("cores", node.cores, node.cores_by),
        ("disk", node.disk_gb, node.disk_by),
        ("network", node.network_mbps, node.network_by),
    )
    for name, taken, sources in parts:
        least = "at least " if name == "memory" and node.memory_is_least else ""
        lines.append(f"  {name}: {least}{tidy(taken.known)} {taken.unit}")
        lines += _source_lines(sources, width)
        if name == "disk":
            done = ", or ".join(f"{tidy(one.per_second.known)} x {one.what}" for one in answer.carried)
            lines += wrapped(
                f"{answer.disk_iops.how}, {told(answer.disk_iops)}, does in a second {done}", width, "    "
            )
    return lines


def _source_lines(sources: Sequence[Source], width: int) -> list[str]:
    lines = []
    for one in sorted(sources, key=lambda source: (bool(source.why_not), -(source.figure.value or 0))):
        amount = "unknown" if one.figure.value is None else f"{tidy(one.figure.known)} {one.figure.unit}"
        why = f" ({one.why_not})" if one.why_not else ""
        how = f": {one.figure.how}" if one.figure.how else ""
        head = f"    {'*' if one.counts else ' '} {amount:>12}  "
        found = textwrap.wrap(f"{one.says}{how}{why}{seeds(one.figure.seeds)}", max(width - len(head), 40))
        lines += [head + found[0], *(" " * len(head) + line for line in found[1:])]
    return lines


def _load(answer: Answer, width: int) -> list[str]:
    machine = tables.stress().environment
    lines = [f"Load of one region on one machine of {machine.cores} cores and {machine.memory_gb} GB [{machine.seed}]"]
    lines.append("  at once  operations/s     p50   memory  success   CPU")
    for one in answer.loads:
        lines += _load_row(one, width)
    lines += [line for one in answer.scenarios for line in wrapped(_scenario(one), width, "  ")]
    lines += wrapped(
        "more nodes: nobody measured what a cluster carries; the analysis expects 2 to 3 times", width, "  "
    )
    return lines


def _scenario(one: Scenario) -> str:
    other = f" (or {tidy(one.lower_ops_s.known, 2)})" if one.lower_ops_s else ""
    waited = f", {tidy(one.p50_ms.known, 2)} ms" if one.p50_ms else ""
    batched = f", {tidy(one.batch_gain.known)} times faster in batches" if one.batch_gain else ""
    lines = seeds(dict.fromkeys((*one.ops_s.seeds, *one.memory_mb.seeds)))
    return (
        f"the scenario {one.name} alone, {one.agents} agents: {tidy(one.ops_s.known, 2)} operations/s{other}{waited}, "
        f"{tidy(one.memory_mb.known, 2)} MB{batched}{lines}"
    )


def _load_row(one: Load, width: int) -> list[str]:
    if one.ops_s.value is None:
        return wrapped(f"{one.concurrency:>7}  unknown: {one.ops_s.how}", width, "  ")
    kind = one.ops_s.kind.value + seeds(one.ops_s.seeds)
    numbers = (
        f"  {one.concurrency:>7}  {tidy(one.ops_s.known):>12}  {tidy(one.p50_ms.known, 0):>4} ms  "
        f"{tidy(one.memory_mb.known, 0):>7}  {tidy(one.success_percent.known):>5} %  "
        f"{tidy(one.cpu_percent.known, 0):>3} %"
    )
    return [f"{numbers}  {kind}"] if len(numbers) + len(kind) + 2 <= width else [numbers, f"           {kind}"]


def _storage(answer: Answer, width: int) -> list[str]:
    lines = ["Storage and shards"]
    size = answer.storage
    if size is None:
        lines.append("  unknown: give --episodes, --skills, --edges or --nodes")
    else:
        lines += wrapped(f"appendix B: {told(size.appendix_mb)}", width, "  ")
        lines += wrapped(f"section 8.3: {told(size.section_mb)}", width, "  ")
        for store in size.stores:
            lines.append(
                f"  {store.name}: {tidy(store.taken.known)} MB of {store.count:,} {store.records.replace('_', ' ')}"
            )
            lines += _source_lines(store.by, width)
        lines += wrapped(f"one copy {tidy(size.copy.known)} MB ({size.copy.how}); {told(size.copies)}", width, "  ")
    split = answer.shards
    if split.hash_shards.value is None:
        lines += wrapped(f"shards {told(split.hash_shards)}", width, "  ")
        return lines
    lines += wrapped(
        f"{split.strategy}: {told(split.functional)}, {tidy(split.hash_shards.known)} shards a store, "
        f"{tidy(split.files.known)} files [{split.seed}]",
        width, "  ",
    )  # fmt: skip
    lines += [line for note in split.notes for line in wrapped(note, width, "    ")]
    if answer.sessions_a_shard is not None:
        lines += wrapped(told(answer.sessions_a_shard), width, "  ")
    if answer.batching is not None:
        lines += wrapped(f"written in: {answer.batching.rule} [{answer.batching.seed}]", width, "  ")
    return lines


def _network(answer: Answer, width: int) -> list[str]:
    need = answer.bandwidth
    lines = ["Network"]
    if need.total.value is None:
        lines += wrapped(told(need.total), width, "  ")
    else:
        text = (
            f"{need.name} ({need.topology}): in {tidy(need.inbound.known)}, out {tidy(need.outbound.known)}, "
            f"QUIC {tidy(need.sync.known)}, together {told(need.total)}"
        )
        lines += wrapped(text, width, "  ")
    if need.a_pair is not None:
        lines += wrapped(f"{told(need.a_pair)}: {need.a_pair.how}", width, "  ")
    lines += [line for note in need.notes for line in wrapped(note, width, "    ")]
    if answer.copies is not None:
        (soon, late), (least, most) = answer.copies.latency_ms, answer.copies.overhead_percent
        text = (
            f"a copy takes {tidy(soon.known)} to {tidy(late.known)} ms and {tidy(least.known)} to {tidy(most.known)} % "
            f"of the throughput{seeds((*soon.seeds, *least.seeds))}; nobody measured it here"
        )
        lines += wrapped(text, width, "  ")
    sent = answer.transfer
    if sent is not None:
        lines += wrapped(f"{told(sent.gb)}: {sent.gb.how}; {tidy(sent.mbps.known)} Mbps", width, "  ")
    return lines


def _service(answer: Answer, width: int) -> list[str]:
    lines = ["Service"]
    for one in answer.objectives:
        text = f"{one.name}: {one.comparison} {told(one.target)} (the analysis claims {tidy(one.claimed.known, 2)})"
        lines += wrapped(text, width, "  ")
    for claim in answer.claims:
        text = f"{claim.name}: {told(claim.claimed)} {MARKS[claim.holds]}: {claim.why}{seeds(claim.measured.seeds)}"
        lines += wrapped(text, width, "  ")
    alerts = ", ".join(f"{row.name} > {row.above} %" for row in tables.operations().alerts)
    lines += wrapped(f"alerts: {alerts}{seeds([tables.operations().alerts[0].seed])}", width, "  ")
    return lines


def _edge(answer: Answer, width: int) -> list[str]:
    found = answer.edge
    if found is None:
        return []
    lines = ["With an edge"]
    for one in found.layers:
        low, high = one.latency_ms
        does = "reads and writes" if one.writes else "reads alone"
        took = f"{low} ms" if low == high else f"{low} to {high} ms"
        lines += wrapped(f"{one.name}: {does}, {took}, {one.where}{seeds([one.seed])}", width, "  ")
    text = f"what the edge shows may be {told(found.staleness)} old, {told(found.staleness_with_cache)} with its cache"
    lines += wrapped(text, width, "  ")
    lines += wrapped(f"writes that may be lost: {told(found.recovery_point)}, {found.recovery_point.how}", width, "  ")
    row = found.row
    lines += wrapped(f"{row.max_agents:,} agents and more{seeds([row.line('max_agents')])}", width, "  ")
    return lines


def _fits(answer: Answer, width: int) -> list[str]:
    phase = answer.phase
    lines = ["Profile and phase", *wrapped(_profile(answer.profile, answer.asked.target), width, "  ")]
    if phase is None:
        lines.append("  phase: unknown: the analysis has none for so many agents")
    else:
        last = f" to {phase.months[1]}" if phase.months[1] else " and later"
        text = f"phase: {phase.name}, months {phase.months[0]}{last}: {phase.deploy}{seeds([phase.seed])}"
        lines += wrapped(text, width, "  ")
    return lines


def _settings(answer: Answer) -> list[str]:
    found = settings(answer)
    if found is None:
        return []
    lines = str(yaml.safe_dump(found, sort_keys=False)).splitlines()
    return ["What the stack of a region on Kubernetes says", *(f"  {line}" for line in lines)]


def _profile(row: Profile, target: str) -> str:
    other = "" if target in row.targets else f"; the analysis has it on {', '.join(row.targets)} only"
    nodes = f"{row.nodes[0]}" if row.nodes[0] == row.nodes[1] else f"{row.nodes[0]} to {row.nodes[1]}"
    return (
        f"profile: {row.name}, {row.where}: {nodes} nodes of {row.cores} cores and {row.memory_mb} MB, "
        f"{row.disk_gb} GB{seeds([row.seed])}{other}"
    )


def contradictions_text(found: Sequence[Contradiction], width: int) -> str:
    """Return contradictions of the analysis, each with its lines and what Skerry does."""
    lines = [f"Contradictions of the analysis ({len(found)})"]
    for one in found:
        lines.append(f"  {one.id} ({one.row})")
        for said in one.says:
            lines += wrapped(f"- {said.text} [{said.seed}]", width, "      ")
        lines += wrapped(f"Skerry {one.does}", width, "      ")
    return "\n".join(lines) + "\n"


def contradictions_brief(found: Sequence[Contradiction], width: int) -> str:
    """Return what Skerry does about each contradiction, a line each; the lines of the analysis are in the full list."""
    lines = [f"Contradictions of the analysis that this answer touches ({len(found)}; all: --contradictions)"]
    for one in found:
        lines += wrapped(f"{one.id}: Skerry {one.does} [{', '.join(said.seed for said in one.says)}]", width, "  ")
    return "\n".join(lines) + "\n"
