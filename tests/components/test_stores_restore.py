"""A PostgreSQL is backed up, destroyed, and brought back to a moment: by the operator's own tool, as we configure it.

PostgreSQL 18 with pgvector, SeaweedFS and Barman 3.19.1 (the one in the plugin's sidecar) really run. The arguments
are those that the plugin makes of the `ObjectStore` that a stack renders.
"""

from __future__ import annotations

import io
import shutil
import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from tests.simulators.barman_cloud import Barman
from tests.simulators.changed_stacks import run_core
from tests.simulators.servers import Postgres, free_port, make_bucket, s3_client, wait, weed
from tests.simulators.stack_objects import ONPREM, inputs, objects

pytestmark = [pytest.mark.servers, pytest.mark.timeout(900)]

ACCESS, SECRET, BUCKET = "access", "secret-of-the-test", "copies"
SECRETS = {"backup-store": {"access-key": ACCESS, "secret-key": SECRET}}
STATE = "SELECT count(*), md5(string_agg(id || ':' || state || ':' || embedding::text, ',' ORDER BY id)) FROM moved"
NEAREST = (
    "SELECT string_agg(id::text, ',') FROM (SELECT id FROM moved ORDER BY embedding <-> '[50,50,50]' LIMIT 5) near"
)


@dataclass
class Site:
    """A site with a store of backups, and what the deployment there would run."""

    url: str
    barman: Barman
    parameters: dict[str, str]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("seaweedfs")
    with weed(folder, ACCESS, SECRET) as url:
        make_bucket(s3_client(url, ACCESS, SECRET), BUCKET)
        store = {"endpoint_url": url, "bucket": BUCKET, "jurisdiction": "DE", "encrypted": True}
        graph = run_core(ONPREM, {"meta.vector_store": "pgvector", "backup": {"store": store}})
        (object_store,) = [
            one for one in map(inputs, objects(graph, "ObjectStore")) if one["metadata"]["name"] == "vectors-db-backup"
        ]
        (cluster,) = [one for one in map(inputs, objects(graph, "Cluster")) if one["metadata"]["name"] == "vectors-db"]
        (plugin,) = cluster["spec"]["plugins"]
        assert plugin["parameters"]["barmanObjectName"] == object_store["metadata"]["name"]
        parameters = {key: cluster["spec"]["postgresql"]["parameters"][key] for key in ("archive_timeout",)}
        yield Site(url, Barman(object_store["spec"], SECRETS, "vectors-db"), parameters)


@pytest.fixture
def primary(site: Site, tmp_path: Path) -> Iterator[Postgres]:
    """Run a PostgreSQL that archives as the operator makes it do, with some rows in it."""
    settings = {
        "archive_mode": "on",
        "wal_level": "logical",
        "archive_command": site.barman.archive_command(),
        **site.parameters,
    }
    postgres = Postgres(tmp_path / "primary", free_port(), settings, site.barman.environment())
    postgres.create()
    postgres.start()
    postgres.sql("CREATE EXTENSION vector")
    postgres.sql("CREATE TABLE moved (id int PRIMARY KEY, state text NOT NULL, embedding vector(3) NOT NULL)")
    write(postgres, 1, 500)
    yield postgres
    postgres.stop("immediate")


def write(postgres: Postgres, first: int, last: int) -> None:
    postgres.sql(
        "INSERT INTO moved SELECT i, 'row ' || i, ('[' || i || ',' || (i % 97) || ',' || (i % 13) || ']')::vector "
        f"FROM generate_series({first}, {last}) i"
    )


def archived(postgres: Postgres) -> None:
    """Close the current segment and wait until it lies in the store."""
    segment = postgres.sql("SELECT pg_walfile_name(pg_current_wal_lsn())")
    postgres.sql("SELECT pg_switch_wal()")
    wait(
        f"archiving of {segment}",
        lambda: postgres.sql(f"SELECT coalesce(last_archived_wal >= '{segment}', false) FROM pg_stat_archiver") == "t",
    )


def recover(site: Site, barman: Barman, backup: str, target: Path, moment: str | None) -> Postgres:
    """Bring a copy back as the operator's recovery job does: files first, then the log up to a moment."""
    done = barman.restore(backup, target)
    assert done.returncode == 0, done.stderr
    (target / "recovery.signal").touch()
    settings = {"restore_command": barman.restore_command(), "archive_mode": "off"}
    if moment is not None:
        settings |= {"recovery_target_time": moment, "recovery_target_action": "promote"}
    target.chmod(0o700)
    return Postgres(target, free_port(), settings, barman.environment())


def start_recovered(postgres: Postgres) -> None:
    postgres.start()
    wait("the end of recovery", lambda: postgres.sql("SELECT pg_is_in_recovery()") == "f")


