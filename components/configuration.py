"""From the configuration of a stack to what the program works with, each fault told by the field that has it."""

from __future__ import annotations

from typing import Protocol

import pulumi

from skerry.config.load import load_spec
from skerry.config.spec import CONFIG_KEY, DeploymentSpec
from skerry.errors import ConfigError, Problem


class FlatConfig(Protocol):
    """What stands beside a deployment: flat values and secrets. `pulumi.Config` is one."""

    @property
    def name(self) -> str:
        """The namespace of its keys."""

    def get(self, key: str) -> str | None:
        """Return a value, or None."""

    def get_secret(self, key: str) -> pulumi.Output[str] | None:
        """Return a secret, or None."""


def read_spec(config: pulumi.Config) -> DeploymentSpec:
    """Return the deployment that the stack describes.

    Raises:
        ConfigError: anything is wrong with it, or a secret stands inside it.
    """
    source = f"config of stack {pulumi.get_stack()}"
    if pulumi.runtime.is_config_secret(CONFIG_KEY):
        # Read as one value it would be in plain text in every input, and so in the state.
        remedy = "give each secret a key of its own beside it, and name that key in the field that ends in _secret"
        raise ConfigError(source, [Problem(CONFIG_KEY, "has a secret inside", remedy)])
    try:
        value = config.get_object(CONFIG_KEY.partition(":")[2])
    except pulumi.ConfigTypeError as exc:
        remedy = "see `skerry config schema` or copy a shipped stack"
        raise ConfigError(source, [Problem(CONFIG_KEY, f"must be a mapping, got '{exc.value}'", remedy)]) from exc
    return load_spec(value, source)


def secret_of(config: FlatConfig, key: str, field: str, what: str) -> pulumi.Output[str]:
    """Return the secret that stands under a flat key of the stack.

    Args:
        config: the stack's configuration.
        key: the key that the field names.
        field: the path of that field, for the message.
        what: what the key must hold, in a word that can follow `<`.

    Raises:
        ConfigError: the stack does not set the key.
    """
    found = config.get_secret(key)
    if found is None:
        full = f"{config.name}:{key}"
        remedy = f"run `pulumi config set --secret {full} < {what}`"
        problem = Problem(field, f"names '{full}', which the stack does not set", remedy)
        raise ConfigError(f"config of stack {pulumi.get_stack()}", [problem])
    return found
