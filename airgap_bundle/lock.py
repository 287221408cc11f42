"""Fill images/images.lock: ask for every row, and join the answers with what the lock held.

(1) What was resolved is never replaced by nothing: a row that cannot be asked keeps its digest.
(2) A tag that stands for something else now is shown, old and new, and changes the lock only with leave.
(3) A row without an answer says so, with the reason and the time; it has no digest and no size.
(4) Rows of other references, such as the user's own images, stay as they are.
(5) Hosts are asked side by side, the rows of one host one after another: registries count requests. A host that
    cannot be reached is not asked for its other rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Final
from urllib.parse import urlsplit

from airgap_bundle.fetch import Sources
from airgap_bundle.resolve import AbsentError, Found, resolve_chart, resolve_image
from airgap_bundle.transport import UnreachableError
from skerry.catalog import LOCK_SCHEMA, ChartEntry, ChartRow, Lock, LockEntry
from skerry.errors import BundleError, RegistryError
from skerry.images import ImageReference

DEFAULT_PLATFORMS: Final = ("linux/amd64", "linux/arm64")
_HOSTS_AT_ONCE: Final = 8
"""More hosts than the shipped pins have, and few enough for one machine."""

Entry = LockEntry | ChartEntry


class Outcome(str, Enum):
    """What came of one row."""

    SAME = "same"
    """The registry says what the lock holds."""
    RESOLVED = "resolved"
    """The lock had no digest, and has one now."""
    MOVED = "moved"
    """The tag stands for something else than the lock holds; the lock keeps what it holds."""
    UPDATED = "updated"
    """As moved, and the lock took the new digest."""
    ABSENT = "absent"
    """The registry answered, and has not what is named."""
    UNRESOLVED = "unresolved"
    """Nobody could say."""


FINDINGS: Final = frozenset({Outcome.MOVED, Outcome.ABSENT})
"""What somebody must decide about."""


@dataclass(frozen=True, slots=True)
class RowReport:
    """What came of one row, for reports."""

    kind: str
    """`image` or `chart`."""
    source: str
    """Its key in the lock."""
    outcome: Outcome
    old: str | None
    """The digest that the lock held."""
    new: str | None
    """The digest that the registry says."""
    bytes: int | None
    reason: str = ""
    """Why there is no answer."""
    missing: tuple[str, ...] = ()
    """Platforms that were asked for and are not offered."""
    changed: bool = False
    """Whether the row of the lock is another one now."""


@dataclass(frozen=True, slots=True)
class LockReport:
    """What came of all rows."""

    lock: Lock
    """The lock to write."""
    rows: tuple[RowReport, ...]
    others: tuple[str, ...]
    """Rows of the lock that nobody asked for this time."""

    @property
    def differs(self) -> bool:
        """Whether the catalogue, the lock and the registries do not agree: a tag moved or is gone, a row lacks."""
        return any(row.outcome in (*FINDINGS, Outcome.RESOLVED, Outcome.UPDATED) for row in self.rows)

    @property
    def exit_code(self) -> int:
        """1 where somebody must decide, 3 where a registry gave no answer, else 0."""
        if any(row.outcome in FINDINGS for row in self.rows):
            return 1
        return 3 if any(row.outcome is Outcome.UNRESOLVED for row in self.rows) else 0

    @property
    def check_code(self) -> int:
        """As `exit_code`, and 1 where the lock lacks what a registry could say."""
        return 1 if self.differs else self.exit_code


@dataclass(frozen=True, slots=True)
class _Row:
    kind: str
    source: str
    host: str
    known: Entry | None
    ask: Callable[[], Found]


@dataclass(frozen=True, slots=True)
class _Answer:
    found: Found | None
    error: BundleError | None = None


def lock_rows(
    lock: Lock,
    sources: Sources,
    *,
    images: Sequence[ImageReference],
    charts: Sequence[ChartRow] = (),
    platforms: Sequence[str] = DEFAULT_PLATFORMS,
    update: bool = False,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> LockReport:
    """Ask for every image and chart and return the lock that holds the answers.

    Args:
        lock: what is known so far.
        sources: where registries are.
        images: references with a tag.
        charts: rows of images/charts.yaml.
        platforms: `os/architecture[/variant]` of what is recorded beside the index.
        update: take the new digest of a tag that moved (2).
        clock: the time of resolved and of unresolved rows, in UTC.
    """
    rows = _rows(lock, sources, images, charts, platforms, clock)
    answers = _ask(rows)
    known: dict[str, Mapping[str, Entry]] = {"image": lock.images, "chart": lock.charts}
    joined: dict[str, dict[str, Entry]] = {kind: dict(entries) for kind, entries in known.items()}
    reports = []
    for row in rows:
        report, entry = _join(row, answers[row.kind, row.source], update, clock())
        joined[row.kind][row.source] = entry
        reports.append(report)
    asked = {(row.kind, row.source) for row in rows}
    others = tuple(name for kind in known for name in sorted(known[kind]) if (kind, name) not in asked)
    made = Lock(
        schema_=LOCK_SCHEMA,
        rehearsal=lock.rehearsal,
        images={name: entry for name, entry in sorted(joined["image"].items()) if isinstance(entry, LockEntry)},
        charts={name: entry for name, entry in sorted(joined["chart"].items()) if isinstance(entry, ChartEntry)},
    )
    return LockReport(made, tuple(reports), others)


def _rows(
    lock: Lock,
    sources: Sources,
    images: Sequence[ImageReference],
    charts: Sequence[ChartRow],
    platforms: Sequence[str],
    clock: Callable[[], datetime],
) -> list[_Row]:
    rows = []
    today = clock().date()
    for source, image in sorted({image.source: image for image in images}.items()):
        entry = lock.images.get(source)
        host = sources.locate(image)[0].host

        def ask_image(image: ImageReference = image, entry: LockEntry | None = entry) -> Found:
            return resolve_image(sources, image, platforms, entry, today)

        rows.append(_Row("image", source, host, entry, ask_image))
    for chart in sorted(charts, key=lambda chart: chart.locked_as):
        held = lock.charts.get(chart.locked_as)

        def ask_chart(chart: ChartRow = chart, held: ChartEntry | None = held) -> Found:
            return resolve_chart(sources, chart, held, today)

        rows.append(_Row("chart", chart.locked_as, urlsplit(chart.repository).netloc, held, ask_chart))
    return rows


def _ask(rows: Sequence[_Row]) -> dict[tuple[str, str], _Answer]:
    hosts: dict[str, list[_Row]] = {}
    for row in rows:
        hosts.setdefault(row.host, []).append(row)
    with ThreadPoolExecutor(_HOSTS_AT_ONCE) as pool:
        found = list(pool.map(_ask_host, hosts.values()))
    return {key: answer for answers in found for key, answer in answers.items()}


def _ask_host(rows: Sequence[_Row]) -> dict[tuple[str, str], _Answer]:
    answers: dict[tuple[str, str], _Answer] = {}
    gone: UnreachableError | None = None
    for row in rows:
        if gone is not None:  # (5)
            answers[row.kind, row.source] = _Answer(None, RegistryError(f"not asked, since its host is away: {gone}"))
            continue
        try:
            answers[row.kind, row.source] = _Answer(row.ask())
        except BundleError as exc:
            answers[row.kind, row.source] = _Answer(None, exc)
            gone = exc if isinstance(exc, UnreachableError) else None
    return answers


def _join(row: _Row, answer: _Answer, update: bool, now: datetime) -> tuple[RowReport, Entry]:
    """Return the report and the entry of one row."""
    known = row.known if row.known is not None and row.known.digest is not None else None
    old, size = (known.digest, known.bytes) if known is not None else (None, None)
    if answer.found is None:
        reason = str(answer.error)
        outcome = Outcome.ABSENT if isinstance(answer.error, AbsentError) else Outcome.UNRESOLVED
        if known is not None:  # (1)
            return RowReport(row.kind, row.source, outcome, old, None, size, reason), known
        kind = LockEntry if row.kind == "image" else ChartEntry
        entry: Entry = kind(unresolved=reason, tried_at=now.strftime("%Y-%m-%dT%H:%M:%SZ"))
        return RowReport(row.kind, row.source, outcome, None, None, None, reason, changed=True), entry
    made, missing = answer.found.entry, answer.found.missing
    if known is None:
        outcome = Outcome.RESOLVED
    elif old == made.digest:
        outcome = Outcome.SAME
    elif update:
        outcome = Outcome.UPDATED
    else:  # (2)
        return RowReport(row.kind, row.source, Outcome.MOVED, old, made.digest, size, "", missing), known
    changed = made != row.known
    return RowReport(row.kind, row.source, outcome, old, made.digest, made.bytes, "", missing, changed), made
