"""What keeps these tests from a real cloud, and what a run that goes wrong leaves behind."""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path

import pytest

from tests.simulators.provider_times import TIMES_VARIABLE, read_times
from tests.simulators.pulumi_cli import PulumiCli, PulumiCliError

PROJECT = "name: tiny\nruntime: {name: python, options: {virtualenv: .venv}}\n"
QUEUE = "import pulumi_aws as aws\naws.sqs.Queue('queue', delay_seconds=3)\n"
SLEEPER = (
    "import os, pathlib, time\npathlib.Path(os.environ['TMPDIR'], 'pid').write_text(str(os.getpid()))\ntime.sleep(99)\n"
)
ALLOWED = {
    "PATH", "HOME", "TMPDIR", "LANG", "PULUMI_HOME", "PULUMI_BACKEND_URL", "PULUMI_CONFIG_PASSPHRASE",
    "PULUMI_SKIP_UPDATE_CHECK", "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION", "AWS_EC2_METADATA_DISABLED",
    "SKERRY_SIM_STATE",
}  # fmt: skip


def project(folder: Path, program: str) -> Path:
    folder.mkdir()
    (folder / "Pulumi.yaml").write_text(PROJECT)
    (folder / "__main__.py").write_text(program)
    return folder


def test_nothing_of_the_caller_s_environment_gets_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "AWS_ACCESS_KEY_ID",
        "AWS_PROFILE",
        "KUBECONFIG",
        "GOOGLE_APPLICATION_CREDENTIALS",
        "PULUMI_ACCESS_TOKEN",
    ):
        monkeypatch.setenv(name, "leaked")
    dump = "import json, os, pulumi\npulumi.export('seen', json.dumps(dict(os.environ)))\n"
    cli = PulumiCli(tmp_path / "world")
    small = project(tmp_path / "p", dump)
    assert set(cli.environment()) == ALLOWED
    cli.check(cli.up(small, "dev"))
    seen = json.loads(cli.check(cli.run(small, "stack", "output", "--stack", "dev", "seen")).stdout)
    assert [name for name, value in seen.items() if "leaked" in value] == []
    assert seen["HOME"].startswith(str(tmp_path))
    assert os.listdir(seen["HOME"]) == []  # noqa: PTH208  # a folder of the run, read as it is


@pytest.mark.parametrize("place", ["plugins", "pulumi-home/plugins/resource-azure-v1.0.0"])
def test_nothing_is_deployed_while_a_provider_that_is_no_simulator_is_within_reach(tmp_path: Path, place: str) -> None:
    cli = PulumiCli(tmp_path / "world")
    stranger = tmp_path / "world" / place / "pulumi-resource-stranger"
    stranger.parent.mkdir(parents=True, exist_ok=True)
    stranger.write_text("#!/bin/sh\necho hello\n")
    stranger.chmod(0o755)
    small = project(tmp_path / "p", QUEUE)
    for act in (cli.up, cli.destroy):
        with pytest.raises(PulumiCliError, match="pulumi-resource-stranger is no simulator"):
            act(small, "dev")
    assert cli.in_cloud() == []


def test_nothing_is_deployed_for_a_project_that_brings_plugins_of_its_own(tmp_path: Path) -> None:
    small = project(tmp_path / "p", QUEUE)
    settings = small / "Pulumi.yaml"
    settings.write_text(settings.read_text() + "plugins: {providers: [{name: aws, path: /somewhere}]}\n")
    with pytest.raises(PulumiCliError, match="names plugins or packages"):
        PulumiCli(tmp_path / "world").up(small, "dev")


def test_a_run_over_its_limit_is_cut_off_with_everything_that_it_started(tmp_path: Path) -> None:
    cli = PulumiCli(tmp_path / "world")
    small = project(tmp_path / "p", SLEEPER)
    cli.init(small, "dev")
    noted = tmp_path / "world" / "tmp" / "pid"
    # A busy machine may not have begun the program by then.
    for limit_s in (5, 30, 120):
        with pytest.raises(PulumiCliError, match=f"preview was cut off after {limit_s} s"):
            cli.run(small, "preview", "--stack", "dev", limit_s=limit_s)
        if noted.exists():
            break
    program = int(noted.read_text())
    deadline = time.monotonic() + 10
    while is_alive(program) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert not is_alive(program)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat")
    return not (state.is_file() and state.read_text().rsplit(")", 1)[1].split()[0] == "Z")


def test_a_program_that_raises_fails_the_run_with_its_own_words(tmp_path: Path) -> None:
    cli = PulumiCli(tmp_path / "world")
    done = cli.preview(project(tmp_path / "p", "raise ValueError('the reef is near')\n"), "dev")
    assert done.returncode != 0
    assert "the reef is near" in done.text


