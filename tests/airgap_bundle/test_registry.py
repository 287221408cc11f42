"""The registry client against registries that refuse, stall, cut, lie and redirect."""

import io
import json
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest

from airgap_bundle.auth import Login, read_logins
from airgap_bundle.fetch import Sources, fetch_tree
from airgap_bundle.oci import OCI_INDEX, OCI_MANIFEST, Descriptor, canonical, sha256
from airgap_bundle.registry import Registry
from airgap_bundle.rehearsal_registry import Store
from airgap_bundle.sink import MemorySink
from airgap_bundle.transport import TransportOptions
from skerry.errors import BundleError, RegistryError, UsageError
from skerry.images import ImageReference
from tests.simulators import registry_faults as faults
from tests.simulators.registry_images import image

REPOSITORY = "some/app"
IMAGE = image({"a": 200_000, "b": 10})
BLOB = max(IMAGE.blobs, key=lambda digest: len(IMAGE.blobs[digest]))
WANTED = Descriptor(BLOB, len(IMAGE.blobs[BLOB]), "")


def store() -> Store:
    made = Store()
    for content in IMAGE.blobs.values():
        made.add_blob(REPOSITORY, content)
    for raw, media_type in IMAGE.manifests.values():
        made.add_manifest(REPOSITORY, "v1", raw, media_type)
    return made


def options(**changes: object) -> TransportOptions:
    return TransportOptions(**{"stall_s": 1.0, "attempts": 3, "pause_s": 0.0, "sleep": lambda s: None, **changes})


def fetch(address: str, sink: MemorySink | None = None, **changes: object) -> bytes:
    sink = sink or MemorySink()
    Registry.at(address, options(**changes)).fetch_blob(REPOSITORY, WANTED, sink)
    return bytes(sink.data)


RECOVERED: dict[str, Callable[[], faults.Fault]] = {
    "all is well": lambda: faults.none,
    "503 twice": lambda: faults.busy(2),
    "429 with a pause": lambda: faults.busy(2, 429, "1"),
    "503 with a date": lambda: faults.busy(1, 503, "Wed, 21 Oct 2015 07:28:00 GMT"),
    "the connection is dropped twice": lambda: faults.drop_connections(2),
    "the body is cut twice": lambda: faults.cut_blobs(2),
    "the body is cut and Range is not served": lambda: faults.cut_blobs(2, ranges=False),
}


@pytest.mark.parametrize("name", RECOVERED)
def test_a_blob_comes_whole_although(name: str) -> None:
    with faults.FaultyRegistry(store(), RECOVERED[name]()) as registry:
        assert fetch(registry.address) == IMAGE.blobs[BLOB]


