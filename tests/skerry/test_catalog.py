"""The pins: what is written is read, what is missing is named, and nobody invents a digest."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from shutil import copytree

import pytest

from skerry.catalog import (
    CATALOG_FOLDER,
    LOCK_SCHEMA,
    Catalog,
    ChartEntry,
    Lock,
    LockEntry,
    load_catalog,
    lock_text,
    read_lock,
)
from skerry.errors import CatalogError
from skerry.facts import BaselineFact, ImageFact, ModelFact, TargetFact
from skerry.images import ImageReference

SITE = TargetFact(kind="onprem", connected=False, jurisdiction="DE", site_registry="registry.site.example:5000")
CLOUD = TargetFact(kind="aws", connected=True, jurisdiction="US", region="us-east-1")
DIGEST = "sha256:" + "5" * 64
QDRANT = "docker.io/qdrant/qdrant:v1.19.0"


def write_lock(path: Path, images: dict[str, LockEntry], rehearsal: bool = False) -> Path:
    path.write_text(lock_text(Lock(schema_=LOCK_SCHEMA, images=images, rehearsal=rehearsal)), encoding="utf-8")
    return path


def test_shipped_pins_hold_no_digest_that_nobody_resolved() -> None:
    for source, entry in load_catalog().lock.images.items():
        assert entry.digest is None or entry.resolved_on, source


def test_every_shipped_reference_is_full_and_has_a_tag() -> None:
    for row in load_catalog().images.values():
        parsed = ImageReference.parse(row.reference)
        assert str(parsed) == row.reference, row.name
        assert parsed.tag not in ("", "latest"), row.name


def test_every_row_says_where_and_when_it_was_read() -> None:
    catalog = load_catalog()
    rows = [*catalog.images.values(), *catalog.models.values(), *catalog.baselines.values(), *catalog.charts.values()]
    assert [row.name for row in rows if not row.read or not row.read_on.startswith("20")] == []


def test_whoever_may_not_simply_pass_a_thing_on_has_terms_to_accept() -> None:
    catalog = load_catalog()
    rows = [*catalog.images.values(), *catalog.models.values(), *catalog.baselines.values(), *catalog.charts.values()]
    assert [row.name for row in rows if (row.redistribute.value == "yes") == bool(catalog.terms(row))] == []
    bearing = {name for row in rows for name in row.licences}
    spare = {row.name for row in catalog.licences.values() if "no row bears it" in row.note}
    assert bearing == set(catalog.licences) - spare


def test_terms_reach_the_facts() -> None:
    catalog = load_catalog()
    assert catalog.image("mongodb", CLOUD, "test").terms == ("SSPL-1.0",)
    assert catalog.image("vllm", CLOUD, "test").terms == ("LicenseRef-NVIDIA-Container",)
    assert catalog.image("valkey", CLOUD, "test").terms == ()
    assert catalog.model("llama-3.3-70b-instruct", "test").terms == ("LicenseRef-Llama-3.3-Community",)
    assert catalog.baseline("sensei-patterns", "test").terms == ("LicenseRef-Vendor-Contract",)
    assert catalog.image("mine", CLOUD, "test", reference="docker.io/library/mongo:8").terms == ()


def test_what_nobody_may_pass_on_says_so(tmp_path: Path) -> None:
    folder = tmp_path / "images"
    copytree(CATALOG_FOLDER, folder)
    for file, old in (("images.yaml", "'ask'"), ("models.yaml", "ask"), ("baselines.yaml", "ask")):
        text = (folder / file).read_text(encoding="utf-8")
        changed = text.replace(f"redistribute: {old}", "redistribute: 'no'")
        assert changed != text
        (folder / file).write_text(changed, encoding="utf-8")
    catalog, shipped = load_catalog(folder), load_catalog()
    facts: dict[str, Callable[[Catalog], ImageFact | ModelFact | BaselineFact]] = {
        "mongodb": lambda c: c.image("mongodb", SITE, "test"),
        "llama": lambda c: c.model("llama-3.3-70b-instruct", "test"),
        "patterns": lambda c: c.baseline("sensei-patterns", "test"),
    }
    for ask in facts.values():
        assert (ask(catalog).may_be_passed_on, ask(shipped).may_be_passed_on) == (False, True)
    assert catalog.image("valkey", SITE, "test").may_be_passed_on


def test_every_image_of_a_chart_has_a_row() -> None:
    catalog = load_catalog()
    for name in catalog.charts:
        fact, images = catalog.chart(name, CLOUD, "test")
        assert fact.name == name and images and all(image.declared for image in images)


def test_a_digest_of_the_lock_pins_what_is_deployed(tmp_path: Path) -> None:
    catalog = load_catalog(lock=write_lock(tmp_path / "my.lock", {QDRANT: LockEntry(digest=DIGEST, bytes=7)}))
    fact = catalog.image("qdrant", SITE, "test")
    assert (fact.reference, fact.digest) == (QDRANT, DIGEST)
    assert f"registry.site.example:5000/{QDRANT}@{DIGEST}" == fact.deployed_as


def test_an_unresolved_image_stays_without_digest(tmp_path: Path) -> None:
    fact = load_catalog().image("qdrant", CLOUD, "test")
    assert (fact.digest, fact.deployed_as) == (None, QDRANT)
    tried = LockEntry(unresolved="no route", tried_at="2026-11-21T12:00:00Z")
    fact = load_catalog(lock=write_lock(tmp_path / "my.lock", {QDRANT: tried})).image("qdrant", CLOUD, "test")
    assert (fact.digest, fact.deployed_as) == (None, QDRANT)


def test_a_chart_takes_the_digest_of_the_lock(tmp_path: Path) -> None:
    path = tmp_path / "my.lock"
    row = load_catalog().charts["karpenter"]
    assert row.locked_as == f"oci://public.ecr.aws/karpenter/karpenter:{row.version}"
    entry = ChartEntry(digest=DIGEST, bytes=7, resolved_on="2026-11-21")
    lock = Lock(schema_=LOCK_SCHEMA, images={}, charts={row.locked_as: entry})
    path.write_text(lock_text(lock), encoding="utf-8")
    assert load_catalog(lock=path).chart("karpenter", CLOUD, "test")[0].digest == DIGEST
    assert load_catalog().chart("karpenter", CLOUD, "test")[0].digest is None


def test_a_lock_of_version_1_is_read(tmp_path: Path) -> None:
    path = tmp_path / "old.lock"
    path.write_text(f"schema: skerry.lock/1\nimages: {{'{QDRANT}': {{digest: '{DIGEST}', bytes: 7}}}}\n", "utf-8")
    assert read_lock(path).images == {QDRANT: LockEntry(digest=DIGEST, bytes=7)}


def test_the_users_own_image_and_its_own_digest_come_first(tmp_path: Path) -> None:
    other = "sha256:" + "6" * 64
    source = "registry.vendor.example/agents/scout:2"
    catalog = load_catalog(lock=write_lock(tmp_path / "my.lock", {source: LockEntry(digest=DIGEST)}))
    assert other == catalog.image("scout", CLOUD, "test", reference=f"{source}@{other}").digest
    assert catalog.image("scout", CLOUD, "test", reference=source).digest == DIGEST


def test_with_a_mirror_references_stay_as_they_are() -> None:
    mirror = SITE.model_copy(update={"image_access": "mirror"})
    assert load_catalog().image("qdrant", mirror, "test").deployed_as == QDRANT


def test_a_lock_reads_back_as_it_was_written(tmp_path: Path) -> None:
    lock = Lock(schema_=LOCK_SCHEMA, rehearsal=True, images={QDRANT: LockEntry(digest=DIGEST, bytes=9)})
    path = tmp_path / "x.lock"
    path.write_text(lock_text(lock), encoding="utf-8")
    assert lock == read_lock(path)
    assert lock_text(lock) == lock_text(read_lock(path))


MISSING: dict[str, tuple[Callable[[], object], str]] = {
    "an image": (lambda: load_catalog().image("qdrand", CLOUD, "x"), "images/images.yaml has no row 'qdrand': it has "),
    "a model": (lambda: load_catalog().model("gpt", "x"), "images/models.yaml has no row 'gpt': it has "),
    "a baseline": (lambda: load_catalog().baseline("b", "x"), "images/baselines.yaml has no row 'b': it has "),
    "a chart": (lambda: load_catalog().chart("c", CLOUD, "x"), "images/charts.yaml has no row 'c': it has "),
}


@pytest.mark.parametrize("case", MISSING)
def test_a_name_without_a_row_is_refused_with_the_names_that_have_one(case: str) -> None:
    ask, message = MISSING[case]
    with pytest.raises(CatalogError) as caught:
        ask()
    assert str(caught.value).startswith(message)


BAD_LOCKS = {
    "another version": ("schema: skerry.lock/9\nimages: {}\n", "schema 'skerry.lock/9' is not known"),
    "no schema": ("images: {}\n", "schema 'None' is not known"),
    "a list": ("[1, 2]\n", "schema 'None' is not known"),
    "nothing": ("", "schema 'None' is not known"),
    "no YAML": ("schema: [\n", "cannot be read"),
    "bytes that are no text": ("\udcff\udcfe", "cannot be read"),
    "a digest that is none": (f"schema: {LOCK_SCHEMA}\nimages: {{x: {{digest: sha256:5}}}}\n", "is not a valid lock"),
    "a size below nothing": (f"schema: {LOCK_SCHEMA}\nimages: {{x: {{bytes: -1}}}}\n", "is not a valid lock"),
    "a field of nobody": (f"schema: {LOCK_SCHEMA}\nimages: {{}}\nsigned: yes\n", "is not a valid lock"),
    "an alias that calls a program": (
        f"schema: {LOCK_SCHEMA}\nimages: !!python/object/apply:os.system [id]\n",
        "cannot be read",
    ),
}


@pytest.mark.parametrize("case", BAD_LOCKS)
def test_a_bad_lock_is_refused(case: str, tmp_path: Path) -> None:
    text, message = BAD_LOCKS[case]
    path = tmp_path / "bad.lock"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(CatalogError, match=message):
        read_lock(path)


def test_a_lock_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match=r"^gone\.lock cannot be read"):
        read_lock(tmp_path / "gone.lock")


BAD_ROWS = {
    "a row twice": ("two rows are named 'a'", 2, ""),
    "a field of nobody": ("is not valid", 1, "colour: red"),
    "a right to pass on that is none": ("is not valid", 1, "redistribute: perhaps"),
    "a licence of nobody": ("row 'a' has the licence 'Free', and licences.yaml has AGPL", 1, "licence: MIT AND Free"),
}


@pytest.mark.parametrize("case", BAD_ROWS)
def test_a_bad_row_is_refused(case: str, tmp_path: Path) -> None:
    message, times, extra = BAD_ROWS[case]
    folder = tmp_path / "images"
    copytree(CATALOG_FOLDER, folder)
    row = (
        "- name: a\n  reference: docker.io/a/a:1\n  licence: MIT\n  redistribute: 'yes'\n  read: x\n  read_on: '2026'\n"
    )
    for given in ("redistribute: 'yes'", "licence: MIT"):
        if extra.startswith(given.partition(" ")[0]):
            row, extra = row.replace(given, extra), ""
    (folder / "images.yaml").write_text(row * times + (f"  {extra}\n" if extra else ""), encoding="utf-8")
    with pytest.raises(CatalogError, match=message):
        load_catalog(folder)
