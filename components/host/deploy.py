"""A machine's apply script, sent over SSH by Pulumi's command provider whenever what it makes changes.

The script comes as standard input, with the secrets in it: it is one secret of the state, and no secret stands in a
command line. There are no triggers: the provider would make the resource anew for them, and the removal of the old one
would take away what the new one has just made. Another script is another input, and so runs in place.
"""

# Source: pulumi/pulumi-command provider/pkg/provider/remote (commandController.go, commandOutputs.go, connection.go)
# and the SDK 1.2.1, read 2026-11.

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import pulumi

from components.host.apply import ApplyScript
from skerry.config.host import HostSpec

SITE_SECRETS: Final = "/etc/skerry/secrets"
"""Where a machine's own people put secrets that the stack does not hold, one file a key."""
DIALS: Final = 5
"""Attempts to reach a machine, each a little later than the one before."""
DIAL_S: Final = 15
"""How long one of them may take."""
ROOT: Final = "root"


def shell_command(user: str, plan: str, *words: str) -> str:
    """Return what runs on the machine: a shell that reads the script.

    Args:
        user: who logs in.
        plan: the script's mark, so that a preview shows that another one comes; the script compares it with its own.
        words: what the script is asked for.
    """
    rest = " ".join(["--plan", plan, "--secrets", SITE_SECRETS, *words])
    return f"{'' if user == ROOT else 'sudo -n '}sh -s -- {rest}"


def deliver(
    name: str,
    spec: HostSpec,
    script: ApplyScript,
    secrets: Mapping[str, pulumi.Output[str]],
    log_in: pulumi.Output[str] | None,
    options: pulumi.ResourceOptions,
) -> pulumi.Resource:
    """Declare that a machine is made what its script says, and unmade without its data when it goes.

    Args:
        name: the resource's name.
        spec: the machine.
        script: its script.
        secrets: flat key -> value, of those that the stack holds; the machine looks for the others at `SITE_SECRETS`.
        log_in: the private key; None: that of the agent of whoever runs Pulumi.
        options: Pulumi's options.
    """
    from pulumi_command import remote

    ssh = spec.ssh
    held = {key: secrets[key] for key in script.secrets if key in secrets}
    text: pulumi.Output[str] = pulumi.Output.secret(pulumi.Output.all(**held).apply(script.with_values))
    connection = remote.ConnectionArgs(
        host=spec.address,
        port=ssh.port,
        user=ssh.user,
        private_key=log_in,
        host_key=ssh.host_key,
        dial_error_limit=DIALS,
        per_dial_timeout=DIAL_S,
    )
    sent: pulumi.Resource = remote.Command(
        name,
        connection=connection,
        create=shell_command(ssh.user, script.plan),
        delete=shell_command(ssh.user, script.plan, "--remove"),
        stdin=text,
        # The script says paths and units, never a value; yet nothing of a machine is shown while Pulumi runs.
        logging=remote.Logging.NONE,
        add_previous_output_in_env=False,
        opts=options,
    )
    return sent