REFUSED: dict[str, tuple[Callable[[], faults.Fault], str]] = {
    "401": (lambda: faults.refused(401), "wants a login"),
    "403": (lambda: faults.refused(403), r"answered with 403 \(DENIED: not\?\[31m you\); ask for the right"),
    "404": (lambda: faults.refused(404), "answered with 404 .*; look at the name"),
    "500 each time": (lambda: faults.busy(99, 500), "failed 3 times: it answers 500"),
    "a pause of a day": (lambda: faults.busy(99, 429, "86400"), "asks for a pause of 86400 s"),
    "no answer": (lambda: faults.stall(2.5), "stalled: no answer for 0.3 s"),
    "a body that trickles": (lambda: faults.trickle(3), "stalled: next to nothing came for 0.3 s"),
    "a wrong digest": (lambda: faults.wrong_bytes, "the registry holds damaged content"),
    "a byte too many": (lambda: faults.longer, "the registry holds damaged content"),
    "a body that is cut each time": (lambda: faults.cut_blobs(99, ranges=False), "run the command again: it goes on"),
    "a redirect in a circle": (lambda: faults.endless_redirect, "redirected more than 5 times"),
    "a connection dropped each time": (lambda: faults.drop_connections(99), "failed 3 times"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_blob_is_refused_for(name: str) -> None:
    fault, words = REFUSED[name]
    sink = MemorySink()
    with (
        faults.FaultyRegistry(store(), fault()) as registry,
        pytest.raises(RegistryError, match=words) as caught,
    ):
        fetch(registry.address, sink, stall_s=0.3)
    assert caught.value.exit_code == 3
    if "digest" in name or "many" in name:
        assert sink.data == b""


def test_a_transfer_goes_on_where_an_earlier_run_stopped() -> None:
    sink = MemorySink()
    sink.write(IMAGE.blobs[BLOB][:150_000])
    asked = []

    def note(handler: faults.FaultyHandler, number: int) -> bool:
        asked.append(handler.headers.get("Range"))
        return False

    with faults.FaultyRegistry(store(), note) as registry:
        assert fetch(registry.address, sink) == IMAGE.blobs[BLOB]
    assert asked == ["bytes=150000-"]


def test_a_start_that_was_wrong_is_fetched_again() -> None:
    sink = MemorySink()
    sink.write(b"wrong" * 100)
    with faults.FaultyRegistry(store(), faults.none) as registry:
        assert fetch(registry.address, sink) == IMAGE.blobs[BLOB]


def test_a_manifest_is_checked_against_its_digest() -> None:
    with (
        faults.FaultyRegistry(store(), faults.wrong_manifest) as registry,
        pytest.raises(RegistryError, match="changes content"),
    ):
        fetch_tree(Registry.at(registry.address, options()), REPOSITORY, IMAGE.root)


@pytest.mark.parametrize("login", [faults.token_login, faults.basic_login])
def test_logins(login: Callable[[str, str], faults.Fault], tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    with faults.FaultyRegistry(store(), login("me", "s3cret")) as registry:
        config.write_text(json.dumps({"auths": {f"https://{registry.address}/v1/": {"auth": "bWU6czNjcmV0"}}}))
        logins = read_logins(config)
        assert "s3cret" not in repr(logins)
        sources = Sources({"docker.io": registry.address}, options=options(), logins=logins)
        client, repository = sources.locate(ImageReference.parse("some/app:v1"))
        assert client.manifest(repository, IMAGE.root)[0] == IMAGE.manifests[IMAGE.root][0]
        with pytest.raises(RegistryError, match="no login was given"):
            Registry.at(registry.address, options()).manifest(repository, IMAGE.root)
        with pytest.raises(RegistryError) as caught:
            Registry.at(registry.address, options(), Login("me", "wr0ng")).manifest(repository, IMAGE.root)
        assert "wr0ng" not in str(caught.value)


def test_a_redirect_to_another_host_loses_the_login() -> None:
    seen = []

    def note(handler: faults.FaultyHandler, number: int) -> bool:
        seen.append(handler.headers.get("Authorization"))
        return False

    with faults.FaultyRegistry(store(), note) as elsewhere:
        basic = faults.basic_login("me", "s3cret")
        redirect = faults.redirect_blobs(f"http://{elsewhere.address}", [])

        def both(handler: faults.FaultyHandler, number: int) -> bool:
            return basic(handler, number) or redirect(handler, number)

        with faults.FaultyRegistry(store(), both) as registry:
            sink = MemorySink()
            Registry.at(registry.address, options(), Login("me", "s3cret")).fetch_blob(REPOSITORY, WANTED, sink)
    assert (bytes(sink.data), seen) == (IMAGE.blobs[BLOB], [None])


PLAIN = ["registry.example:5000", "10.0.0.1:5000", "127.0.0.1.example:80"]


@pytest.mark.parametrize("address", PLAIN)
def test_plain_http_is_for_loopback(address: str) -> None:
    assert Registry.at(address)._url("a", "b").startswith("https://")
    allowed = Registry.at(address, TransportOptions(plain_http=True))
    assert allowed._url("a", "b").startswith("http://")
    with pytest.raises(RegistryError, match="is not https"):
        Registry.at("127.0.0.1:1", options()).transport.send("GET", f"http://{address}/v2/", {})


def test_a_registry_that_is_not_there() -> None:
    with pytest.raises(RegistryError, match=r"failed 3 times: .*refused.*; look whether the registry runs"):
        fetch("127.0.0.1:9")


def test_a_ca_file_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("nothing")
    client = Registry.at("registry.example", options(ca_file=tmp_path / "ca.pem"))
    with pytest.raises((UsageError, ssl.SSLError), match="cannot be read as PEM"):
        client.manifest("a", "b")


def test_a_site_certificate_is_trusted_by_its_ca_file_alone(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    with faults.TlsRegistry(store(), tmp_path) as registry:
        assert fetch(registry.address, ca_file=registry.ca_file) == IMAGE.blobs[BLOB]
        stranger = faults.TlsRegistry(store(), tmp_path / "other")
        with pytest.raises(RegistryError, match=r"the certificate is not trusted .*; give the site's CA file"):
            fetch(registry.address, ca_file=stranger.ca_file)
        with pytest.raises(RegistryError, match="failed 3 times"):
            fetch(registry.address)


def push_one(address: str, **changes: object) -> Registry:
    client = Registry.at(address, options(**changes))
    for digest, content in IMAGE.blobs.items():
        client.push_blob("new/app", Descriptor(digest, len(content), ""), lambda c=content: io.BytesIO(c))
    client.push_manifest("new/app", "v1", IMAGE.manifests[IMAGE.root][0], OCI_MANIFEST)
    return client


PUSHED: dict[str, Callable[[], faults.Fault]] = {
    "all is well": lambda: faults.none,
    "503 twice": lambda: faults.busy(2),
    "dropped connections": lambda: faults.drop_connections(2),
}


@pytest.mark.parametrize("name", PUSHED)
def test_an_image_arrives_although(name: str) -> None:
    with faults.FaultyRegistry(Store(), PUSHED[name]()) as registry:
        client = push_one(registry.address)
        found = client.find_manifest("new/app", "v1")
        assert found is not None
        assert (found.digest, found.media_type) == (IMAGE.root, OCI_MANIFEST)
        assert client.find_manifest("new/app", "v2") is None
        assert client.mount_blob("other/app", BLOB, "new/app") is True
        assert client.mount_blob("other/app", BLOB, "nowhere") is False
        assert registry.store.uploads == {}
        assert client.repositories() == ["new/app", "other/app"]


def test_a_registry_that_rewrites_manifests_is_refused() -> None:
    with (
        faults.FaultyRegistry(Store(), faults.rewriting) as registry,
        pytest.raises(RegistryError, match="it rewrites manifests"),
    ):
        push_one(registry.address)


def test_a_registry_that_takes_nothing_is_refused() -> None:
    with (
        faults.FaultyRegistry(Store(), faults.refused(405)) as registry,
        pytest.raises(RegistryError, match="the registry is read-only"),
    ):
        push_one(registry.address)


D = "sha256:" + "a" * 64
BROKEN: dict[str, tuple[bytes, str]] = {
    "no JSON": (b"<html>", "is no JSON document"),
    "deep JSON": (b"[" * 100_000, "is no JSON document"),
    "a list": (b"[]", "is no JSON object"),
    "docker schema 1": (b'{"schemaVersion":1,"fsLayers":[]}', "has the media type"),
    "a layer of negative size": (
        canonical({"mediaType": OCI_MANIFEST, "config": {"digest": D, "size": -1, "mediaType": "x"}, "layers": []}),
        "claims the size '-1'",
    ),
    "a layer of an exabyte": (
        canonical({"mediaType": OCI_MANIFEST, "config": {"digest": D, "size": 2**60, "mediaType": "x"}, "layers": []}),
        "claims the size",
    ),
    "a size that is true": (
        canonical({"mediaType": OCI_MANIFEST, "config": {"digest": D, "size": True, "mediaType": "x"}, "layers": []}),
        "claims the size",
    ),
    "a digest that climbs": (
        canonical({"mediaType": OCI_INDEX, "manifests": [{"digest": "sha256:../../x", "size": 1, "mediaType": "x"}]}),
        "only sha256:<64 hex> is carried",
    ),
    "too many children": (
        canonical({"mediaType": OCI_INDEX, "manifests": [{"digest": D, "size": 1, "mediaType": "x"}] * 5000}),
        "at most 4096",
    ),
    "no layers": (
        canonical({"mediaType": OCI_MANIFEST, "config": {"digest": D, "size": 1, "mediaType": "x"}}),
        "no list",
    ),
    "a child that claims 5 MB": (
        canonical({"mediaType": OCI_INDEX, "manifests": [{"digest": D, "size": 5 << 20, "mediaType": OCI_MANIFEST}]}),
        "at most 4194304 are read",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_manifest_is_refused(name: str) -> None:
    raw, words = BROKEN[name]
    made = Store()
    made.manifests[sha256(raw)] = (raw, "application/json")
    made.links[REPOSITORY] = {sha256(raw)}
    with faults.FaultyRegistry(made, faults.none) as registry, pytest.raises(BundleError, match=words):
        fetch_tree(Registry.at(registry.address, options()), REPOSITORY, sha256(raw))


def test_indexes_nested_without_end_are_refused() -> None:
    made = Store()
    raw = canonical({"mediaType": OCI_INDEX, "manifests": []})
    for _ in range(10):
        row = {"digest": sha256(raw), "size": len(raw), "mediaType": OCI_INDEX}
        made.manifests[sha256(raw)] = (raw, OCI_INDEX)
        made.links.setdefault(REPOSITORY, set()).add(sha256(raw))
        raw = canonical({"mediaType": OCI_INDEX, "manifests": [row]})
    made.manifests[sha256(raw)] = (raw, OCI_INDEX)
    made.links[REPOSITORY].add(sha256(raw))
    with faults.FaultyRegistry(made, faults.none) as registry, pytest.raises(RegistryError, match="indexes deep"):
        fetch_tree(Registry.at(registry.address, options()), REPOSITORY, sha256(raw))


CREDENTIALS = {"no JSON": "{", "a list": "[]", "auth that is no base64": '{"auths":{"x":{"auth":"???"}}}'}


@pytest.mark.parametrize("name", CREDENTIALS)
def test_a_credentials_file_that_cannot_be_read(name: str, tmp_path: Path) -> None:
    (tmp_path / "c").write_text(CREDENTIALS[name])
    with pytest.raises(UsageError, match=r"cannot be read as docker's config.json"):
        read_logins(tmp_path / "c")
