"""Charts: a packaged chart is hashed, an index is a claim, and a registry's chart is known by its layer."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from airgap_bundle import helm
from airgap_bundle.fetch import Sources
from airgap_bundle.lock import LockReport, Outcome, lock_rows
from airgap_bundle.oci import OCI_MANIFEST, Descriptor, canonical, sha256
from airgap_bundle.registry import Registry
from airgap_bundle.transport import TransportOptions
from skerry.catalog import LOCK_SCHEMA, ChartEntry, ChartRow, Lock, Redistribution
from tests.simulators.registry_debian import debian_registry
from tests.simulators.registry_graphs import write_chart

EMPTY = Lock(schema_=LOCK_SCHEMA, images={})
OLD = "sha256:" + "0" * 64
Pages = dict[str, tuple[int, bytes] | str]
"""Path -> status and body, or where it redirects to."""


def moment() -> datetime:
    return datetime(2026, 11, 21, tzinfo=UTC)


def row(repository: str, version: str = "1.2.3") -> ChartRow:
    return ChartRow(
        name="operator",
        repository=repository,
        version=version,
        images=(),
        licence="Apache-2.0",
        redistribute=Redistribution.YES,
        read="the test",
        read_on="2026-11",
    )


def ask(chart: ChartRow, lock: Lock = EMPTY, **overrides: str) -> LockReport:
    options = TransportOptions(stall_s=1.0, attempts=2, pause_s=0.0, sleep=lambda s: None)
    sources = Sources({"registry.example": overrides.get("registry", "")}, None, options)
    return lock_rows(lock, sources, images=(), charts=(chart,), clock=moment)


@contextmanager
def site(pages: Pages) -> Iterator[str]:
    """Serve `pages` as a chart repository under /charts."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = pages.get(self.path, (404, b""))
            if isinstance(found, str):
                self.send_response(302)
                self.send_header("Location", found)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            self.send_response(found[0])
            self.send_header("Content-Length", str(len(found[1])))
            self.end_headers()
            self.wfile.write(found[1])

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/charts"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def packaged(folder: Path, name: str = "operator", version: str = "1.2.3") -> bytes:
    path = folder / f"{name}.tgz"
    write_chart(path, name, version)
    return path.read_bytes()


def packed(files: dict[str, bytes]) -> bytes:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return archive.getvalue()


TWO_LINES = b'name: "a\\nb"\nversion: "' + b"9" * 999 + b'"'


def bomb() -> bytes:
    """Return an archive whose first file claims a terabyte, with a chart behind it that nobody must unpack to."""
    entry = tarfile.TarInfo("operator/zeros")
    entry.size = 1 << 40
    return gzip.compress(entry.tobuf(tarfile.GNU_FORMAT) + bytes(1 << 20))


def index(digest: str, url: str = "operator-1.2.3.tgz", version: str = "1.2.3", name: str = "operator") -> bytes:
    said = f", digest: '{digest}'" if digest else ""
    return f"apiVersion: v1\nentries: {{{name}: [{{version: {version}, urls: ['{url}']{said}}}]}}\n".encode()


CLASSIC: dict[str, Callable[[str], Pages]] = {
    "an address beside the index": lambda d: {"/charts/index.yaml": (200, index(d))},
    "the digest written with its algorithm": lambda d: {"/charts/index.yaml": (200, index(f"sha256:{d}"))},
    "no digest in the index": lambda d: {"/charts/index.yaml": (200, index(""))},
    "a version with a v": lambda d: {"/charts/index.yaml": (200, index(d, version="v1.2.3"))},
    "a redirect to where releases lie": lambda d: {
        "/charts/index.yaml": (200, index(d, "/releases/1.2.3")),
        "/releases/1.2.3": "/charts/operator-1.2.3.tgz",
    },
}


@pytest.mark.parametrize("case", CLASSIC)
def test_a_chart_of_a_classic_repository_is_hashed(case: str, tmp_path: Path) -> None:
    chart = packaged(tmp_path)
    digest = hashlib.sha256(chart).hexdigest()
    with site({"/charts/operator-1.2.3.tgz": (200, chart), **CLASSIC[case](digest)}) as address:
        report = ask(row(address))
    assert [one.outcome for one in report.rows] == [Outcome.RESOLVED], report.rows[0].reason
    assert report.lock.charts == {
        f"{address}/operator:1.2.3": ChartEntry(digest=f"sha256:{digest}", bytes=len(chart), resolved_on="2026-11-21")
    }


