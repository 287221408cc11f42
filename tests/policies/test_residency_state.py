"""The state stays inside the boundary, stores name the class of their data, and nothing is hidden."""

from __future__ import annotations

import pytest

from policies.rules.residency import RULES
from skerry.facts import ChartFact, DataClass
from skerry.graph import UNKNOWN
from tests.simulators.policy_graphs import Build, run, told

RES003, RES004, RES005 = RULES[2:]
BUCKET = "aws:s3/bucket:Bucket"


PASSPHRASE = ("ok", "platform", "the secrets of the state are under a passphrase that stays with its holders")
BACKEND = ("ok", "platform", "the state backend s3://state?region=eu-central-1 lies within EU")
STATE: dict[str, tuple[Build, list[tuple[str, str, str]]]] = {
    "inside": (lambda b: b.deployment(), [BACKEND, PASSPHRASE]),
    "a backend outside": (
        lambda b: b.deployment(state_backend="file:///srv/state", state_jurisdiction="US"),
        [
            (
                "violation",
                "platform",
                "the state backend file:///srv/state lies in US, but the state may only be in EU",
            ),
            PASSPHRASE,
        ],
    ),
    "a backend that is not where it is said to be": (
        lambda b: b.deployment(state_backend="s3://state?region=us-east-1"),
        [
            ("ok", "platform", "the state backend s3://state?region=us-east-1 lies within EU"),
            ("violation", "platform", "state.jurisdiction says DE, but s3://state?region=us-east-1 stands in US"),
            PASSPHRASE,
        ],
    ),
    "an AWS key inside": (
        lambda b: b.deployment(secrets_provider="awskms://alias/pulumi?region=eu-west-1"),
        [BACKEND, ("ok", "platform", "the secrets provider awskms://alias/pulumi lies within EU")],
    ),
    "an AWS key outside": (
        lambda b: b.deployment(secrets_provider="awskms://alias/pulumi?region=us-east-1"),
        [
            BACKEND,
            (
                "violation",
                "platform",
                "the secrets provider awskms://alias/pulumi lies in US, but the state may only be in EU",
            ),
        ],
    ),
    "a GCP key inside": (
        lambda b: b.deployment(secrets_provider="gcpkms://projects/p/locations/europe-west4/keyRings/r/cryptoKeys/k"),
        [
            BACKEND,
            (
                "ok",
                "platform",
                "the secrets provider gcpkms://projects/p/locations/europe-west4/keyRings/r/cryptoKeys/k lies within"
                " EU",
            ),
        ],
    ),
    "a key that does not say where it is": (
        lambda b: b.deployment(secrets_provider="hashivault://pulumi"),
        [
            BACKEND,
            ("undetermined", "platform", "the secrets provider hashivault://pulumi: its country is not known"),
        ],
    ),
    "a key whose place is named": (
        lambda b: b.deployment(secrets_provider="hashivault://pulumi", secrets_jurisdiction="FR"),
        [BACKEND, ("ok", "platform", "the secrets provider hashivault://pulumi lies within EU")],
    ),
    "no deployment": (
        lambda b: None,
        [("not-applicable", "", "no deployments with a state backend in the graph")],
    ),
}


@pytest.mark.parametrize("case", STATE)
def test_res003_the_state_stays(case: str) -> None:
    build, expected = STATE[case]
    assert expected == told(run(build, RES003))


CLASSES: dict[str, tuple[Build, list[tuple[str, str, str]]]] = {
    "a store with a class": (
        lambda b: b.component("store", stateful=True, data_class=DataClass.INTERNAL),
        [("ok", "store", "")],
    ),
    "a store without": (
        lambda b: b.component("store", stateful=True),
        [("violation", "store", "it keeps data but names no data class")],
    ),
    "a class above covers the resource": (
        lambda b: b.add(BUCKET, "data", parent=b.component("store", data_class=DataClass.PUBLIC)),
        [("ok", "data", "")],
    ),
    "a tag names it": (lambda b: b.add(BUCKET, "data", {"tags": {"data-class": "public"}}), [("ok", "data", "")]),
    "a tag with no class": (
        lambda b: b.add(BUCKET, "data", {"tags": {"data-class": "purple"}}),
        [
            (
                "violation",
                "data",
                "it keeps data but neither it nor a component above it names a data class",
            )
        ],
    ),
    "unknown tags": (
        lambda b: b.add(BUCKET, "data", {"tags": UNKNOWN}),
        [("undetermined", "data", "its tags are not known before a deployment")],
    ),
    "nothing that keeps data": (lambda b: None, [("not-applicable", "", "no data stores in the graph")]),
}


@pytest.mark.parametrize("case", CLASSES)
def test_res004_stores_name_their_class(case: str) -> None:
    build, expected = CLASSES[case]
    assert expected == told(run(build, RES004))


RELEASE = "kubernetes:helm.sh/v3:Release"
CHART = ChartFact(name="keda", repository="oci://charts", version="2.0.0", why="scaling")
OPAQUE: dict[str, tuple[Build, list[tuple[str, str, str]]]] = {
    "a declared chart": (
        lambda b: b.add(RELEASE, "keda", parent=b.component("operator", charts=(CHART,))),
        [("ok", "keda", "what it installs is declared by its component")],
    ),
    "a bare release": (
        lambda b: b.add(RELEASE, "keda"),
        [("undetermined", "keda", f"what a {RELEASE} makes cannot be seen in the graph")],
    ),
    "a command": (
        lambda b: b.add("command:local:Command", "run"),
        [("undetermined", "run", "what a command:local:Command makes cannot be seen in the graph")],
    ),
    "a component whose children are not in the graph": (
        lambda b: b.add("kubernetes:yaml/v2:ConfigFile", "crds", custom=False),
        [("undetermined", "crds", "what a kubernetes:yaml/v2:ConfigFile makes cannot be seen in the graph")],
    ),
    "a component whose children stand in the graph": (
        lambda b: b.add(
            "kubernetes:core/v1:ConfigMap",
            "map",
            parent=b.add("kubernetes:yaml:ConfigFile", "crds", custom=False),
        ),
        [("not-applicable", "", "no opaque resources in the graph")],
    ),
    "nothing opaque": (
        lambda b: b.add(BUCKET, "data"),
        [("not-applicable", "", "no opaque resources in the graph")],
    ),
}


@pytest.mark.parametrize("case", OPAQUE)
def test_res005_nothing_is_hidden(case: str) -> None:
    build, expected = OPAQUE[case]
    assert expected == told(run(build, RES005))
