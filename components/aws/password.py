"""A password that AWS makes once and keeps: nobody writes it down, and services find it by a name known beforehand."""

from __future__ import annotations

from typing import Final

import pulumi
import pulumi_aws as aws
from pulumi_aws import ssm

from components.base import SkerryComponent
from skerry.facts import ComponentFacts, Tier

LENGTH: Final = 32


class AwsPassword(SkerryComponent):
    """Keeps a password of a store as a parameter under the deployment's key; it is changed by replacing the parameter.

    RDS can keep its own, but changes it each week, and a task reads its values only when it starts.
    """

    value: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        provider: pulumi.ProviderResource,
        *,
        key_arn: pulumi.Input[str],
        given: pulumi.Input[str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make the password, or keep the one that is given.

        Args:
            name: the component's name.
            provider: who asks AWS for it.
            key_arn: the key of the parameter.
            given: the password, where the stack has one; AWS is then asked for none.
            opts: Pulumi's options.
        """
        super().__init__(name, ComponentFacts(tier=Tier.PLATFORM, role="password"), opts)
        made: pulumi.Output[str] = pulumi.Output.from_input(given) if given is not None else _random(provider)
        secret: pulumi.Output[str] = pulumi.Output.secret(made)
        self.parameter = ssm.Parameter(
            self.child_name("value"),
            name=f"/{pulumi.get_stack()}/{name}",
            type="SecureString",
            value=secret,
            key_id=key_arn,
            # Each run is told another one; the first stays.
            opts=self.child_options(ignore_changes=[] if given is not None else ["value"]),
        )
        kept: pulumi.Output[str] = pulumi.Output.secret(self.parameter.value)
        self.value = kept
        self.finish()


def _random(provider: pulumi.ProviderResource) -> pulumi.Output[str]:
    found = aws.secretsmanager.get_random_password_output(
        password_length=LENGTH, exclude_punctuation=True, opts=pulumi.InvokeOptions(provider=provider)
    )
    text: pulumi.Output[str] = found.apply(lambda one: f"{one.random_password}")
    return text
