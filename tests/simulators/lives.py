"""Whose lives are lived with the real command, and what is changed in them."""

from __future__ import annotations

from typing import Final

from tests.simulators import lives_bases, lives_clusters, lives_services
from tests.simulators.lifecycle import Change, Drift
from tests.simulators.lives_services import AETHERGRAPH, CLOUD_RUN, ECS, FUNCTIONS
from tests.simulators.stack_objects import (
    AIRGAPPED,
    AWS,
    AWS_BASE,
    AZURE,
    AZURE_BASE,
    CUSTOMER,
    GCP,
    GCP_BASE,
    ONPREM,
    VENDOR,
    VENDOR_BASE,
)  # fmt: skip

IN_CI: Final = (AIRGAPPED, AWS_BASE, AWS)
"""Kubernetes alone; AWS alone; both, over the deployed base."""
WORLDS: Final = (
    (AIRGAPPED,), (ONPREM,), (AWS_BASE, AWS), (GCP_BASE, GCP), (AZURE_BASE, AZURE), (VENDOR_BASE, VENDOR), (CUSTOMER,),
    (ECS,), (CLOUD_RUN,), (FUNCTIONS,), (AETHERGRAPH,),
)  # fmt: skip
"""What is deployed side by side, each in a world of its own."""
LIVED: Final = tuple(stack for world in WORLDS for stack in world)

HARMLESS: Final[dict[str, dict[str, Change]]] = {
    **lives_clusters.HARMLESS, **lives_bases.HARMLESS, **lives_services.HARMLESS,
}  # fmt: skip
"""Stack -> sentence -> a change that a deployment takes while its stores stay."""
HARMFUL: Final[dict[str, dict[str, Change]]] = {
    **lives_clusters.HARMFUL, **lives_bases.HARMFUL, **lives_services.HARMFUL,
}  # fmt: skip
"""Stack -> sentence -> a change that would replace something; what keeps data refuses."""
DRIFTS: Final[dict[str, Drift]] = {**lives_clusters.DRIFTS, **lives_bases.DRIFTS, **lives_services.DRIFTS}
