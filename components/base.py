"""What every Skerry component shares: its type token, its names, its facts and how it keeps stores."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import pulumi

from skerry.errors import UsageError
from skerry.facts import ComponentFacts

TOKEN_PREFIX: Final = "skerry:index:"
"""The component host names every class so; it is part of each URN and never changes."""

MAX_NAME_LENGTH: Final = 63
"""A DNS label. Source: Kubernetes "Object Names and IDs", DNS Label Names, read 2026-11."""

_NAME = re.compile(r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$")


def checked_name(name: str, limit: int = MAX_NAME_LENGTH) -> str:
    """Return `name` when it is a DNS label of at most `limit` characters.

    Raises:
        UsageError: it is not.
    """
    if len(name) > limit or not _NAME.match(name):
        raise UsageError(
            f"resource name '{name}' is not a DNS label of at most {limit} characters: shorten or respell it"
        )
    return name


class SkerryComponent(pulumi.ComponentResource):
    """A component whose inputs are its plain facts, so that every reader of the graph finds them.

    What serves others has the same four outputs on every target, so that a change of target is a change of config.
    """

    endpoint: pulumi.Input[str]
    """Host name."""
    port: int
    secret_ref: pulumi.Input[str] | None
    """Name of the Kubernetes Secret with its credentials; None where none is needed."""
    metrics_endpoint: str | None
    """URL; None where it has none of its own."""

    def __init__(
        self,
        name: str,
        facts: ComponentFacts,
        opts: pulumi.ResourceOptions | None = None,
        *,
        props: Mapping[str, Any] | None = None,
    ) -> None:
        """Register the component.

        Args:
            name: a DNS label; children are named `{name}-<role>`.
            facts: what readers may know about it; passed as its inputs.
            opts: Pulumi's options.
            props: further inputs that are no facts; may hold outputs.

        Raises:
            UsageError: `name` is not a DNS label.
        """
        self._name = checked_name(name)
        self.facts = facts
        super().__init__(TOKEN_PREFIX + type(self).__name__, name, {**facts.to_inputs(), **(props or {})}, opts)

    def child_name(self, role: str, limit: int = MAX_NAME_LENGTH) -> str:
        """Return the name of the child with this role.

        Raises:
            UsageError: the name would be longer than `limit`.
        """
        return checked_name(f"{self._name}-{role}", limit)

    def child_options(self, **options: Any) -> pulumi.ResourceOptions:
        """Return the options of a child: this component as parent, and whatever else is given."""
        return pulumi.ResourceOptions(parent=self, **options)

    def store_options(self, **options: Any) -> pulumi.ResourceOptions:
        """Return the options of a child that keeps data: protected, and retained when it leaves the program."""
        return pulumi.ResourceOptions(parent=self, protect=True, retain_on_delete=True, **options)

    def finish(self, **outputs: Any) -> None:
        """Set each output as an attribute and register them all; the last call of every constructor."""
        for key, value in outputs.items():
            setattr(self, key, value)
        self.register_outputs({key: value for key, value in outputs.items() if value is not None})
