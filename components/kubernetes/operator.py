"""A third-party operator: one Helm Release whose declaration says everything that it will run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
from pulumi_kubernetes.helm.v3 import Release
from pulumi_kubernetes.networking.v1 import NetworkPolicy

from components.base import SkerryComponent
from components.kubernetes.cluster import Cluster
from components.kubernetes.peers import api_callers, ports
from skerry.facts import ComponentFacts, ImageFact, Tier


class Operator(SkerryComponent):
    """Installs a chart of images/charts.yaml; readers judge the declaration, since no chart is rendered at preview."""

    def __init__(
        self,
        name: str,
        cluster: Cluster,
        *,
        chart: str,
        namespace: str,
        values: Mapping[str, Any],
        why: str,
        tier: Tier = Tier.PLATFORM,
        webhook_port: int | None = None,
        webhook_pods: str | None = None,
        without: Sequence[str] = (),
        more_images: Sequence[ImageFact] = (),
        depends_on: Sequence[pulumi.Resource] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Install the chart.

        Args:
            name: the component's name.
            cluster: where it runs.
            chart: the row in images/charts.yaml.
            namespace: where the release lives; it must exist.
            values: the chart's values, with every image already mapped to the site.
            why: what needs the operator.
            tier: the tier that it is counted to.
            webhook_port: where the API server calls it; opened in the namespace, which denies by default.
            webhook_pods: the name label of the pods that answer there; left out, the chart's name.
            without: images of the chart's row that these values switch off.
            more_images: that these values add to it.
            depends_on: what must be there before.
            opts: Pulumi's options.

        Raises:
            CatalogError: the chart, or an image of it, has no row.
        """
        pinned, images = cluster.catalog.chart(chart, cluster.target, why)
        images = (*(image for image in images if image.name not in without), *more_images)
        super().__init__(
            name,
            ComponentFacts(tier=tier, role="operator", charts=(pinned,), images=images),
            opts,
        )
        # A site without a connection holds the chart in its registry, beside the images.
        site = cluster.target.site_registry
        oci = pinned.repository.startswith("oci://")
        if site and not cluster.target.connected:
            source: dict[str, Any] = {"chart": f"oci://{site}/charts/{pinned.name}"}
        elif oci:
            source = {"chart": f"{pinned.repository}/{pinned.name}"}
        else:
            source = {"chart": pinned.name, "repository_opts": {"repo": pinned.repository}}
        release = Release(
            self.child_name("release"),
            name=pinned.name,
            namespace=namespace,
            version=pinned.version,
            values=dict(values),
            atomic=True,
            **source,
            opts=self.child_options(depends_on=list(depends_on)),
        )
        if webhook_port is not None:
            self._open_webhook(cluster, pinned.name, webhook_pods or pinned.name, namespace, webhook_port, depends_on)
        self.finish(release_name=release.name)

    def _open_webhook(
        self,
        cluster: Cluster,
        chart: str,
        pods: str,
        namespace: str,
        port: int,
        depends_on: Sequence[pulumi.Resource],
    ) -> None:
        """Let the API server call the operator."""
        NetworkPolicy(
            self.child_name("webhook"),
            metadata={"name": f"allow-webhook-{chart}", "namespace": namespace, "labels": dict(cluster.labels)},
            spec={
                "podSelector": {"matchLabels": {"app.kubernetes.io/name": pods}},
                "policyTypes": ["Ingress"],
                "ingress": [{"from": api_callers(cluster), "ports": ports([port])}],
            },
            opts=self.child_options(depends_on=list(depends_on)),
        )


def image_values(cluster: Cluster, name: str, why: str) -> tuple[str, str, str]:
    """Return an image of the catalogue as `(repository, tag, digest)`, the way charts ask for it; digest may be ''."""
    reference = cluster.catalog.image(name, cluster.target, why).deployed_as
    path, _, digest = reference.partition("@")
    repository, _, tag = path.rpartition(":")
    return repository, tag, digest
