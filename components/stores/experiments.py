"""The experiment tracker: MLflow over PostgreSQL and the object store."""

from __future__ import annotations

from typing import Final, assert_never

import pulumi

from components.base import SkerryComponent
from components.channels.blob_container import ObjectProtocol
from components.channels.object_store import ObjectAccess
from components.kubernetes.cluster import Cluster, ServiceAddress
from components.kubernetes.workload import (
    Container,
    EnvValue,
    SecretKey,
    Workload,
    deployment,
    host_name,
    http_probe,
    login,
    service,
)
from skerry.facts import ComponentFacts, Tier

PORT = 5000
AUTHORITY_PATH = "/etc/mlflow/postgres"
VERIFIED = {"PGSSLMODE": "verify-full", "PGSSLROOTCERT": f"{AUTHORITY_PATH}/ca.crt"}
"""What libpq reads where the address says nothing. Source: PostgreSQL "libpq Environment Variables" (not opened)."""
FULL_IMAGE: Final = "mlflow-full"
"""The project's own image, which has Azure's identities; the other has its storage alone.

Source: mlflow/mlflow docker/README.md and docker/Dockerfile.full, burakince/mlflow poetry.lock at 741a4d71; read
2026-11.
"""


class ExperimentTracker(SkerryComponent):
    """Keeps runs and metrics; state is in PostgreSQL and the object store, so the server itself keeps none."""

    def __init__(
        self,
        name: str,
        cluster: Cluster,
        *,
        namespace: str,
        database: ServiceAddress,
        objects: ObjectAccess,
        authority: SecretKey | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make the server.

        Args:
            name: the component's name.
            cluster: where it runs.
            namespace: the namespace of the meta tier.
            database: where runs are kept.
            objects: where artefacts are kept.
            authority: the certificate that vouches for that PostgreSQL; without it nobody asks whom it leads to.
            opts: Pulumi's options.
        """
        wanted, artifacts = _artifacts(objects.protocol)
        image = cluster.catalog.image(wanted, cluster.target, "experiment tracker")
        super().__init__(
            name,
            ComponentFacts(
                tier=Tier.META, role="experiment-tracker", replicas=2, images=(image,), ports={"http": PORT}
            ),
            opts,
        )
        workload = Workload(
            name="mlflow",
            namespace=namespace,
            placement=cluster.placements[Tier.META],
            replicas=2,
            # The account that has an identity at the cloud, where the store asks for one.
            service_account="agents" if objects.by_identity else "default",
            containers=(
                Container(
                    name="mlflow",
                    image=image,
                    cpu="500m",
                    memory="2Gi",
                    command=("mlflow", "server"),
                    args=(
                        "--host", "0.0.0.0", "--port", str(PORT),
                        "--backend-store-uri", "$(BACKEND_URI)",
                        "--artifacts-destination", artifacts,
                    ),
                    env={
                        "BACKEND_URI": login(database, "uri"),
                        **(VERIFIED if authority is not None else {}),
                        **_names(namespace, cluster.public_hosts.get("mlflow")),
                        **objects.client_environment(),
                    },
                    ports={"http": PORT},
                    readiness=http_probe("http", "/health", periodSeconds=10),
                    liveness=http_probe("http", "/health", periodSeconds=20),
                    mounts={"tmp": "/tmp", **({"authority": AUTHORITY_PATH} if authority is not None else {})},
                ),
            ),
            secret_files={"authority": authority} if authority is not None else {},
        )  # fmt: skip
        deployment(self, "server", cluster, workload)
        service(self, "service", cluster, workload)
        self.finish(
            endpoint=host_name("mlflow", namespace), port=PORT, secret_ref=database.secret_ref, metrics_endpoint=None
        )


def _names(namespace: str, public: str | None) -> dict[str, EnvValue]:
    """Return the names by which the server may be called; left to itself it takes localhost and private addresses.

    What a browser sends from the page itself counts as another site's, unless that is named too.

    Source: mlflow 3.15.1 mlflow/server/security_utils.py, read 2026-11.
    """
    inside = ("localhost", "mlflow", f"mlflow.{namespace}", host_name("mlflow", namespace))
    hosts = [f"{host}:{PORT}" for host in inside]
    found: dict[str, EnvValue] = {"MLFLOW_SERVER_ALLOWED_HOSTS": ",".join([*hosts, *([public] if public else [])])}
    if public is not None:
        found["MLFLOW_SERVER_CORS_ALLOWED_ORIGINS"] = f"https://{public}"
    return found


def _artifacts(protocol: ObjectProtocol) -> tuple[str, str]:
    """Return the image that speaks a protocol, and where artefacts are kept, from the environment."""
    match protocol:
        case ObjectProtocol.S3:
            return "mlflow", "s3://$(BUCKET)/experiments"
        case ObjectProtocol.BLOB:
            container = "$(AZURE_STORAGE_CONTAINER)@$(AZURE_STORAGE_ACCOUNT)"
            return FULL_IMAGE, f"wasbs://{container}.blob.core.windows.net/experiments"
        case _:
            assert_never(protocol)
