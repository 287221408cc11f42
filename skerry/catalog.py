"""The pins of images/: which image, model, baseline and chart a name stands for, and what is known of each.

images/images.yaml, models.yaml, baselines.yaml and charts.yaml say what is wanted and where that was read;
images/images.lock says what a registry answered. A row that nobody resolved has no digest and no size: readers show
it as unresolved.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Final, Self, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from skerry.errors import CatalogError
from skerry.facts import BaselineFact, ChartFact, ImageFact, ModelFact, TargetFact
from skerry.images import ImageReference, to_site

LOCK_SCHEMA: Final = "skerry.lock/2"
"""Name and version of images/images.lock as it is written."""
_READABLE_LOCKS: Final = (LOCK_SCHEMA, "skerry.lock/1")
"""Version 1 had neither platforms nor charts nor rows that say why they are unresolved."""

CATALOG_FOLDER: Final = Path(__file__).resolve().parent.parent / "images"


class Redistribution(str, Enum):
    """Whether a vendor may carry this to a customer."""

    YES = "yes"
    NO = "no"
    ASK = "ask"


class _Named(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str
    read: str
    """The page or file where the version, or the licence, was read."""
    read_on: str
    note: str = ""


class LicenceRow(_Named):
    """One row of images/licences.yaml; its name is the SPDX id, or `LicenseRef-...` where SPDX has none."""

    title: str
    accept: bool
    """Whether somebody must accept its terms before it is used."""


class _Row(_Named):
    licence: str
    """Ids of images/licences.yaml, joined by AND as SPDX expressions are."""
    redistribute: Redistribution

    @property
    def licences(self) -> tuple[str, ...]:
        """The ids of its licences."""
        return tuple(self.licence.split(" AND "))


class ImageRow(_Row):
    """One row of images/images.yaml."""

    reference: str
    used_by: str = ""
    """What names it where no component of a stack does."""


class ModelRow(_Row):
    """One row of images/models.yaml."""

    source: str
    revision: str | None = None
    parameters: int
    layers: int
    kv_heads: int
    heads: int
    head_dim: int
    bytes: int | None = None
    """Size of the files as the source lists it; None where nobody read it."""


class BaselineRow(_Row):
    """One row of images/baselines.yaml."""

    source: str
    version: str
    bytes: int | None = None
    digest: str | None = None


class ChartRow(_Row):
    """One row of images/charts.yaml."""

    repository: str
    version: str
    digest: str | None = None
    images: tuple[str, ...]
    """Names in images/images.yaml of everything that the chart runs."""
    named_only: Mapping[str, str] = {}
    """Images without tag that its manifests name and that never run with our values -> why."""

    @property
    def locked_as(self) -> str:
        """The chart's key in images/images.lock."""
        return f"{self.repository.rstrip('/')}/{self.name}:{self.version}"


class CrdRow(_Row):
    """One row of images/crds.yaml: CRDs at the version of the Go module that carries their operator's source."""

    module: str
    version: str = Field(pattern=r"^v\d+\.\d+\.\d+$")
    sum: str = Field(pattern=r"^h1:[A-Za-z0-9+/]{43}=$")
    """The hash of the module's zip, as go.sum writes it: what `go mod download` checks."""
    path: str
    """The folder of the CRDs in the module, or the one file that has them."""
    webhooks: tuple[str, ...]
    """Files with webhook configurations, which are left out where no operator runs."""
    chart: str
    """The chart whose operator reads them; a row of charts.yaml where a stack installs it."""


_Sha256 = Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]
_Bytes = Annotated[int, Field(ge=0)]


class _Locked(BaseModel):
    """What a registry answered for one row, or why it gave no answer."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    digest: _Sha256 | None = None
    bytes: _Bytes | None = None
    resolved_on: str | None = None
    answered_by: str | None = None
    """The registry that was asked in place of the reference's own; None for its own."""
    unresolved: str | None = None
    """Why nobody could resolve it; such a row has no digest and no size."""
    tried_at: str | None = None
    """When that was, UTC."""

    @model_validator(mode="after")
    def _one_or_the_other(self) -> Self:
        if self.unresolved is not None and (self.digest or self.bytes is not None or not self.tried_at):
            raise ValueError("an unresolved row has a time in tried_at, and neither digest nor bytes")
        return self


