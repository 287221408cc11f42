"""CloudNativePG's real webhooks take databases that archive, their schedules, and parameters for vectors.

The plugin itself does not run: what it makes of an `ObjectStore` is run in tests/components/test_stores_restore.py.
"""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from tests.simulators.changed_stacks import changed_file
from tests.simulators.kube_api import ApiError
from tests.simulators.kube_cluster import KubeCluster
from tests.simulators.kube_manifests import ROOT, apply_all, render
from tests.simulators.kube_operators import start_postgres_operator
from tests.simulators.kube_site import Machines, Site
from tests.simulators.kube_tools import crd_sets

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]

STACK: Final = "sensei-airgapped"
STORE: Final = {"endpoint_url": "https://s3.second.example", "bucket": "copies", "jurisdiction": "DE"}
NEEDED: Final = ("Namespace", "PriorityClass", "ServiceAccount", "ResourceQuota", "LimitRange", "NetworkPolicy")


def test_the_operator_takes_databases_that_archive_and_refuses_two_ways_of_archiving(
    tmp_path: Path, cluster_folder: Path
) -> None:
    (tmp_path / "stacks").mkdir()
    project = {"name": "skerry", "runtime": "python", "main": str(ROOT), "stackConfigDir": "stacks"}
    (tmp_path / "Pulumi.yaml").write_text(yaml.safe_dump(project))
    text = changed_file(STACK, {"meta.vector_store": "pgvector", "backup": {"store": STORE}})
    (tmp_path / "stacks" / f"Pulumi.{STACK}.yaml").write_text(text)
    stack = render(STACK, tmp_path / "rendered", tmp_path)
    sets = {one.name: one for one in crd_sets()}
    databases = stack.of("Cluster")
    assert {one["metadata"]["name"] for one in databases} == {"temporal-db", "vectors-db", "experiments-db"}
    with KubeCluster(cluster_folder) as cluster:
        cluster.install([sets["cloudnative-pg"], sets["plugin-barman-cloud"]])
        cluster.start_controllers()
        cluster.start_kwok()
        site = Site(cluster.api())
        site.add_machines([Machines("meta", 3, 32, 128)], ("a", "b", "c"))
        site.add_storage_class(databases[0]["spec"]["storage"]["storageClass"])
        start_postgres_operator(cluster, sets["cloudnative-pg"])
        assert apply_all(site.api, [one for one in stack.documents if one["kind"] in NEEDED]).refused == []

        twice: Any = copy.deepcopy(databases[0])
        twice["spec"]["backup"] = {
            "barmanObjectStore": {"destinationPath": "s3://copies/", "s3Credentials": {"inheritFromIAMRole": True}}
        }
        with pytest.raises(ApiError) as error:
            site.api.apply(twice)
        assert "vcluster.cnpg.io" in error.value.message

        wrong: Any = copy.deepcopy(stack.of("ScheduledBackup")[0])
        wrong["spec"]["schedule"] = "whenever"
        with pytest.raises(ApiError) as error:
            site.api.apply(wrong)
        assert "vscheduledbackup.cnpg.io" in error.value.message

        archiving = [*databases, *stack.of("Database"), *stack.of("ObjectStore"), *stack.of("ScheduledBackup")]
        done = apply_all(site.api, archiving)
        assert (done.refused, done.warned) == ([], [])
