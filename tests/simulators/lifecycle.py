"""The whole life of a shipped stack with the real command: each stage runs once and leaves a record.

preview, up, up again, a change of configuration, a change that would replace stores, drift, refresh, up, destroy while
stores are protected, destroy. The stages stand in this order because each needs what the one before it left behind.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from skerry.graph import Resource, ResourceGraph
from skerry.readers.state import read_state
from tests.simulators.changed_stacks import changed_file
from tests.simulators.graph_equality import Command, read_command
from tests.simulators.pulumi_cli import ROOT, Done, PulumiCli

UPDATE, CREATE, REPLACE, REFUSED = "update", "create", "replace", "refused"
"""What a change does to a resource; the last: it would replace a protected one."""


@dataclass(frozen=True, slots=True)
class Change:
    """One change that somebody makes to a deployment, and what it must do."""

    expected: Mapping[str, str]
    """Resource name -> update, create, delete, replace or refused; nothing else may change."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Dotted path in the stack's file -> new value."""
    source: tuple[tuple[str, str, str], ...] = ()
    """(file of the project, text, the text in its place), where no setting makes the change."""


@dataclass(frozen=True, slots=True)
class Drift:
    """What somebody does in the cloud, past the program."""

    changed: str
    """A resource's name."""
    path: str
    """Dotted path in its outputs."""
    value: Any
    """What stands there afterwards."""
    deleted: str
    """The name of a resource that is taken away."""


@dataclass(slots=True)
class Attempt:
    """A change: its preview, its deployment, and the cloud afterwards."""

    steps: Mapping[str, str]
    """Resource name -> operation, without what stays the same and without components."""
    errors: Mapping[str, str]
    """Resource name -> message."""
    previewed: Done
    up: Done
    cloud: Sequence[Mapping[str, Any]]


@dataclass(slots=True)
class Life:
    """The record of one stack's life."""

    stack: str
    told: Command
    """What the first preview and its plan told, before anything stood."""
    cloud: Sequence[Mapping[str, Any]]
    state: ResourceGraph
    again: Done
    changed: Attempt
    refused: Attempt
    refreshed: Done
    restored: Attempt
    destroy_refused: Done
    cloud_after_refusal: Sequence[Mapping[str, Any]]
    destroyed: Done | None = None
    cloud_at_end: Sequence[Mapping[str, Any]] = ()
    seconds: float = 0.0

    @property
    def preview(self) -> ResourceGraph:
        """Return the graph of the first preview."""
        return self.told.graph

    @property
    def stores(self) -> list[Resource]:
        """Return what keeps data: protected and retained."""
        return [resource for resource in self.preview.resources if resource.custom and resource.protect]

    @property
    def retained(self) -> list[str]:
        """Return the URNs that a destroy leaves standing."""
        return sorted(r.urn for r in self.preview.resources if r.retain_on_delete and r.custom and not r.external)


class Stage:
    """One stack in a world of the command, whose configuration and cloud are at hand."""

    def __init__(self, cli: PulumiCli, stack: str) -> None:
        """Take a stack of this repository; `cli` may hold others."""
        self.cli, self.stack = cli, stack
        self._sources: dict[Path, str] = {}

    def live(self, harmless: Sequence[Change], harmful: Sequence[Change], drift: Drift) -> Life:
        """Run all stages but the last.

        Raises:
            PulumiCliError: a stage that must succeed failed.
        """
        began, cli, stack = time.monotonic(), self.cli, self.stack
        plan = cli.cloud.parent / "tmp" / f"{stack}.plan.json"
        preview = cli.preview_json(ROOT, stack, "--show-secrets", "--save-plan", str(plan))
        told = read_command(preview, plan.read_text(encoding="utf-8"))
        cli.check(cli.up(ROOT, stack))
        cloud, state = self.cloud(), read_state(cli.stack_export(ROOT, stack, "--show-secrets"))
        again = cli.up(ROOT, stack, "--expect-no-changes")
        changed = self.attempt(harmless)
        refused = self.attempt(harmful)
        self.configure(harmless)
        self.drift(drift)
        refreshed = cli.run(ROOT, "refresh", "--yes", "--skip-preview", "--stack", stack)
        restored = self.attempt(harmless)
        destroy_refused = cli.destroy(ROOT, stack)
        return Life(
            stack, told, cloud, state, again, changed, refused, refreshed, restored, destroy_refused, self.cloud(),
            seconds=time.monotonic() - began,
        )  # fmt: skip

    def end(self, life: Life) -> Life:
        """Lift the protection, destroy, and complete the record.

        Raises:
            PulumiCliError: it failed.
        """
        began = time.monotonic()
        self.cli.unprotect_all(ROOT, self.stack)
        life.destroyed = self.cli.check(self.cli.destroy(ROOT, self.stack))
        life.cloud_at_end = self.cloud()
        life.seconds += time.monotonic() - began
        return life

    def attempt(self, changes: Sequence[Change]) -> Attempt:
        """Make changes, preview them and deploy; both may fail."""
        self.configure(changes)
        previewed = self.cli.run(ROOT, "preview", "--json", "--show-sames", "--stack", self.stack)
        told = json.loads(previewed.stdout)
        steps = {
            _name(step["urn"]): step["op"]
            for step in told["steps"]
            if step["op"] not in ("same", "read") and (step.get("newState") or step.get("oldState"))["custom"]
        }
        errors = {
            _name(row["urn"]): row["message"]
            for row in told.get("diagnostics", ())
            if row["severity"] == "error" and row.get("urn")
        }
        return Attempt(steps, errors, previewed, self.cli.up(ROOT, self.stack), self.cloud())

    def configure(self, changes: Sequence[Change]) -> None:
        """Let the project's copy be as shipped but for these changes."""
        copy = self.cli.copy_of(ROOT)
        for path, whole in self._sources.items():
            path.write_text(whole, encoding="utf-8")
        for change in changes:
            for file, old, new in change.source:
                path = copy / file
                whole = path.read_text(encoding="utf-8")
                if old not in whole:
                    raise AssertionError(f"{file} has no text {old!r} to change")
                self._sources.setdefault(path, whole)
                path.write_text(whole.replace(old, new), encoding="utf-8")
        settings = {key: value for change in changes for key, value in change.settings.items()}
        file = copy / "stacks" / f"Pulumi.{self.stack}.yaml"
        self._sources.setdefault(file, file.read_text(encoding="utf-8"))
        salt = [line for line in self._sources[file].splitlines() if line.startswith("encryptionsalt:")]
        file.write_text("\n".join([changed_file(self.stack, settings), *salt]), encoding="utf-8")

    def drift(self, drift: Drift) -> None:
        """Change one resource in the cloud and take one away."""
        for path in self.cli.cloud.glob("*.json"):
            found = json.loads(path.read_text(encoding="utf-8"))
            if not found["urn"].startswith(f"urn:pulumi:{self.stack}::"):
                continue
            if _name(found["urn"]) == drift.deleted:
                path.unlink()
            if _name(found["urn"]) == drift.changed:
                *parents, last = drift.path.split(".")
                tree = found["outputs"]
                for part in parents:
                    tree = tree[part]
                tree[last] = drift.value
                path.write_text(json.dumps(found), encoding="utf-8")

    def cloud(self) -> list[dict[str, Any]]:
        """Return what the cloud holds of this stack."""
        prefix = f"urn:pulumi:{self.stack}::"
        return [resource for resource in self.cli.in_cloud() if resource["urn"].startswith(prefix)]


def _name(urn: str) -> str:
    return urn.rsplit("::", 1)[-1]
