"""The object store with the very environment that pods get: SeaweedFS really runs, the client is Amazon's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import BotoCoreError, ClientError

from tests.simulators.servers import make_bucket, wait, weed
from tests.simulators.stack_objects import AIRGAPPED, graph_of, pods

pytestmark = [pytest.mark.servers, pytest.mark.timeout(600)]

ACCESS, SECRET = "access", "secret-of-the-test"


def environment() -> dict[str, Any]:
    """Return what a worker of the air-gapped stack is told of the object store."""
    worker = next(pod for pod in pods(graph_of(AIRGAPPED)) if pod.labels.get("app.kubernetes.io/name") == "worker")
    rows = {row["name"]: row for row in worker.containers[-1]["env"]}
    return {name: row.get("value", row.get("valueFrom")) for name, row in rows.items()}


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Yield a client that has nothing but that environment, the address and the keys aside."""
    told = environment()
    assert told["AWS_ENDPOINT_URL"] == "http://seaweedfs-s3.sensei-channels.svc.cluster.local:8333"
    assert told["AWS_ACCESS_KEY_ID"]["secretKeyRef"] == {"name": "object-store", "key": "access-key"}
    with weed(tmp_path / "weed", ACCESS, SECRET) as url:
        for name in ("AWS_PROFILE", "AWS_CONFIG_FILE"):
            monkeypatch.delenv(name, raising=False)
        for name, value in {**told, "AWS_ENDPOINT_URL": url, "AWS_ACCESS_KEY_ID": ACCESS,
                            "AWS_SECRET_ACCESS_KEY": SECRET}.items():  # fmt: skip
            if name.startswith("AWS_") and isinstance(value, str):
                monkeypatch.setenv(name, value)
        client = boto3.Session().client("s3", region_name=told["AWS_REGION"])
        bucket = told["BUCKET"]

        make_bucket(client, bucket)
        yield client, bucket, url


def test_buckets_are_addressed_by_path_without_anybody_saying_so(store: Any) -> None:
    client, bucket, url = store
    assert client.meta.endpoint_url == url
    signed = client.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "a/b"})
    assert signed.startswith(f"{url}/{bucket}/a/b?"), "an address like bucket.host has no name in the site's DNS"


def test_a_checkpoint_that_was_acknowledged_is_read_back_whole(store: Any) -> None:
    client, bucket, _ = store
    small = b"checkpoint 10000"
    client.put_object(Bucket=bucket, Key="checkpoints/run-1/10000", Body=small)
    large = bytes(range(256)) * (12 * 1024 * 4)
    upload = client.create_multipart_upload(Bucket=bucket, Key="snapshots/large")["UploadId"]
    parts = []
    size = 5 * 1024 * 1024
    for number, at in enumerate(range(0, len(large), size), 1):
        done = client.upload_part(
            Bucket=bucket, Key="snapshots/large", UploadId=upload, PartNumber=number, Body=large[at : at + size]
        )
        parts.append({"PartNumber": number, "ETag": done["ETag"]})
    client.complete_multipart_upload(
        Bucket=bucket, Key="snapshots/large", UploadId=upload, MultipartUpload={"Parts": parts}
    )
    assert client.get_object(Bucket=bucket, Key="checkpoints/run-1/10000")["Body"].read() == small
    assert client.get_object(Bucket=bucket, Key="snapshots/large")["Body"].read() == large
    listed = client.list_objects_v2(Bucket=bucket, Prefix="checkpoints/run-1/")["Contents"]
    assert [one["Key"] for one in listed] == ["checkpoints/run-1/10000"]


def test_what_was_acknowledged_survives_the_loss_of_the_process(tmp_path: Path) -> None:
    folder = tmp_path / "weed"

    def client(url: str) -> Any:
        return boto3.client(
            "s3", endpoint_url=url, aws_access_key_id=ACCESS, aws_secret_access_key=SECRET, region_name="us-east-1"
        )

    def put(url: str) -> bool:
        try:
            client(url).create_bucket(Bucket="sensei")
            client(url).put_object(Bucket="sensei", Key="checkpoint", Body=b"10000")
        except (ClientError, BotoCoreError):
            return False
        return True

    with weed(folder, ACCESS, SECRET) as url:
        wait("a write", lambda: put(url))
    with weed(folder, ACCESS, SECRET) as url:
        found = wait("a read", lambda: read(client(url)))
    assert found == b"10000"


def read(client: Any) -> bytes | None:
    try:
        return bytes(client.get_object(Bucket="sensei", Key="checkpoint")["Body"].read())
    except (ClientError, BotoCoreError):
        return None


def test_a_wrong_key_gets_nothing(store: Any) -> None:
    _, bucket, url = store
    stranger = boto3.client(
        "s3", endpoint_url=url, aws_access_key_id=ACCESS, aws_secret_access_key="wrong", region_name="us-east-1"
    )
    with pytest.raises(ClientError) as error:
        stranger.list_objects_v2(Bucket=bucket)
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
