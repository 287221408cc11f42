"""Reports as text and as JSON: pure functions, the same text for the same report.

The JSON documents are described in docs/bundle-format.md.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from airgap_bundle.bundle_format import PLAN_SCHEMA, REPORT_SCHEMA
from airgap_bundle.export import ExportReport
from airgap_bundle.load import LoadReport
from airgap_bundle.manifest import SetManifest
from airgap_bundle.plan import BundlePlan, ItemKind, PlanItem
from airgap_bundle.proof import Resolved
from airgap_bundle.unpack import UnpackReport
from airgap_bundle.verify import Step, VerifyReport
from skerry.invokes import functions_json, functions_text
from skerry.units import format_bytes

_SHORT = 12
_WIDTH = 100
"""Columns of the sentences of a plan."""


def plan_text(plan: BundlePlan) -> str:
    """Return the plan for people: each item with its pin, its size and why."""
    lines = [f"bundle plan for {plan.project}, {_stacks(plan.stacks)}"]
    if plan.rehearsal:
        lines.append("rehearsal: the images are generated stand-ins, not the real ones")
    for kind in ItemKind:
        items = plan.of_kind(kind)
        if items:
            lines += ["", f"{kind.value}s ({len(items)})"]
        for item in items:
            lines.append(f"  {item.name}{_version(item)}")
            lines.append(f"    {_pin(item)}, {_size(item.bytes)}{_runner(item)}")
            lines += [f"    needed by {why}" for why in item.why]
    if plan.apart:
        lines += ["", f"carried apart, never on this medium ({len(plan.apart)})", *(f"  {key}" for key in plan.apart)]
    lines += ["", f"in all {plan_total(plan)}"]
    if plan.unresolved:
        lines.append(f"{len(plan.unresolved)} of {len(plan.items)} items are unresolved: nobody pinned them yet")
    if plan.problems:
        lines += ["", f"incomplete: {_count(len(plan.problems), 'problem')}"]
        lines += [f"  {problem}" for problem in plan.problems]
    elif plan.complete:
        lines.append("complete: facts and manifests name the same images")
    else:
        lines += [
            "not known to be complete: no component states facts, so only images that manifests name are listed;",
            "  models, baselines, and what charts and services without a manifest run cannot be told",
        ]
    if functions := functions_text(plan.functions, _WIDTH):
        lines += ["", *functions]
    return "\n".join(lines) + "\n"


def plan_total(plan: BundlePlan) -> str:
    """Return the total of a plan as one phrase."""
    text = f"{_count(len(plan.items), 'item')}, at least {format_bytes(plan.known_bytes)}"
    return f"{text}, {plan.unknown_sizes} of unknown size" if plan.unknown_sizes else text


_ITEM_FIELDS: Final = ("name", "source", "version", "digest", "bytes", "resolved", "declared")
"""What a plan says of an item as the item has it."""


def plan_json(plan: BundlePlan) -> str:
    """Return the plan as a `skerry.bundle-plan/1` document."""
    return _dump(
        {
            "schema": PLAN_SCHEMA,
            "project": plan.project,
            "stacks": list(plan.stacks),
            "rehearsal": plan.rehearsal,
            "imageAccess": plan.image_access,
            "complete": plan.complete,
            "problems": list(plan.problems),
            "knownBytes": plan.known_bytes,
            "unknownSizes": plan.unknown_sizes,
            "unresolved": [item.name for item in plan.unresolved],
            "functions": functions_json(plan.functions),
            "apart": list(plan.apart),
            "items": [
                {
                    "kind": item.kind.value,
                    **{field: getattr(item, field) for field in _ITEM_FIELDS},
                    "deployedAs": list(item.deployed_as),
                    "why": list(item.why),
                }
                for item in plan.items
            ],
        }
    )


def export_text(report: ExportReport) -> str:
    """Return what an export wrote, for people."""
    manifest = report.manifest
    lines = [
        f"exported a {_kind(manifest)} bundle of {_count(len(manifest.artifacts), 'artifact')} to {report.medium}",
        *_volume_lines(manifest),
        f"fetched {format_bytes(report.fetched_bytes)}"
        + (f", {format_bytes(report.present_bytes)} were there from an earlier run" if report.resumed else ""),
        f"signed by {report.signer}",
        f"set manifest {report.manifest_digest}",
    ]
    return "\n".join(lines) + "\n"


def export_json(report: ExportReport) -> str:
    """Return what an export wrote as a `skerry.bundle-report/1` document."""
    document = _header("export", report.manifest, report.manifest_digest)
    document |= {
        "medium": str(report.medium),
        "signer": report.signer,
        "fetchedBytes": report.fetched_bytes,
        "presentBytes": report.present_bytes,
        "resumed": report.resumed,
    }
    return _dump(document)


def verify_text(report: VerifyReport) -> str:
    """Return what a verification found, for people: each step, then each artifact."""
    lines = [f"verified {', '.join(str(path) for path in report.media)}"]
    failed = report.findings[0].step if report.findings else None
    for step in Step:
        state = "ok" if step in report.passed else "REFUSED" if step is failed else "not reached"
        lines.append(f"  {step.value:<18} {state}")
        lines += [f"    {f.subject}: {f.message}" for f in report.findings if f.step is step]
    manifest = report.manifest
    if report.ok and manifest is not None:
        lines += ["", f"signed by {report.signer}: a {_kind(manifest)} bundle of {manifest.created}"]
        lines += _volume_lines(manifest)
        for artifact in manifest.artifacts:
            lines.append(f"  ok  {artifact.kind:<8} {artifact.reference} {artifact.digest[: 7 + _SHORT]}")
    elif manifest is not None and report.damaged:
        lines += ["", "artifacts on the volumes concerned:", *(f"  {reference}" for reference in report.damaged)]
    lines.append("trusted" if report.ok else "NOT TRUSTED: do not use this medium")
    return "\n".join(lines) + "\n"


def verify_json(report: VerifyReport) -> str:
    """Return what a verification found as a `skerry.bundle-report/1` document."""
    document = _header("verify", report.manifest, report.manifest_digest)
    damaged = set(report.damaged)
    document |= {
        "media": [str(path) for path in report.media],
        "ok": report.ok,
        "signer": report.signer,
        "passed": [step.value for step in report.passed],
        "findings": [{"step": f.step.value, "subject": f.subject, "message": f.message} for f in report.findings],
        "damaged": sorted(damaged),
        "hashedBytes": report.hashed_bytes,
    }
    return _dump(document)


def unpack_text(report: UnpackReport) -> str:
    """Return what an unpacking wrote, for people."""
    lines = [f"unpacked into {report.folder}, signed by {report.verification.signer}"]
    for one in report.artifacts:
        where = one.path.relative_to(report.folder)
        lines.append(f"  {one.state:<7} {where}  {one.artifact.reference} {one.artifact.digest[: 7 + _SHORT]}")
    if any(one.artifact.item_kind is ItemKind.IMAGE for one in report.artifacts):
        lines.append("load each image with: docker load --input FILE, or podman load --input FILE")
    return "\n".join(lines) + "\n"


def unpack_json(report: UnpackReport) -> str:
    """Return what an unpacking wrote as a `skerry.bundle-report/1` document."""
    document = _header("unpack", report.verification.manifest, report.verification.manifest_digest)
    document |= {
        "folder": str(report.folder),
        "signer": report.verification.signer,
        "results": [
            {
                "reference": one.artifact.reference,
                "kind": one.artifact.kind,
                "digest": one.artifact.digest,
                "path": str(one.path.relative_to(report.folder)),
                "state": one.state,
            }
            for one in report.artifacts
        ],
    }
    return _dump(document)


def load_text(report: LoadReport) -> str:
    """Return what an import did, for people."""
    lines = [f"imported into {report.registry}, signed by {report.verification.signer}"]
    for one in report.artifacts:
        tag = f":{one.artifact.tag}" if one.artifact.tag else ""
        moved = f" (the tag stood for {one.moved_from[: 7 + _SHORT]})" if one.moved_from else ""
        lines.append(f"  {one.state:<7} {one.repository}{tag}@{one.artifact.digest[: 7 + _SHORT]}{moved}")
    lines.append(
        f"{_count(report.pushed_blobs, 'blob')} pushed ({format_bytes(report.pushed_bytes)}), {report.mounted_blobs} "
        f"mounted, {report.present_blobs} present, {_count(report.pushed_manifests, 'manifest')} pushed"
    )
    return "\n".join(lines) + "\n"


def load_json(report: LoadReport) -> str:
    """Return what an import did as a `skerry.bundle-report/1` document."""
    document = _header("import", report.verification.manifest, report.verification.manifest_digest)
    document |= {
        "registry": report.registry,
        "signer": report.verification.signer,
        "pushedBlobs": report.pushed_blobs,
        "pushedBytes": report.pushed_bytes,
        "mountedBlobs": report.mounted_blobs,
        "presentBlobs": report.present_blobs,
        "pushedManifests": report.pushed_manifests,
        "results": [
            {
                "reference": one.artifact.reference,
                "repository": one.repository,
                "digest": one.artifact.digest,
                "state": one.state,
                "movedFrom": one.moved_from or None,
            }
            for one in report.artifacts
        ],
    }
    return _dump(document)


def proof_text(resolved: Sequence[Resolved]) -> str:
    """Return the proof for people: each reference of the stack and what the site answered."""
    lines = []
    for one in resolved:
        state = "ok" if one.ok else "NOT PINNED" if not one.expected else "WRONG" if one.found else "MISSING"
        lines.append(f"  {state:<10} {one.reference}")
        if not one.ok:
            lines.append(f"             looked for {one.site_reference}, found {one.found or 'nothing'}")
    good = sum(one.ok for one in resolved)
    lines.append(f"{good} of {_count(len(resolved), 'image reference')} resolve at the site by the same digest")
    return "\n".join(lines) + "\n"


def proof_json(resolved: Iterable[Resolved]) -> str:
    """Return the proof as a `skerry.bundle-report/1` document."""
    rows = [
        {
            "reference": one.reference,
            "siteReference": one.site_reference,
            "expected": one.expected or None,
            "found": one.found or None,
            "ok": one.ok,
        }
        for one in resolved
    ]
    return _dump({"schema": REPORT_SCHEMA, "report": "proof", "ok": all(row["ok"] for row in rows), "results": rows})


def _header(name: str, manifest: SetManifest | None, digest: str) -> dict[str, Any]:
    document: dict[str, Any] = {"schema": REPORT_SCHEMA, "report": name, "manifestDigest": digest or None}
    if manifest is not None:
        document |= {
            "kind": manifest.kind,
            "created": manifest.created,
            "deployment": manifest.deployment.model_dump(mode="json"),
            "volumes": [{"name": v.name, "bytes": v.total_bytes, "files": len(v.files)} for v in manifest.volumes],
            "artifacts": [a.model_dump(mode="json") for a in manifest.artifacts],
        }
    return document


def _volume_lines(manifest: SetManifest) -> list[str]:
    return [
        f"  {volume.name}: {_count(len(volume.blobs), 'blob')}, {format_bytes(volume.total_bytes)}"
        for volume in manifest.volumes
    ]


def _kind(manifest: SetManifest) -> str:
    return "REHEARSAL (stand-ins, not the real images)" if manifest.kind == "rehearsal" else "real"


def _pin(item: PlanItem) -> str:
    if item.digest:
        return item.digest[: 7 + _SHORT]
    return "unresolved" if not item.resolved else "without a digest"


def _size(count: int | None) -> str:
    return "unknown size" if count is None else format_bytes(count)


def _runner(item: PlanItem) -> str:
    """Say who runs an image that no manifest of ours carries."""
    if not item.declared:
        return ""
    return ", run by an operator" if any("(chart " in why for why in item.why) else ", named in no manifest"


def _version(item: PlanItem) -> str:
    return f" {item.version}" if item.version else ""


def _stacks(names: Sequence[str]) -> str:
    return f"{'stack' if len(names) == 1 else 'stacks'} {', '.join(names)}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _dump(document: Mapping[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