class PlatformEntry(BaseModel):
    """The manifest of one platform."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    digest: _Sha256
    media_type: str
    manifest_bytes: _Bytes
    config_bytes: _Bytes
    layer_bytes: _Bytes
    """Compressed, each layer once."""
    layers: _Bytes
    """How many layers."""


class LockEntry(_Locked):
    """One image: `digest` is that of the index, or of the only manifest; `bytes` is that and everything under it."""

    media_type: str | None = None
    platforms: dict[str, PlatformEntry] = {}
    """`os/architecture[/variant]` -> the manifest that runs there; only platforms that were asked for."""


class ChartEntry(_Locked):
    """One chart: `digest` and `bytes` are those of the packaged chart, the .tgz."""

    manifest: _Sha256 | None = None
    """The digest of its manifest, where the chart lies in an OCI registry."""


class Lock(BaseModel):
    """images/images.lock: source reference -> what is known."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)
    schema_: str = Field(alias="schema")
    rehearsal: bool = False
    """True when the digests belong to generated stand-ins, not to the real images."""
    images: dict[str, LockEntry]
    charts: dict[str, ChartEntry] = {}
    """`<repository>/<name>:<version>` -> what is known."""


@dataclass(frozen=True, slots=True)
class Catalog:
    """All pins, by name."""

    images: Mapping[str, ImageRow]
    models: Mapping[str, ModelRow]
    baselines: Mapping[str, BaselineRow]
    charts: Mapping[str, ChartRow]
    crds: Mapping[str, CrdRow]
    licences: Mapping[str, LicenceRow]
    lock: Lock

    def terms(self, row: _Row) -> tuple[str, ...]:
        """Return the licences of `row` whose terms somebody must accept."""
        return tuple(name for name in row.licences if self.licences[name].accept)

    def image(
        self, name: str, target: TargetFact, why: str, *, reference: str | None = None, declared: bool = False
    ) -> ImageFact:
        """Return the fact of an image for `target`; `reference` takes the user's own image in place of a row.

        Raises:
            CatalogError: no row has that name, or the reference cannot be read.
        """
        row = None if reference else _pick(self.images, name, "images.yaml")
        text = reference or _pick(self.images, name, "images.yaml").reference
        parsed = ImageReference.parse(text)
        entry = self.lock.images.get(parsed.source)
        digest = parsed.digest or (entry.digest if entry else None) or None
        deployed = to_site(parsed.with_digest(digest), target.site_registry, target.image_access)
        return ImageFact(
            name=name,
            reference=parsed.source,
            digest=digest,
            deployed_as=str(deployed),
            why=why,
            declared=declared,
            terms=self.terms(row) if row else (),
            may_be_passed_on=row is None or row.redistribute is not Redistribution.NO,
        )

    def model(self, name: str, why: str) -> ModelFact:
        """Return the fact of a model.

        Raises:
            CatalogError: no row has that name.
        """
        row = _pick(self.models, name, "models.yaml")
        return ModelFact(
            name=row.name,
            source=row.source,
            revision=row.revision,
            bytes=row.bytes,
            licence=row.licence,
            terms=self.terms(row),
            may_be_passed_on=row.redistribute is not Redistribution.NO,
            why=why,
        )

    def baseline(self, name: str, why: str) -> BaselineFact:
        """Return the fact of a baseline.

        Raises:
            CatalogError: no row has that name.
        """
        row = _pick(self.baselines, name, "baselines.yaml")
        return BaselineFact(
            name=row.name,
            source=row.source,
            version=row.version,
            bytes=row.bytes,
            digest=row.digest,
            terms=self.terms(row),
            may_be_passed_on=row.redistribute is not Redistribution.NO,
            why=why,
        )

    def chart(self, name: str, target: TargetFact, why: str) -> tuple[ChartFact, tuple[ImageFact, ...]]:
        """Return the fact of a chart and of each image that it will run, marked as declared.

        Raises:
            CatalogError: no row has that name, or it names an image without a row.
        """
        row = _pick(self.charts, name, "charts.yaml")
        entry = self.lock.charts.get(row.locked_as)
        digest = row.digest or (entry.digest if entry else None)
        fact = ChartFact(
            name=row.name,
            repository=row.repository,
            version=row.version,
            digest=digest,
            terms=self.terms(row),
            may_be_passed_on=row.redistribute is not Redistribution.NO,
            why=why,
        )
        return fact, tuple(self.image(image, target, f"{why} (chart {name})", declared=True) for image in row.images)