def test_a_project_without_its_environment_is_told_so(tmp_path: Path) -> None:
    cli = PulumiCli(tmp_path / "world")
    small = project(tmp_path / "p", QUEUE)
    (cli.copy_of(small) / ".venv").unlink()
    done = cli.preview(small, "dev")
    assert done.returncode != 0
    assert "'.venv' names no virtual environment" in done.text


def test_a_function_that_the_simulator_does_not_know_fails_instead_of_making_something_up(tmp_path: Path) -> None:
    cli = PulumiCli(tmp_path / "world")
    program = "import pulumi_aws as aws\naws.ec2.get_instance(instance_id='i-0')\n"
    done = cli.preview(project(tmp_path / "p", program), "dev")
    assert done.returncode != 0
    assert "the simulated provider has no answer for aws:ec2/getInstance:getInstance" in done.text


WRONG = {
    "names and types": (
        {"instanceTyp": "t3.micro", "rootBlockDevice": {"volumeSize": "big"}, "availability_zone": "eu-central-1a"},
        (
            "instanceTyp value {t3.micro} has a problem: there is no such property: did you mean 'instanceType'?",
            "property rootBlockDevice.volumeSize",
            "it takes a whole number, not 'big'",
            "there is no such property: did you mean 'availabilityZone'?",
        ),
    ),
    "values": (
        {"instanceType": "t3.mikro", "metadataOptions": {"httpTokens": "yes"}},
        (
            "'t3.mikro' is not among its values: did you mean 't3.micro'? (botocore ec2 InstanceType)",
            "property metadataOptions.httpTokens",
            "'yes' is not among its values: 'optional', 'required'",
        ),
    ),
    "forms": (
        {"availabilityZone": "eu-centrl-1a", "subnetId": "vpc-1"},
        (
            "'eu-centrl-1a' is not a zone of a region: did you mean 'eu-central-1'?",
            "property subnetId value {vpc-1} has a problem: 'vpc-1' is not such an id: it begins with 'subnet-'",
        ),
    ),
}


@pytest.mark.parametrize("sentence", WRONG)
def test_a_preview_is_refused_with_all_that_is_wrong_with_a_resource(tmp_path: Path, sentence: str) -> None:
    cli, (inputs, expected) = PulumiCli(tmp_path / "world"), WRONG[sentence]
    program = f"import pulumi\npulumi.CustomResource('aws:ec2/instance:Instance', 'machine', {inputs!r})\n"
    done = cli.preview(project(tmp_path / "p", program), "dev")
    assert done.returncode != 0
    assert [told for told in expected if told not in " ".join(done.text.split())] == []


def test_the_time_in_provider_processes_is_told_where_it_is_asked_for(tmp_path: Path) -> None:
    cli = PulumiCli(tmp_path / "world")
    small = project(tmp_path / "p", QUEUE)
    cli.check(cli.preview(small, "dev"))
    assert read_times(cli.cloud) == []
    cli.check(cli.run(small, "preview", "--stack", "dev", variables={TIMES_VARIABLE: "1"}))
    (told,) = [row for row in read_times(cli.cloud) if row["calls"]]
    assert told["package"] == "aws"
    assert 0 < told["cpu_s"] < 10
    assert 0 < told["wall_s"] < 60


def test_a_changed_input_is_an_update_and_drift_in_the_cloud_is_seen(tmp_path: Path) -> None:
    cli = PulumiCli(tmp_path / "world")
    small = project(tmp_path / "p", QUEUE)
    cli.check(cli.up(small, "dev"))
    (cli.copy_of(small) / "__main__.py").write_text(QUEUE.replace("3", "4"))
    assert "1 updated" in cli.check(cli.up(small, "dev")).text
    assert [resource["inputs"]["delaySeconds"] for resource in cli.in_cloud()] == [4]
    (file,) = cli.cloud.rglob("*.json")
    file.write_text(file.read_text().replace('"delaySeconds": 4', '"delaySeconds": 9'))
    refreshed = cli.check(cli.run(small, "refresh", "--yes", "--skip-preview", "--stack", "dev"))
    assert "1 updated" in refreshed.text
    assert "1 to update" in cli.check(cli.preview(small, "dev")).text


def test_a_command_line_for_the_bench_runs_as_it_is(tmp_path: Path) -> None:
    cli = PulumiCli(tmp_path / "world")
    command, environment = cli.preview_command(project(tmp_path / "p", QUEUE), "dev")
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=120)
    assert [step["op"] for step in json.loads(done.stdout)["steps"]] == ["create", "create"]
