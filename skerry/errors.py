"""Every error that Skerry raises on purpose.

The tree, and the exit code that the command gives for each branch:

    SkerryError                     3  environment: registry, disk, crash
    +-- UsageError                  2  the command was called wrongly
    |   +-- ConfigError             2  a stack file cannot be used; carries every problem at once
    |   +-- SizingError             2  a size that cannot work; carries the arithmetic
    +-- GraphError                  2  a graph, or a fact in it, cannot be read
    +-- ProgramError                3  the Pulumi program raised, or never finished
    |   +-- MissingPackageError     2  the program imports what is not installed here
    |   +-- UnansweredError         2  the program cannot go on without the answer of a provider function
    +-- CatalogError                2  a pin of images/ is missing or malformed
    +-- PolicyError                 3  a rule failed to run (a check that fails to run is a failure)
    +-- CostError                   2  a price book row cannot be used
    +-- BundleError                 3  writing or reading a medium failed
        +-- RefusedError            1  the medium was read and is not to be trusted
        +-- RegistryError           3  a registry refused, stalled or answered wrongly
        +-- MediumError             3  a medium is full, read-only or missing

A message has four parts: what, the value got, the values allowed, the remedy.
It is lower case, one sentence, without a full stop.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class SkerryError(Exception):
    """Report a failure that has a remedy; the base of every error raised on purpose."""

    exit_code = 3


class UsageError(SkerryError):
    """Report a command or an argument that cannot be used."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong in a configuration."""

    path: str
    """The property path in the user's file, for example `target.region`."""
    message: str
    """What is wrong, the value got and the values allowed."""
    remedy: str = ""
    """What the user can do about it; empty where the message says it."""

    def __str__(self) -> str:
        """Return the problem as one line."""
        text = f"{self.path}: {self.message}" if self.path else self.message
        return f"{text}; {self.remedy}" if self.remedy else text


class ConfigError(UsageError):
    """Report every problem of a configuration at once."""

    def __init__(self, source: str, problems: Sequence[Problem]) -> None:
        """Collect `problems` found in `source` (a file name or `pulumi config`)."""
        self.source = source
        self.problems = tuple(problems)
        lines = "\n".join(f"  {problem}" for problem in self.problems)
        noun = "problem" if len(self.problems) == 1 else "problems"
        super().__init__(f"{source}: {len(self.problems)} {noun}\n{lines}")


class SizingError(UsageError):
    """Report a size that cannot work, with the arithmetic."""


class GraphError(SkerryError):
    """Report a graph, or a fact in it, that cannot be read."""

    exit_code = 2


class ProgramError(SkerryError):
    """Report that the Pulumi program raised or never finished."""


class MissingPackageError(ProgramError):
    """Report that the Pulumi program imports a package that is not installed beside Skerry."""

    exit_code = 2


class UnansweredError(ProgramError):
    """Report that the Pulumi program needs the answer of a provider function, which the user can give."""

    exit_code = 2


class CatalogError(SkerryError):
    """Report a pin under images/ that is missing or malformed."""

    exit_code = 2


class PolicyError(SkerryError):
    """Report that a rule failed to run."""


class CostError(SkerryError):
    """Report a price book row that cannot be used."""

    exit_code = 2


class BundleError(SkerryError):
    """Report that writing or reading a medium failed."""


class RefusedError(BundleError):
    """Report a medium that was read and is not to be trusted."""

    exit_code = 1


class RegistryError(BundleError):
    """Report a registry that refused, stalled or answered wrongly."""


class MediumError(BundleError):
    """Report a medium that is full, read-only or missing."""