_LOADER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The same loader in C, where the YAML package was built with it: the pins are a thousand lines."""

RowT = TypeVar("RowT", bound=_Named)


def _pick(rows: Mapping[str, RowT], name: str, file: str) -> RowT:
    try:
        return rows[name]
    except KeyError:
        raise CatalogError(f"images/{file} has no row '{name}': it has {', '.join(sorted(rows))}") from None


def _read(path: Path) -> Any:
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=_LOADER)  # either is a safe loader
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as exc:
        raise CatalogError(f"{path.name} cannot be read: {exc}") from exc


def _rows(path: Path, row: type[RowT]) -> dict[str, RowT]:
    found: dict[str, RowT] = {}
    for entry in _read(path) or []:
        try:
            parsed = row.model_validate(entry)
        except ValidationError as exc:
            raise CatalogError(f"{path.name}: row {entry!r} is not valid: {exc}") from exc
        if parsed.name in found:
            raise CatalogError(f"{path.name}: two rows are named '{parsed.name}': keep one")
        found[parsed.name] = parsed
    return found


def _licensed(rows: Mapping[str, _Row], licences: Mapping[str, LicenceRow], file: str) -> None:
    for row in rows.values():
        for name in row.licences:
            if name not in licences:
                known = ", ".join(sorted(licences))
                raise CatalogError(f"{file}: row '{row.name}' has the licence '{name}', and licences.yaml has {known}")


def read_lock(path: Path) -> Lock:
    """Read a lock file.

    Raises:
        CatalogError: the file cannot be read, or has another schema version.
    """
    document = _read(path)
    schema = document.get("schema") if isinstance(document, dict) else None
    if schema not in _READABLE_LOCKS:
        raise CatalogError(
            f"{path.name}: schema '{schema}' is not known: this version reads {' and '.join(_READABLE_LOCKS)}"
        )
    try:
        return Lock.model_validate(document)
    except ValidationError as exc:
        raise CatalogError(f"{path.name} is not a valid lock: {exc}") from exc


def lock_text(lock: Lock) -> str:
    """Return the text of a lock file, the same for the same lock."""
    document = lock.model_dump(mode="json", by_alias=True, exclude_none=True)
    for entry in document["images"].values():
        if not entry["platforms"]:
            del entry["platforms"]
    if not document["charts"]:
        del document["charts"]
    return yaml.safe_dump(document, sort_keys=True)


@cache
def load_catalog(folder: Path = CATALOG_FOLDER, lock: Path | None = None) -> Catalog:
    """Read the pins of `folder`; `lock` takes the place of its images.lock.

    Raises:
        CatalogError: a file cannot be read or a row is not valid.
    """
    made = Catalog(
        images=_rows(folder / "images.yaml", ImageRow),
        models=_rows(folder / "models.yaml", ModelRow),
        baselines=_rows(folder / "baselines.yaml", BaselineRow),
        charts=_rows(folder / "charts.yaml", ChartRow),
        crds=_rows(folder / "crds.yaml", CrdRow),
        licences=_rows(folder / "licences.yaml", LicenceRow),
        lock=read_lock(lock or folder / "images.lock"),
    )
    for file, rows in (
        ("images", made.images),
        ("models", made.models),
        ("baselines", made.baselines),
        ("charts", made.charts),
        ("crds", made.crds),
    ):
        _licensed(rows, made.licences, f"{file}.yaml")
    return made
