"""Any services on any runtime: what every system but Sensei is made of."""

from __future__ import annotations

import pulumi

from components.base import SkerryComponent
from components.blueprints.deployment import deployment_fact
from components.configuration import FlatConfig
from skerry.config.application import ApplicationsSpec, Runtime
from skerry.config.spec import DeploymentSpec, TargetKind
from skerry.errors import UsageError
from skerry.facts import ComponentFacts

Outputs = dict[str, pulumi.Input[object]]


class Applications(SkerryComponent):
    """The root of a deployment of services: carries what the whole of it is under."""

    def __init__(
        self, spec: DeploymentSpec, opts: pulumi.ResourceOptions | None = None, name: str = "applications"
    ) -> None:
        """Register the root."""
        super().__init__(name, ComponentFacts(deployment=deployment_fact(spec)), opts)


def fill(root: Applications, spec: DeploymentSpec, config: FlatConfig) -> Outputs:
    """Declare a deployment of services under its root and return its outputs.

    Args:
        root: the root; it is not finished here.
        spec: the checked configuration.
        config: the flat values and secrets beside it.

    Raises:
        CatalogError: a pin is missing.
        ConfigError: a key is named that `config` does not have.
        UsageError: the configuration names no service.
    """
    if spec.applications is None:
        raise UsageError("the deployment has no services: describe them in `applications`")
    return make_applications(root, spec, spec.applications, config)


def make_applications(
    root: SkerryComponent, spec: DeploymentSpec, plan: ApplicationsSpec, config: FlatConfig
) -> Outputs:
    """Declare services, and what they share, on the runtime that they name.

    Args:
        root: the parent of everything; it is not finished here.
        spec: the checked configuration.
        plan: the services, those that a system derives from its own configuration included.
        config: the flat values and secrets beside it.

    Raises:
        CatalogError: a pin is missing.
        ConfigError: a key is named that the stack does not set.
    """
    options = pulumi.ResourceOptions(parent=root)
    if any(row.runtime is Runtime.KUBERNETES for row in plan.services.values()):
        from components.blueprints.applications_cluster import make_on_cluster

        return make_on_cluster(root, spec, plan, config)
    match spec.target.kind:
        case TargetKind.AWS:
            from components.aws.applications import AwsApplications

            return AwsApplications("applications", spec, plan, config, opts=options).stack_outputs()
        case TargetKind.GCP:
            from components.gcp.applications import GcpApplications

            return GcpApplications("applications", spec, plan, config, opts=options).stack_outputs()
        case TargetKind.AZURE:
            from components.azure.applications import AzureApplications

            return AzureApplications("applications", spec, plan, config, opts=options).stack_outputs()
        case TargetKind.ONPREM:
            raise UsageError("own machines run services on kubernetes only: set runtime: kubernetes")
        case TargetKind.HOSTS:
            raise UsageError("machines without an orchestrator run no plan of services: use target.kind: onprem")
