"""`skerry size sensei`: machines of the tiers, GPUs, and whether the model fits them."""

from __future__ import annotations

import argparse
import json
from typing import Any

from cli.options import add_output_options
from cli.output import deliver, width
from skerry.agentdb.document import figure
from skerry.agentdb.text import seeds, told, wrapped
from skerry.catalog import load_catalog
from skerry.config.serving import Precision
from skerry.figures import tidy
from skerry.sensei_size import DEFAULT_MODEL, TARGETS, Answer, Asked, Shape, answer, sizes

SCHEMA = "skerry.size/1"


def add(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("--mode", choices=tuple(sizes().modes), default="private", help="default: private")
    parser.add_argument("--target", choices=TARGETS, default="onprem", help="whose GPU machines (default: onprem)")
    parser.add_argument("--model", metavar="NAME", help=f"a row of images/models.yaml (default: {DEFAULT_MODEL})")
    precisions = tuple(one.value for one in Precision)
    parser.add_argument("--precision", choices=precisions, default=Precision.BF16.value, help="default: bf16")
    parser.add_argument("--context", type=int, default=8192, metavar="TOKENS", help="longest prompt (default: 8192)")
    parser.add_argument("--gpus", type=int, metavar="N", help="GPUs of one machine (default: what the target sells)")
    parser.add_argument("--gpu-memory-gib", type=float, metavar="GIB", help="memory of one GPU")
    add_output_options(parser, ("text", "json"))
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Answer.

    Raises:
        UsageError: an option cannot be used.
        SizingError: the model fits none of the machines.
        CatalogError: images/ cannot be read.
    """
    asked = Asked(
        mode=args.mode,
        target=args.target,
        model=args.model,
        precision=Precision(args.precision),
        context_tokens=args.context,
        gpus=args.gpus,
        gpu_memory_gib=args.gpu_memory_gib,
    )
    found = answer(asked, load_catalog().models)
    if args.format == "json":
        deliver(json.dumps(to_document(found), indent=2, ensure_ascii=False) + "\n", args.out)
    else:
        deliver(to_text(found, width()), args.out)
    return 0


def to_text(found: Answer, columns: int) -> str:
    """Return the answer for a terminal."""
    lines = [f"Sensei, {found.asked.mode}", "", "Machines"]
    for tier in found.tiers:
        where = "at the site" if tier.at_site else "not at the site (the vendor's)"
        count = f"{tidy(tier.minimum.known)} to {tidy(tier.maximum.known)}"
        note = f": {tier.note}" if tier.note else ""
        lines += wrapped(f"{tier.name}: {count}, {where}{note}{seeds(tier.minimum.seeds)}", columns, "  ")
    if found.least.value is None:
        lines += wrapped(found.least.how, columns, "  ")
    else:
        lines += wrapped(f"at least {told(found.least)}: {found.least.how}", columns, "  ")
        lines += wrapped(f"at most {told(found.most)}: {found.most.how}", columns, "  ")
    table = found.table_says
    how = f": {table.how}" if table.how and table.value is not None else ""
    lines += wrapped(f"the table's minimum: {told(table)}{how}", columns, "  ")
    lines += ["", "Model and GPUs", *_model(found, columns), "", "Storage"]
    lines += wrapped(f"the table: {told(found.storage_gb)}; paid by {found.row.pays}", columns, "  ")
    if found.weights_gb.value is not None:
        lines += wrapped(f"weights: {told(found.weights_gb)}: {found.weights_gb.how}", columns, "  ")
    if found.notes:
        lines += ["", "Mind"]
        lines += [line for note in found.notes for line in wrapped(note, columns, "  ")]
    return "\n".join(lines) + "\n"


def _model(found: Answer, columns: int) -> list[str]:
    lines = wrapped(f"{told(found.gpus)}{f': {found.gpus.how}' if found.gpus.how else ''}", columns, "  ")
    if found.model is None:
        return lines
    asked = found.asked
    lines.append(f"  {found.model.name} in {asked.precision.value}, prompts of {asked.context_tokens} tokens")
    for shape in found.shapes:
        mark = "fits" if shape.fit.fits else "does not fit"
        lines += wrapped(f"{shape.machine}: {mark}: {shape.fit.arithmetic}", columns, "    ")
    if found.plan is not None:
        lines += wrapped(f"servers: {found.plan.arithmetic}", columns, "  ")
        for server in found.plan.servers:
            lines += wrapped(f"start of {server.model}: {server.start.arithmetic}", columns, "  ")
    return lines


def to_document(found: Answer) -> dict[str, Any]:
    """Return the answer as plain values."""
    return {
        "schema": SCHEMA,
        "system": "sensei",
        "documents": {"000": "Sensei deployment architecture"},
        "asked": {
            "mode": found.asked.mode, "target": found.asked.target, "precision": found.asked.precision.value,
            "model": found.model.name if found.model else None, "contextTokens": found.asked.context_tokens,
            "gpus": found.asked.gpus, "gpuMemoryGib": found.asked.gpu_memory_gib,
        },
        "tiers": {
            tier.name: {
                "atSite": tier.at_site, "minimum": figure(tier.minimum), "maximum": figure(tier.maximum),
                "note": tier.note,
            }
            for tier in found.tiers
        },
        "least": figure(found.least),
        "most": figure(found.most),
        "tableSays": figure(found.table_says),
        "gpus": figure(found.gpus),
        "shapes": [_shape(shape) for shape in found.shapes],
        "chosen": _shape(found.chosen) if found.chosen else None,
        "servers": sum(one.servers for one in found.plan.servers) if found.plan else None,
        "weights": figure(found.weights_gb),
        "storage": figure(found.storage_gb),
        "pays": found.row.pays,
        "notes": list(found.notes),
    }  # fmt: skip


def _shape(shape: Shape) -> dict[str, Any]:
    return {
        "machine": shape.machine, "gpus": shape.gpus, "gpuMemoryGib": shape.gpu_memory_gib, "fits": shape.fit.fits,
        "tensorParallel": shape.fit.tensor_parallel, "arithmetic": shape.fit.arithmetic,
    }  # fmt: skip
