"""A component as other programs see it: what it takes, what it gives, and the component of ours that it becomes.

The schema analyzer of the Pulumi SDK reads the declarations of this folder at run time: the annotation of `args`, and
each annotation of a class, which is an output. It does not evaluate strings, so that no module with a declaration may
import annotations from the future; and it must not meet the annotations of our components, which are strings. So a
declaration is no subclass of the component: calling it makes the component, which has the same class name and with it
the same type token, and registers the same facts as in a program of our own.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, TypeVar

import pulumi

from components.base import SkerryComponent


class Remote(pulumi.ComponentResource):
    """The base of all declarations; none is ever an instance."""

    def __new__(cls, name: str, args: Any, opts: pulumi.ResourceOptions | None = None) -> Any:  # noqa: D102
        return cls.make(name, args, opts or pulumi.ResourceOptions())

    @classmethod
    @abstractmethod
    def make(cls, name: str, args: Any, opts: pulumi.ResourceOptions) -> SkerryComponent:
        """Make the component.

        Args:
            name: the name that the program gives it.
            args: its checked arguments, by their Python names.
            opts: Pulumi's options.

        Raises:
            ConfigError: an argument cannot be used; its problems have the paths of the program.
        """


ComponentT = TypeVar("ComponentT", bound=SkerryComponent)


def with_outputs(made: ComponentT, **outputs: Any) -> ComponentT:
    """Return a component with further outputs for programs of other languages, beside those that it registered."""
    for key, value in outputs.items():
        setattr(made, key, value)
    return made


def python_name(name: str) -> str:
    """Return the name of an attribute whose name in the schema is given."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)