REFUSED: dict[str, tuple[Callable[[Path], Pages], Outcome, str]] = {
    "no index": (lambda f: {}, Outcome.ABSENT, "does not exist"),
    "no such version": (
        lambda f: {"/charts/index.yaml": (200, index("", version="9.9.9"))}, Outcome.ABSENT, "has no version 1.2.3",
    ),
    "no such chart": (lambda f: {"/charts/index.yaml": (200, index("", name="x"))}, Outcome.ABSENT, "has no version"),
    "another digest than the index says": (
        lambda f: {
            "/charts/index.yaml": (200, index("a" * 64)), "/charts/operator-1.2.3.tgz": (200, packaged(f)),
        },
        Outcome.UNRESOLVED, "the index of its repository says sha256:aaaa",
    ),
    "a digest that is none": (
        lambda f: {"/charts/index.yaml": (200, index("md5sum"))}, Outcome.UNRESOLVED, "as the digest of operator",
    ),
    "a page in place of the index": (
        lambda f: {"/charts/index.yaml": (200, b"<html>login</html>")},
        Outcome.UNRESOLVED, "is no index of a chart repository",
    ),
    "an index that calls a program": (
        lambda f: {"/charts/index.yaml": (200, b"!!python/object/apply:os.system [id]")},
        Outcome.UNRESOLVED, "is no index of a chart repository",
    ),
    "another chart": (
        lambda f: {
            "/charts/index.yaml": (200, index("")), "/charts/operator-1.2.3.tgz": (200, packaged(f, version="1.2.4")),
        },
        Outcome.UNRESOLVED, "is the chart operator 1.2.4, not",
    ),
    "a chart of another name on two lines": (
        lambda f: {
            "/charts/index.yaml": (200, index("")),
            "/charts/operator-1.2.3.tgz": (200, packed({"x/Chart.yaml": TWO_LINES})),
        },
        Outcome.UNRESOLVED, "is the chart a?b 999",
    ),
    "an archive of zeros": (
        lambda f: {
            "/charts/index.yaml": (200, index("")), "/charts/operator-1.2.3.tgz": (200, bomb()),
        },
        Outcome.UNRESOLVED, "holds no Chart.yaml",
    ),
    "no chart at all": (
        lambda f: {"/charts/index.yaml": (200, index("")), "/charts/operator-1.2.3.tgz": (200, b"hello")},
        Outcome.UNRESOLVED, "cannot be read as a packaged chart",
    ),
    "an address without TLS": (
        lambda f: {"/charts/index.yaml": (200, index("", "http://charts.example/operator.tgz"))},
        Outcome.UNRESOLVED, "is not https",
    ),
    "an address that is a file": (
        lambda f: {"/charts/index.yaml": (200, index("", "file:///etc/passwd"))}, Outcome.UNRESOLVED, "is not https",
    ),
    "a server that fails": (lambda f: {"/charts/index.yaml": (500, b"")}, Outcome.UNRESOLVED, "it answers 500"),
    "a refusal": (lambda f: {"/charts/index.yaml": (403, b"")}, Outcome.UNRESOLVED, "was answered with 403"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_a_chart_that_cannot_be_had_stays_unresolved(case: str, tmp_path: Path) -> None:
    pages, outcome, reason = REFUSED[case]
    with site(pages(tmp_path)) as address:
        chart = row(address)
        held = Lock(schema_=LOCK_SCHEMA, images={}, charts={chart.locked_as: ChartEntry(digest=OLD, bytes=1)})
        fresh, kept = ask(chart), ask(chart, held)
    assert [one.outcome for one in fresh.rows] == [outcome]
    entry = fresh.lock.charts[chart.locked_as]
    assert reason in f"{entry.unresolved}"
    assert (entry.digest, entry.bytes) == (None, None)
    assert kept.lock.charts == held.charts


def push_chart(address: str, content: bytes, config_type: str = helm.CONFIG_TYPE, tag: str = "1.2.3_beta") -> str:
    registry, config = Registry.at(address), b'{"name":"operator"}'
    for blob in (content, config):
        found = Descriptor(sha256(blob), len(blob), "")
        registry.push_blob("charts/operator", found, lambda blob=blob: io.BytesIO(blob))  # type: ignore[misc]
    raw = canonical(
        {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": {"mediaType": config_type, "digest": sha256(config), "size": len(config)},
            "layers": [{"mediaType": helm.LAYER_TYPE, "digest": sha256(content), "size": len(content)}],
        }
    )
    registry.push_manifest("charts/operator", tag, raw, OCI_MANIFEST)
    return sha256(raw)


@pytest.mark.registry
def test_a_chart_in_a_real_registry_is_known_by_its_layer(tmp_path: Path) -> None:
    chart = packaged(tmp_path)
    with debian_registry(tmp_path / "registry") as address:
        manifest = push_chart(address, chart)
        report = ask(row("oci://registry.example/charts/", "1.2.3+beta"), registry=address)
        push_chart(address, chart, OCI_MANIFEST, "9.9.9")
        other = ask(row("oci://registry.example/charts", "9.9.9"), registry=address)
        absent = ask(row("oci://registry.example/charts", "0.0.1"), registry=address)
        wrong = ask(row("oci://registry.example/Charts"), registry=address)
    assert report.lock.charts == {
        "oci://registry.example/charts/operator:1.2.3+beta": ChartEntry(
            digest=sha256(chart), bytes=len(chart), manifest=manifest, resolved_on="2026-11-21", answered_by=address
        )
    }
    assert [one.outcome for one in (*other.rows, *absent.rows, *wrong.rows)] == [
        Outcome.UNRESOLVED,
        Outcome.ABSENT,
        Outcome.ABSENT,
    ]
    assert "is no Helm chart" in other.rows[0].reason
    assert "is no image reference" in wrong.rows[0].reason


def test_a_chart_that_changed_under_its_version_is_shown(tmp_path: Path) -> None:
    chart = packaged(tmp_path)
    pages: Pages = {"/charts/index.yaml": (200, index("")), "/charts/operator-1.2.3.tgz": (200, chart)}
    with site(pages) as address:
        held = Lock(
            schema_=LOCK_SCHEMA, images={}, charts={row(address).locked_as: ChartEntry(digest=OLD, resolved_on="2026")}
        )
        report = ask(row(address), held)
        again = ask(row(address), ask(row(address)).lock)
    assert [(one.outcome, one.old, one.new) for one in report.rows] == [(Outcome.MOVED, OLD, sha256(chart))]
    assert [(one.outcome, one.changed) for one in again.rows] == [(Outcome.SAME, False)]
