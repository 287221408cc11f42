"""How blobs are divided into volumes."""

import random

import pytest

from airgap_bundle.volumes import Parcel, pack
from skerry.errors import UsageError

A = Parcel("a", {"a": 6, "s": 3})
B = Parcel("b", {"b": 5, "s": 3})
C = Parcel("c", {"c": 1, "s": 3})
BIG = Parcel("big", {"1": 7, "2": 7, "3": 2})

CASES: dict[str, tuple[list[Parcel], int | None, list[set[str]]]] = {
    "no limit": ([A, B, BIG], None, [{"a", "b", "s", "1", "2", "3"}]),
    "nothing to carry": ([], 10, [set()]),
    "a shared blob is on both": ([A, B], 10, [{"a", "s"}, {"b", "s"}]),
    "what shares goes together": ([A, B, C], 10, [{"a", "s", "c"}, {"b", "s"}]),
    "one larger than a volume is spread": ([BIG], 10, [{"1", "3"}, {"2"}]),
    "a small one fills the gap": ([BIG, Parcel("d", {"d": 3})], 10, [{"1", "3"}, {"2", "d"}]),
    "the same twice": ([A, Parcel("z", A.blobs)], 10, [{"a", "s"}]),
}


@pytest.mark.parametrize("name", CASES)
def test_volumes(name: str) -> None:
    parcels, capacity, expected = CASES[name]
    assert [set(volume) for volume in pack(parcels, capacity)] == expected


def test_a_blob_larger_than_a_volume_is_refused() -> None:
    with pytest.raises(UsageError, match=r"big holds a blob of 7 B \(1\), and a volume has room for 6 B"):
        pack([BIG], 6)


def test_more_volumes_than_a_set_has_are_refused() -> None:
    with pytest.raises(UsageError, match="1000 volumes would be needed"):
        pack([Parcel(str(n), {str(n): 9}) for n in range(1000)], 10)


def test_random_sets_keep_the_rules() -> None:
    for seed in range(200):
        chance = random.Random(seed)
        sizes = {str(n): chance.randint(0, 40) for n in range(30)}
        parcels = [
            Parcel(str(n), {blob: sizes[blob] for blob in chance.sample(sorted(sizes), chance.randint(1, 8))})
            for n in range(12)
        ]
        volumes = pack(parcels, 100)
        assert all(sum(volume.values()) <= 100 for volume in volumes)
        held = {blob for volume in volumes for blob in volume}
        for parcel in parcels:
            assert parcel.blobs.keys() <= held
            if parcel.bytes <= 100:
                assert any(parcel.blobs.keys() <= volume.keys() for volume in volumes)
        assert volumes == pack(reversed(parcels), 100)
