"""URNs, computed as the deployment engine computes them."""

# Source: pulumi/pulumi pkg/resource/deploy deployment.go (generateURN), read 2026-11.

from __future__ import annotations

from skerry.graph import STACK_TYPE


def create(stack: str, project: str, parent_urn: str, type_: str, name: str) -> str:
    """Return `urn:pulumi:<stack>::<project>::<parent types$>type::name`; the stack itself adds no parent type."""
    parent_type = qualified_type(parent_urn) if parent_urn else ""
    chain = "" if parent_type in ("", STACK_TYPE) else f"{parent_type}$"
    return f"urn:pulumi:{stack}::{project}::{chain}{type_}::{name}"


def qualified_type(urn: str) -> str:
    """Return the type with its chain of parent types."""
    parts = urn.split("::", 3)
    return parts[2] if len(parts) == 4 else ""


def type_of(urn: str) -> str:
    """Return the type token without its parents."""
    return qualified_type(urn).rsplit("$", 1)[-1]
