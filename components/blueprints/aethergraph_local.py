"""AetherGraph beside one user: one process on one machine, as the files that start it.

Nothing is put on the machine by a deployment: `skerry render` writes the files, and who has the machine starts them.
"""

from __future__ import annotations

from pathlib import Path

import pulumi

from components.base import SkerryComponent
from components.blueprints.deployment import target_fact
from components.configuration import FlatConfig
from skerry.catalog import load_catalog
from skerry.config.aethergraph import AetherGraphSpec
from skerry.config.spec import DeploymentSpec, Mode
from skerry.facts import ComponentFacts, EndpointFact, ImageFact, Tier
from skerry.systems.aethergraph_environment import PRIMITIVES
from skerry.systems.aethergraph_local import local_environment, local_files, local_secrets

Outputs = dict[str, pulumi.Input[object]]


class LocalProcess(SkerryComponent):
    """A process on a user's machine, with the files that start it; it listens on 127.0.0.1 alone."""

    def __init__(
        self,
        name: str,
        spec: DeploymentSpec,
        own: AetherGraphSpec,
        image: ImageFact,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Describe it.

        Args:
            name: the component's name.
            spec: the deployment.
            own: its configuration.
            image: of the runtime.
            opts: Pulumi's options.
        """
        self.environment = local_environment(spec, own)
        files = local_files(image.deployed_as, own.local.folder, self.environment, local_secrets(spec, own))
        super().__init__(name, _facts(spec, own, image), opts, props={"files": files, "environment": self.environment})
        self.finish()


def make_local(root: SkerryComponent, spec: DeploymentSpec, own: AetherGraphSpec, config: FlatConfig) -> Outputs:
    """Describe the process and return the stack outputs, whose names are those of every mode.

    Args:
        root: the parent; it is not finished here.
        spec: the checked configuration.
        own: its part of AetherGraph.
        config: the flat values beside it.

    Raises:
        CatalogError: the image's reference cannot be used.
    """
    lock = config.get("imagesLock")
    catalog = load_catalog(lock=Path(lock) if lock else None)
    reference = own.server.image or own.image
    image = catalog.image("aethergraph", target_fact(spec), "AetherGraph on one machine", reference=reference)
    process = LocalProcess(spec.mode.value, spec, own, image, pulumi.ResourceOptions(parent=root))
    return {"stores": {output: process.environment[variable] for output, variable in PRIMITIVES.items()}}


def _facts(spec: DeploymentSpec, own: AetherGraphSpec, image: ImageFact) -> ComponentFacts:
    local, worker = own.local, spec.mode is Mode.LOCAL_WORKER
    ports = {"api": local.api_port} if worker else {"api": local.api_port, "ui": local.ui_port}
    calls = (
        EndpointFact(
            name="control-plane",
            host=f"{local.control_plane}",
            port=443,
            protocol="wss",
            direction="egress",
            scope="internet",
            why="jobs of its workspace",
        ),
    )
    return ComponentFacts(
        tier=Tier.META,
        data_class=spec.data_class,
        jurisdiction=spec.target.jurisdiction,
        role="local-process",
        stateful=True,
        replicas=1,
        encrypted_at_rest=spec.target.storage_encrypted,
        # A worker calls out over TLS; a sidecar is called on the machine itself, without.
        encrypted_in_transit=True if worker else None,
        images=(image,),
        ports=ports,
        endpoints=calls if worker else (),
    )