def test_a_destroyed_database_is_brought_back_to_the_moment_before_the_mistake(
    site: Site, primary: Postgres, tmp_path: Path
) -> None:
    barman = replace(site.barman, server="vectors-db-moment")
    reload(primary, barman)
    assert barman.check().returncode == 0
    done = barman.backup(primary, "backup-1")
    assert done.returncode == 0, done.stderr
    write(primary, 501, 900)
    before, nearest = primary.sql(STATE), primary.sql(NEAREST)
    moment = primary.sql("SELECT clock_timestamp()")
    primary.sql("SELECT pg_sleep(1.1)")
    primary.sql("DELETE FROM moved WHERE id % 2 = 0")
    write(primary, 2000, 2010)
    after = primary.sql(STATE)
    archived(primary)
    assert before != after

    primary.kill()
    shutil.rmtree(primary.data)

    (copy,) = barman.backups()
    assert copy["status"] == "DONE"
    restored = recover(site, barman, copy["backup_id"], tmp_path / "restored", moment)
    try:
        start_recovered(restored)
        assert before == restored.sql(STATE)
        assert nearest == restored.sql(NEAREST)
        write(restored, 3000, 3000)
        assert restored.sql("SELECT count(*) FROM moved") == "901"
    finally:
        restored.stop("immediate")

    latest = recover(site, barman, copy["backup_id"], tmp_path / "latest", None)
    try:
        start_recovered(latest)
        assert after == latest.sql(STATE), "without a moment, everything that was archived"
    finally:
        latest.stop("immediate")

    done = barman.prune()
    assert done.returncode == 0, done.stderr
    assert [copy["backup_id"]] == [one["backup_id"] for one in barman.backups()], "the only copy stays"


def reload(postgres: Postgres, barman: Barman) -> None:
    """Restart, since the environment of the archiver is the server's."""
    postgres.stop("immediate")
    settings = {**postgres.settings, "archive_command": barman.archive_command()}
    postgres.settings = settings
    postgres.start()


def test_what_is_not_in_the_archive_cannot_be_brought_back_and_says_so(
    site: Site, primary: Postgres, tmp_path: Path
) -> None:
    barman = site.barman
    assert barman.backup(primary, "backup-1").returncode == 0
    archived(primary)
    (copy,) = barman.backups()

    nobody = replace(barman, server="somebody-else")
    assert nobody.backups() == []
    done = nobody.restore(copy["backup_id"], tmp_path / "nobody")
    assert done.returncode != 0 and "does not exists" in done.stderr

    done = barman.restore("20200101T000000", tmp_path / "absent")
    assert done.returncode != 0 and "does not exists" in done.stderr

    stranger = replace(barman, secrets={"backup-store": {"access-key": ACCESS, "secret-key": "wrong"}})
    done = stranger.restore(copy["backup_id"], tmp_path / "stranger")
    assert done.returncode != 0

    beyond = recover(site, barman, copy["backup_id"], tmp_path / "beyond", "2099-01-01 00:00:00+00")
    done = beyond.run("postgres", "-D", str(beyond.data), *options(beyond), check=False)
    assert done.returncode != 0
    assert "recovery ended before configured recovery target was reached" in done.stderr


def options(postgres: Postgres) -> list[str]:
    given = {
        "port": str(postgres.port),
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": "",
        **postgres.settings,
    }
    return [word for key, value in given.items() for word in ("-c", f"{key}={value}")]


def cut(whole: bytes) -> bytes:
    """Return about half of a copy, which ends inside a file.

    Python's tarfile, by which Barman unpacks it, takes one that ends between two files for a whole one.
    """
    with tarfile.open(fileobj=io.BytesIO(whole)) as archive:
        inside = [range(one.offset_data + 1, one.offset_data + one.size) for one in archive if one.isfile()]
    for length in range(len(whole) // 2, len(whole), 64):
        told = len(zlib.decompressobj(wbits=31).decompress(whole[:length]))
        if any(told in one for one in inside):
            return whole[:length]
    raise AssertionError("no cut is inside a file")


def test_a_damaged_copy_is_refused(site: Site, primary: Postgres, tmp_path: Path) -> None:
    barman = replace(site.barman, server="damaged")
    reload(primary, barman)
    assert barman.backup(primary, "backup-1").returncode == 0
    (copy,) = barman.backups()
    client = s3_client(site.url, ACCESS, SECRET)
    prefix = site.barman.configuration["destinationPath"].removeprefix(f"s3://{BUCKET}/")
    found: dict[str, Any] = client.list_objects_v2(Bucket=BUCKET, Prefix=f"{prefix}/damaged/base")
    (data,) = [one["Key"] for one in found["Contents"] if one["Key"].endswith("data.tar.gz")]
    whole = client.get_object(Bucket=BUCKET, Key=data)["Body"].read()
    client.put_object(Bucket=BUCKET, Key=data, Body=cut(whole))
    done = barman.restore(copy["backup_id"], tmp_path / "damaged")
    assert done.returncode != 0
