"""The far side stands on few things: neither Pulumi nor a cloud's SDK."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = "import sys, {module}; print(*sorted({{name.partition('.')[0] for name in sys.modules}}))"
FORBIDDEN = {
    "pulumi",
    "pulumi_kubernetes",
    "pulumi_aws",
    "pulumi_gcp",
    "pulumi_azure_native",
    "boto3",
    "grpc",
    "requests",
}


FAR_SIDE = ("airgap_bundle.verify", "airgap_bundle.load", "airgap_bundle.proof", "airgap_bundle.unpack")


@pytest.mark.parametrize("module", FAR_SIDE)
def test_the_far_side_needs_no_pulumi_and_no_cloud(module: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(module=module)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert FORBIDDEN & set(done.stdout.split()) == set()
