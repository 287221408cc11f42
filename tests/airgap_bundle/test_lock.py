"""The lock: what registries answer is kept, what they do not answer replaces nothing, and what moved is shown."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from airgap_bundle.auth import Login
from airgap_bundle.fetch import Sources
from airgap_bundle.lock import LockReport, Outcome, lock_rows
from airgap_bundle.lock_report import lock_report_json, lock_report_text
from airgap_bundle.oci import DOCKER_LIST, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST, canonical, sha256
from airgap_bundle.rehearsal_registry import LoopbackRegistry, Store
from airgap_bundle.transport import TransportOptions
from skerry.catalog import LOCK_SCHEMA, Lock, LockEntry, lock_text, read_lock
from skerry.errors import CatalogError
from skerry.images import ImageReference
from tests.simulators import registry_faults as faults
from tests.simulators.registry_debian import debian_registry
from tests.simulators.registry_images import TestImage, image, index

KIB = 1024
EMPTY = Lock(schema_=LOCK_SCHEMA, images={})
VALKEY = "docker.io/valkey/valkey:9.0"
RAY = "docker.io/rayproject/ray:2.52.0"
OTHER = "quay.io/example/app:v1"
PLAIN = "quay.io/example/plain:v1"
OLD = "sha256:" + "0" * 64
SHARED = {"base": 30 * KIB}


def moment(day: int = 21) -> Callable[[], datetime]:
    return lambda: datetime(2026, 11, day, 9, 30, tzinfo=UTC)


def images() -> dict[str, TestImage]:
    return {
        VALKEY: index(
            {"amd64": image(SHARED | {"v1": 5 * KIB}), "arm64": image({"v2": 6 * KIB}, architecture="arm64")}
        ),
        RAY: index({"amd64": image(SHARED | {"ray": 70 * KIB}, docker=True)}, docker=True),
        OTHER: image(SHARED | {"app": KIB}, architecture="arm64"),
        PLAIN: image({"plain": KIB, "twice": KIB}, docker=True),
    }


def store(*references: str) -> Store:
    made = Store()
    for reference, one in images().items():
        if references and reference not in references:
            continue
        repository, _, tag = reference.partition("/")[2].partition(":")
        for content in one.blobs.values():
            made.add_blob(repository, content)
        for digest, (raw, media_type) in one.manifests.items():
            made.add_manifest(repository, tag if digest == one.root else digest, raw, media_type)
    return made


def ask(
    address: str, *references: str, lock: Lock = EMPTY, logins: dict[str, Login] | None = None, **choices: object
) -> LockReport:
    options = TransportOptions(stall_s=1.0, attempts=3, pause_s=0.0, sleep=lambda s: None)
    sources = Sources({"docker.io": address, "quay.io": address}, None, options, logins or {})
    wanted = [ImageReference.parse(reference) for reference in references or images()]
    return lock_rows(lock, sources, images=wanted, **{"clock": moment(), **choices})  # type: ignore[arg-type]


def locked(digest: str, **fields: object) -> Lock:
    return Lock(schema_=LOCK_SCHEMA, images={VALKEY: LockEntry(digest=digest, resolved_on="2026-01-01", **fields)})


def holds_what_is_there(report: LockReport) -> None:
    """Compare every figure with what the test put there."""
    for reference, one in images().items():
        entry = report.lock.images[reference]
        assert (entry.digest, entry.media_type, entry.bytes) == (one.root, one.media_type, one.bytes), reference
        assert entry.resolved_on == "2026-11-21"
        for platform in entry.platforms.values():
            raw, media_type = one.manifests[platform.digest]
            document = json.loads(raw)
            assert platform.media_type == media_type
            assert platform.manifest_bytes == len(raw)
            assert platform.config_bytes == document["config"]["size"]
            assert platform.layer_bytes == sum(row["size"] for row in document["layers"])
            assert platform.layers == len(document["layers"])
    assert {name: sorted(entry.platforms) for name, entry in report.lock.images.items()} == {
        VALKEY: ["linux/amd64", "linux/arm64"],
        RAY: ["linux/amd64"],
        OTHER: ["linux/arm64"],
        PLAIN: ["linux/amd64"],
    }
    kinds = {entry.media_type for entry in report.lock.images.values()}
    assert kinds == {OCI_INDEX, DOCKER_LIST, OCI_MANIFEST, DOCKER_MANIFEST}


@pytest.mark.registry
def test_a_real_registry_says_digests_platforms_and_sizes(tmp_path: Path) -> None:
    with debian_registry(tmp_path) as address:
        for reference, one in images().items():
            repository, _, tag = reference.partition("/")[2].partition(":")
            one.push(address, repository, tag)
        report = ask(address)
        holds_what_is_there(report)
        assert {row.outcome for row in report.rows} == {Outcome.RESOLVED}
        assert (report.exit_code, report.check_code) == (0, 1)
        again = ask(address, lock=report.lock, clock=moment(25))
        assert lock_text(again.lock) == lock_text(report.lock)
        assert [(row.outcome, row.changed) for row in again.rows] == [(Outcome.SAME, False)] * 4
        assert (again.exit_code, again.check_code) == (0, 0)


def test_the_lock_reads_back_and_is_the_same_text_each_time(tmp_path: Path) -> None:
    with LoopbackRegistry(store()) as registry:
        first, second = ask(registry.address), ask(registry.address)
    holds_what_is_there(first)
    path = tmp_path / "images.lock"
    path.write_text(lock_text(first.lock), encoding="utf-8")
    assert read_lock(path) == first.lock
    assert lock_text(first.lock) == lock_text(second.lock)


def test_what_the_lock_holds_costs_one_request_a_row() -> None:
    seen: list[str] = []

    def note(handler: faults.FaultyHandler, number: int) -> bool:
        seen.append(handler.command)
        return False

    with faults.FaultyRegistry(store(VALKEY), note) as registry:
        report = ask(registry.address, VALKEY)
        assert seen == ["HEAD", "GET", "GET", "GET"], "the tag, the index and its two manifests"
        ask(registry.address, VALKEY, lock=report.lock)
    assert seen[4:] == ["HEAD"]


def test_a_platform_that_is_not_offered_is_told() -> None:
    with LoopbackRegistry(store()) as registry:
        report = ask(registry.address, RAY, platforms=("linux/arm64", "linux/amd64"))
        assert [(row.outcome, row.missing) for row in report.rows] == [(Outcome.RESOLVED, ("linux/arm64",))]
        assert "not offered for linux/arm64" in lock_report_text(report, check=False)
        report = ask(registry.address, RAY, platforms=("linux/s390x",))
    assert [row.outcome for row in report.rows] == [Outcome.ABSENT]
    assert "is offered for linux/amd64 alone" in f"{report.lock.images[RAY].unresolved}"


def test_another_platform_is_added_without_another_day() -> None:
    with LoopbackRegistry(store()) as registry:
        one = ask(registry.address, VALKEY, platforms=("linux/amd64",))
        both = ask(registry.address, VALKEY, lock=one.lock, clock=moment(28))
    entry = both.lock.images[VALKEY]
    assert (sorted(entry.platforms), entry.resolved_on) == (["linux/amd64", "linux/arm64"], "2026-11-21")
    assert [row.outcome for row in both.rows] == [Outcome.SAME]


def test_an_attestation_and_a_second_row_of_a_platform_are_no_platform_of_their_own() -> None:
    real, second = image({"a": KIB}), image({"b": KIB})
    made = index({"amd64": real, "arm64": image({"c": KIB}, architecture="arm64")})
    document = json.loads(made.manifests[made.root][0])
    size = len(second.manifests[second.root][0])
    row = {"mediaType": OCI_MANIFEST, "digest": second.root, "size": size}
    document["manifests"][1]["platform"] |= {"variant": "v8"}
    document["manifests"] += [
        row | {"platform": {"os": "linux", "architecture": "amd64"}},
        row | {"platform": {"os": "unknown", "architecture": "unknown"}},
        row | {"platform": {"os": "plan9", "architecture": "mips"}, "annotations": {"vnd.docker.reference.type": "x"}},
    ]
    kept = Store()
    for content in (made.blobs | second.blobs).values():
        kept.add_blob("example/app", content)
    for raw, media_type in (*second.manifests.values(), *list(made.manifests.values())[:-1]):
        kept.add_manifest("example/app", sha256(raw), raw, media_type)
    kept.add_manifest("example/app", "v1", canonical(document), OCI_INDEX)
    with LoopbackRegistry(kept) as registry:
        report = ask(registry.address, OTHER, platforms=("linux/amd64", "linux/arm64", "plan9/mips", "unknown/unknown"))
    assert report.rows[0].missing == ("plan9/mips", "unknown/unknown")
    platforms = report.lock.images[OTHER].platforms
    assert (sorted(platforms), platforms["linux/amd64"].digest) == (["linux/amd64", "linux/arm64"], real.root)


# -- what moved, and what cannot be asked -----------------------------------------------------------------------------


def test_a_tag_that_moved_is_shown_and_kept_until_it_is_updated() -> None:
    with LoopbackRegistry(store()) as registry:
        kept = ask(registry.address, VALKEY, lock=locked(OLD, bytes=5))
        taken = ask(registry.address, VALKEY, lock=locked(OLD, bytes=5), update=True)
    new = images()[VALKEY].root
    assert [(row.outcome, row.old, row.new) for row in kept.rows] == [(Outcome.MOVED, OLD, new)]
    assert kept.lock.images == locked(OLD, bytes=5).images
    assert (kept.exit_code, kept.check_code) == (1, 1)
    text = lock_report_text(kept, check=True)
    assert f"old {OLD}" in text and f"new {new}" in text and "--update" in text
    assert [row.outcome for row in taken.rows] == [Outcome.UPDATED]
    assert (taken.lock.images[VALKEY].digest, taken.lock.images[VALKEY].resolved_on) == (new, "2026-11-21")
    assert taken.exit_code == 0


def no_digest_header(handler: faults.FaultyHandler, number: int) -> bool:
    """Answer HEAD without the digest, as some registries do."""
    if handler.command != "HEAD":
        return False
    return handler.reply(200, {"Content-Type": OCI_INDEX})


def lying_header(handler: faults.FaultyHandler, number: int) -> bool:
    """Name a digest in HEAD, and serve other bytes for it."""
    if handler.command == "HEAD":
        return handler.reply(200, {"Docker-Content-Digest": OLD, "Content-Type": OCI_INDEX})
    if handler.path.endswith(OLD):
        raw = images()[VALKEY].manifests[images()[VALKEY].root]
        return handler.reply(200, {"Content-Type": raw[1], "Docker-Content-Digest": OLD}, raw[0])
    return False


def wrong_size(handler: faults.FaultyHandler, number: int) -> bool:
    """Serve the child manifests with a byte more."""
    child = next(iter(images()[VALKEY].manifests))
    if handler.command != "GET" or not handler.path.endswith(child):
        return False
    raw = images()[VALKEY].manifests[child]
    return handler.reply(200, {"Content-Type": raw[1]}, raw[0] + b" ")


def redirected(handler: faults.FaultyHandler, number: int) -> bool:
    """Send the first request for a manifest elsewhere on the same host."""
    if "/manifests/" not in handler.path or "?" in handler.path:
        return False
    return handler.reply(307, {"Location": f"{handler.path}?again=1"})


def anonymous_token(handler: faults.FaultyHandler, number: int) -> bool:
    """Give a token for pulling to whoever asks, as Docker Hub does."""
    parts = urlsplit(handler.path)
    if parts.path == "/token":
        wanted = parse_qs(parts.query)
        if handler.headers.get("Authorization") or wanted != {
            "scope": ["repository:valkey/valkey:pull"],
            "service": ["registry.docker.io"],
        }:
            return handler.reply(400, {})
        return handler.reply(200, {}, b'{"access_token":"anyone","expires_in":300}')
    if handler.headers.get("Authorization") == "Bearer anyone":
        return False
    realm = f"http://{handler.headers['Host']}/token"
    scope = "repository:valkey/valkey:pull"
    challenge = f'Bearer realm="{realm}",service="registry.docker.io",scope="{scope}",error="invalid_token"'
    return handler.reply(401, {"WWW-Authenticate": challenge})


def version_one(handler: faults.FaultyHandler, number: int) -> bool:
    """Serve a manifest of schema 1, which names no sizes."""
    raw = b'{"schemaVersion":1,"name":"x","fsLayers":[]}'
    kind = "application/vnd.docker.distribution.manifest.v1+prettyjws"
    return handler.reply(200, {"Content-Type": kind}, raw if handler.command == "GET" else b"")


def huge(handler: faults.FaultyHandler, number: int) -> bool:
    """Send a manifest of five mebibytes."""
    return handler.command == "GET" and handler.reply(200, {}, b"{" * (5 << 20))


FAULTS: dict[str, Callable[[], faults.Fault]] = {
    "all is well": lambda: faults.none,
    "429 with Retry-After, twice": lambda: faults.busy(2, 429, "1"),
    "503 once": lambda: faults.busy(1),
    "a dropped connection": lambda: faults.drop_connections(1),
    "HEAD names no digest": lambda: no_digest_header,
    "a redirect": lambda: redirected,
    "an anonymous token": lambda: anonymous_token,
    "a login for a token": lambda: faults.token_login("me", "secret"),
    "a basic login": lambda: faults.basic_login("me", "secret"),
}
LOGINS = {"a login for a token", "a basic login"}


@pytest.mark.parametrize("name", FAULTS)
def test_a_row_is_resolved_although(name: str) -> None:
    with faults.FaultyRegistry(store(VALKEY), FAULTS[name]()) as registry:
        logins = {registry.address: Login("me", "secret")} if name in LOGINS else None
        report = ask(registry.address, VALKEY, logins=logins)
    one = images()[VALKEY]
    entry = report.lock.images[VALKEY]
    assert [row.outcome for row in report.rows] == [Outcome.RESOLVED], entry.unresolved
    assert (entry.digest, entry.bytes) == (one.root, one.bytes)


REFUSED: dict[str, tuple[Callable[[], faults.Fault], Outcome, str]] = {
    "401 without a way": (lambda: faults.refused(401), Outcome.UNRESOLVED, "wants a login"),
    "a wrong login": (lambda: faults.token_login("me", "other"), Outcome.UNRESOLVED, "the given login was not taken"),
    "403": (lambda: faults.refused(403), Outcome.UNRESOLVED, "answered with 403"),
    "404": (lambda: faults.refused(404), Outcome.ABSENT, "does not exist"),
    "500 each time": (lambda: faults.busy(99, 500), Outcome.UNRESOLVED, "it answers 500"),
    "429 for a day": (lambda: faults.busy(99, 429, "86400"), Outcome.UNRESOLVED, "asks for a pause of 86400 s"),
    "a header that is not the body's": (lambda: lying_header, Outcome.UNRESOLVED, "changes content"),
    "a child of another size": (lambda: wrong_size, Outcome.UNRESOLVED, "changes content"),
    "a redirect in a circle": (lambda: faults.endless_redirect, Outcome.UNRESOLVED, "redirected more than 5 times"),
    "a manifest of schema 1": (lambda: version_one, Outcome.UNRESOLVED, "media type"),
    "a manifest of five mebibytes": (lambda: huge, Outcome.UNRESOLVED, "a small document was due"),
    "connections dropped each time": (lambda: faults.drop_connections(99), Outcome.UNRESOLVED, "failed 3 times"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_nobody_could_say_stays_unresolved_and_replaces_nothing(name: str) -> None:
    fault, outcome, reason = REFUSED[name]
    held = locked(OLD, bytes=5)
    with faults.FaultyRegistry(store(VALKEY), fault()) as registry:
        logins = {registry.address: Login("me", "secret")}
        fresh = ask(registry.address, VALKEY, logins=logins)
        kept = ask(registry.address, VALKEY, lock=held, logins=logins, update=True)
    entry = fresh.lock.images[VALKEY]
    assert reason in f"{entry.unresolved}"
    assert (entry.digest, entry.bytes, entry.tried_at) == (None, None, "2026-11-21T09:30:00Z")
    assert [row.outcome for row in fresh.rows] == [outcome]
    assert fresh.exit_code == fresh.check_code == (1 if outcome is Outcome.ABSENT else 3)
    assert kept.lock.images == held.images
    assert f"the lock keeps {OLD}" in lock_report_text(kept, check=False)
    assert "secret" not in lock_report_json(fresh) + lock_text(fresh.lock)


def test_a_host_that_is_away_is_not_asked_for_its_other_rows() -> None:
    seen: list[str] = []

    def drop(handler: faults.FaultyHandler, number: int) -> bool:
        seen.append(handler.path)
        handler.close_connection = True
        return True

    with faults.FaultyRegistry(store(), drop) as registry:
        report = ask(registry.address)
    assert seen == ["/v2/rayproject/ray/manifests/2.52.0"] * 3
    reasons = [row.reason for row in report.rows]
    assert [reason.startswith("not asked, since its host is away: ") for reason in reasons] == [False, True, True, True]


def test_rows_of_others_and_rows_that_were_unresolved(tmp_path: Path) -> None:
    before = Lock(
        schema_=LOCK_SCHEMA,
        images={
            "registry.vendor.example/scout:1": LockEntry(digest=OLD, resolved_on="2026-01-01"),
            VALKEY: LockEntry(unresolved="no route", tried_at="2026-01-01T00:00:00Z"),
        },
    )
    with LoopbackRegistry(store()) as registry:
        report = ask(registry.address, VALKEY, lock=before)
    assert report.others == ("registry.vendor.example/scout:1",)
    assert report.lock.images["registry.vendor.example/scout:1"].digest == OLD
    assert report.lock.images[VALKEY].digest == images()[VALKEY].root
    assert "unresolved:" not in lock_text(report.lock)
    assert json.loads(lock_report_json(report))["notAsked"] == ["registry.vendor.example/scout:1"]


def test_tls_needs_the_sites_certificates(tmp_path: Path) -> None:
    with faults.TlsRegistry(store(VALKEY), tmp_path) as registry:
        sources = Sources({"docker.io": registry.address}, None, TransportOptions(ca_file=registry.ca_file, attempts=1))
        report = lock_rows(EMPTY, sources, images=[ImageReference.parse(VALKEY)], clock=moment())
        assert [row.outcome for row in report.rows] == [Outcome.RESOLVED]
        assert report.lock.images[VALKEY].answered_by == registry.address
        other = tmp_path / "other"
        other.mkdir()
        stranger = faults.TlsRegistry(store(), other)
        sources = Sources({"docker.io": registry.address}, None, TransportOptions(ca_file=stranger.ca_file, attempts=1))
        refused = lock_rows(EMPTY, sources, images=[ImageReference.parse(VALKEY)], clock=moment())
    assert "the certificate is not trusted" in refused.rows[0].reason


BAD: dict[str, str] = {
    "a digest and a reason": f"{{digest: '{OLD}', unresolved: x, tried_at: y}}",
    "a reason without a time": "{unresolved: x}",
    "a platform without a digest": "{platforms: {linux/amd64: {media_type: x}}}",
}


@pytest.mark.parametrize("case", BAD)
def test_a_row_that_contradicts_itself_is_refused(case: str, tmp_path: Path) -> None:
    path = tmp_path / "x.lock"
    path.write_text(f"schema: {LOCK_SCHEMA}\nimages: {{a: {BAD[case]}}}\n", encoding="utf-8")
    with pytest.raises(CatalogError, match="is not a valid lock"):
        read_lock(path)
