"""Image references: what Docker would resolve, and the way to a site and back."""

from __future__ import annotations

import pytest

from skerry.errors import CatalogError
from skerry.images import ImageReference, from_site, to_site

DIGEST = "sha256:" + "ab" * 32

PARSED = {
    "a bare name is Docker's library": ("neo4j:5.26", "docker.io/library/neo4j:5.26"),
    "a name without a tag is latest": ("qdrant/qdrant", "docker.io/qdrant/qdrant:latest"),
    "a host is told by its dot": ("quay.io/kuberay/operator:v1", "quay.io/kuberay/operator:v1"),
    "a host is told by its port": ("localhost:5000/a/b:c", "localhost:5000/a/b:c"),
    "a digest needs no tag": (f"ghcr.io/a/b@{DIGEST}", f"ghcr.io/a/b@{DIGEST}"),
    "tag and digest are both kept": (f"ghcr.io/a/b:1@{DIGEST}", f"ghcr.io/a/b:1@{DIGEST}"),
}


@pytest.mark.parametrize(("text", "full"), PARSED.values(), ids=PARSED.keys())
def test_parse(text: str, full: str) -> None:
    assert str(ImageReference.parse(text)) == full


REFUSED = {
    "empty": "",
    "upper case in the repository": "docker.io/Foo/bar:1",
    "a short digest": "docker.io/a/b@sha256:abcd",
    "an at sign without a digest": "docker.io/a/b:1@",
    "a path that climbs": "docker.io/../etc:1",
    "a space": "docker.io/a b:1",
    "an over-long tag": "docker.io/a/b:" + "x" * 129,
}


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED.keys())
def test_parse_refuses(text: str) -> None:
    with pytest.raises(CatalogError, match="is no image reference"):
        ImageReference.parse(text)


@pytest.mark.parametrize("site", ["registry.site.example:5000", "registry.site.example/mirror/a"])
@pytest.mark.parametrize("text", ["neo4j:5.26", "localhost:5000/a/b:c", f"quay.io/a/b:1@{DIGEST}"])
def test_the_way_to_a_site_and_back_is_exact(site: str, text: str) -> None:
    reference = ImageReference.parse(text)
    assert from_site(to_site(reference, site), site) == reference


def test_mirror_leaves_references_as_they_are() -> None:
    reference = ImageReference.parse("quay.io/a/b:1")
    assert to_site(reference, "registry.site.example", "mirror") == reference


def test_from_site_refuses_what_is_elsewhere() -> None:
    with pytest.raises(CatalogError, match="does not lie in the site registry"):
        from_site(ImageReference.parse("quay.io/a/b:1"), "registry.site.example")


def test_the_lock_key_has_no_digest() -> None:
    assert ImageReference.parse(f"quay.io/a/b:1@{DIGEST}").source == "quay.io/a/b:1"
