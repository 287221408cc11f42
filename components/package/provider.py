"""The provider that offers the components to programs in every Pulumi language."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import pulumi
from pulumi.errors import InputPropertiesError, InputPropertyErrorDetails
from pulumi.provider import ConstructResult
from pulumi.provider.experimental.component import ComponentProvider
from pulumi.provider.server import ComponentInitError

from components.package.arguments import Arguments, holds_output, schema_path
from components.package.listing import public_components
from components.package.remote import Remote
from components.package.schema import finished
from skerry.errors import ConfigError, Problem, SkerryError

NAME: Final = "skerry"
"""The package; with it every type token begins, here and in `components.base`."""

VERSION: Final = "0.1.0"
"""Of the package; a test holds it equal to the project's."""

_ABOUT: Final = {
    "displayName": "Skerry",
    "description": "Multi-tier AI platforms on any cloud, on your own machines and across an air gap.",
    "license": "Apache-2.0",
    "keywords": ["category/infrastructure", "kind/component", "kubernetes", "ai", "air-gap"],
}


class PackageProvider(ComponentProvider):
    """Makes components for the engine, and tells every problem with their arguments at once, by its path."""

    def __init__(self, components: Sequence[type[Remote]]) -> None:
        """Read the schema from the declarations."""
        super().__init__(list(components), NAME, version=VERSION)
        mappings = [one.inputs_mapping for one in self._component_defs.values()]
        mappings += [one.properties_mapping for one in self._type_defs.values() if one.enum is None]
        names = {python: name for mapping in mappings for name, python in mapping.items()}
        self.schema = json.dumps({**finished(json.loads(self.schema or "{}"), names), **_ABOUT})

    def construct(
        self,
        name: str,
        resource_type: str,
        inputs: pulumi.Inputs,
        options: pulumi.ResourceOptions | None = None,
    ) -> ConstructResult:
        """Make a component.

        Raises:
            InputPropertiesError: its arguments cannot be used, or there is no such component.
            ComponentInitError: it failed otherwise.
        """
        package, _, kind = resource_type.rpartition(":")
        if kind not in self._components or package not in (f"{NAME}:index", f"{NAME}:"):
            known = ", ".join(sorted(self._components))
            raise refusal(f"{resource_type} is no component of this package: it has {known}")
        definition = self._component_defs[kind]
        arguments = Arguments(definition, self._type_defs)
        read = arguments.read(inputs)
        if arguments.problems:
            raise refused_arguments(kind, name, arguments.problems, inputs)
        try:
            made = self._components[kind](name, read, options)  # type: ignore[arg-type]  # a declaration takes arguments
        except ConfigError as exc:
            told = [Problem(schema_path(one.path), one.message, one.remedy) for one in exc.problems]
            raise refused_arguments(kind, name, told, inputs) from None
        except SkerryError as exc:
            raise refusal(f"{kind} '{name}': {exc}") from None
        except ModuleNotFoundError as exc:
            raise refusal(f"{kind} '{name}' {_missing(exc)}") from exc
        except Exception as exc:
            raise ComponentInitError(exc) from exc
        return ConstructResult(made.urn, self.get_state(made, definition))


def _missing(exc: ModuleNotFoundError) -> str:
    """Return what to do about a package that the environment of the component package lacks."""
    package = (exc.name or str(exc)).partition(".")[0]
    root = Path(__file__).resolve().parents[2]
    of_cloud = root / "requirements" / f"{package.removeprefix('pulumi_')}.txt"
    chosen = of_cloud if of_cloud.is_file() else root / "components" / "requirements.txt"
    return (
        f"needs the Python package {package}, which {sys.prefix} does not have; run "
        f"`{sys.executable} -m pip install -r {chosen}`"
    )


def refusal(message: str) -> InputPropertiesError:
    """Return the error by which the engine shows a sentence, in place of a stack trace."""
    # Without a list of properties the SDK's own server fails.
    return InputPropertiesError(message, [])


def refused_arguments(
    kind: str, name: str, problems: Sequence[Problem], inputs: Mapping[str, Any]
) -> InputPropertiesError:
    """Return the error by which the engine shows each problem at its property.

    The engine prints the value of a property that is named so, and of a secret one too: a problem in an argument that
    holds outputs is told in the message alone.
    """
    details: list[InputPropertyErrorDetails] = []
    noun = "problem" if len(problems) == 1 else "problems"
    lines = [f"{kind} '{name}' has {len(problems)} {noun} in its arguments"]
    for problem in problems:
        path = problem.path
        reason = f"{problem.message}; {problem.remedy}" if problem.remedy else problem.message
        if holds_output(inputs.get(re.split(r"[.\[]", path, maxsplit=1)[0])):
            lines.append(f"\t\t- property {path} has a problem: {reason}")
        else:
            details.append({"property_path": path, "reason": reason})
    return InputPropertiesError("\n".join(lines), details)


def package_provider() -> PackageProvider:
    """Return the provider of this package; it can construct in any process that has a monitor."""
    return PackageProvider(public_components())
