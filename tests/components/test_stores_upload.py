"""The script that uploads copies, with the real rclone and SeaweedFS: whole ones, and old ones go after new ones."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.simulators.changed_stacks import run_changed
from tests.simulators.servers import make_bucket, s3_client, weed
from tests.simulators.stack_objects import ONPREM, inputs, objects

pytestmark = [pytest.mark.servers, pytest.mark.timeout(600)]

ACCESS, SECRET, BUCKET = "access", "secret-of-the-test", "copies"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, str]]:
    if shutil.which("rclone") is None:
        if os.environ.get("SKERRY_REQUIRE_TOOLS"):
            pytest.fail("rclone is not installed: .ci/tools installs it")
        pytest.skip("rclone is not installed (Debian: apt install rclone)")
    with weed(tmp_path_factory.mktemp("seaweedfs"), ACCESS, SECRET) as url:
        client = s3_client(url, ACCESS, SECRET)
        make_bucket(client, BUCKET)
        yield client, url


def upload(url: str, work: Path, *, keep: str | None = None, secret: str = SECRET) -> subprocess.CompletedProcess[str]:
    """Run the uploader of MongoDB's copies as it was rendered; its volume lies elsewhere."""
    asked = {"store": {"endpoint_url": url, "bucket": BUCKET, "jurisdiction": "DE"}, "retention_days": 30}
    jobs = {
        one["metadata"]["name"]: one["spec"]
        for one in map(inputs, objects(run_changed(ONPREM, {"backup": asked}), "CronJob"))
    }
    (container,) = jobs["mongodb-backup"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    keys = {"access-key": ACCESS, "secret-key": secret}
    env = {
        row["name"]: row["value"] if "value" in row else keys[row["valueFrom"]["secretKeyRef"]["key"]]
        for row in container["env"]
    }
    assert env["RCLONE_CONFIG_STORE_FORCE_PATH_STYLE"] == "true"
    script = container["args"][0].replace("/backup", str(work))
    given = {"PATH": os.environ["PATH"], **env, **({"KEEP": keep} if keep else {}), "RCLONE_RETRIES": "1"}
    return subprocess.run(
        [*container["command"], script], capture_output=True, text=True, check=False, env=given, timeout=120
    )


def keys_of(client: Any) -> list[str]:
    found = client.list_objects_v2(Bucket=BUCKET, Prefix="skerry/mongodb/").get("Contents", [])
    return sorted(one["Key"] for one in found)


def test_a_copy_arrives_whole_and_what_is_too_old_goes(store: tuple[Any, str], tmp_path: Path) -> None:
    client, url = store
    (tmp_path / "documents.archive.gz").write_bytes(bytes(range(256)) * 40_000)
    client.put_object(Bucket=BUCKET, Key="skerry/other/kept", Body=b"not ours")
    done = upload(url, tmp_path)
    assert done.returncode == 0, done.stderr
    (first,) = keys_of(client)
    assert first.endswith("Z/documents.archive.gz")
    assert (
        client.get_object(Bucket=BUCKET, Key=first)["Body"].read() == (tmp_path / "documents.archive.gz").read_bytes()
    )

    client.put_object(Bucket=BUCKET, Key="skerry/mongodb/20200101T000000Z/documents.archive.gz", Body=b"old")
    done = upload(url, tmp_path, keep="30d")
    assert done.returncode == 0, done.stderr
    assert len(keys_of(client)) == 3, "what was written today is not 30 days old, whatever its folder is called"
    assert client.get_object(Bucket=BUCKET, Key="skerry/other/kept")["Body"].read() == b"not ours"


def test_nothing_goes_where_nothing_came(store: tuple[Any, str], tmp_path: Path) -> None:
    client, url = store
    before = keys_of(client)
    (tmp_path / "empty").mkdir()
    done = upload(url, tmp_path / "empty", keep="1ms")
    assert (done.returncode, keys_of(client)) == (1, before)
    assert "there is nothing to keep" in done.stderr

    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "documents.archive.gz").write_bytes(b"x")
    done = upload(url, tmp_path / "full", keep="1ms", secret="wrong")
    assert done.returncode != 0
    assert before == keys_of(client)
