"""Which blob goes on which volume.

(1) An artifact that fits on a volume is put on one volume whole, so that the volume can be read alone.
(2) It goes where it needs the least new space; a blob that artifacts of different volumes share is on each of them.
(3) An artifact larger than a volume is spread: its blobs fill gaps, largest first, each on one volume.
(4) A blob larger than a volume is refused.

Example: volumes of 10; a = 6 + 3 shared, b = 5 + 3 shared, c = 1 + 3 shared -> [a, c], [b]; the shared blob is on both.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from airgap_bundle.bundle_format import MAX_VOLUMES
from skerry.errors import UsageError
from skerry.units import format_bytes


@dataclass(frozen=True, slots=True)
class Parcel:
    """The blobs of one artifact."""

    name: str
    blobs: Mapping[str, int]
    """Blob id -> bytes."""

    @property
    def bytes(self) -> int:
        """The sum of the sizes."""
        return sum(self.blobs.values())


def pack(parcels: Iterable[Parcel], capacity: int | None) -> tuple[dict[str, int], ...]:
    """Return the blobs of each volume; `capacity` is bytes of blobs, None for one volume without a limit.

    Raises:
        UsageError: a blob is larger than a volume (4), or there would be too many volumes.
    """
    ordered = sorted(parcels, key=lambda parcel: (-parcel.bytes, parcel.name))
    if capacity is None:
        return ({blob: size for parcel in ordered for blob, size in sorted(parcel.blobs.items())},)
    for parcel in ordered:
        for blob, size in sorted(parcel.blobs.items()):
            if size > capacity:
                raise UsageError(
                    f"{parcel.name} holds a blob of {format_bytes(size)} ({blob[:19]}), and a volume has room for "
                    f"{format_bytes(max(capacity, 0))} beside its metadata: make volumes larger with --volume-size"
                )
    bins: list[dict[str, int]] = []
    for parcel in ordered:
        if parcel.bytes <= capacity:
            _place_whole(bins, parcel, capacity)
        else:
            _spread(bins, parcel, capacity)
    if len(bins) > MAX_VOLUMES:
        raise UsageError(f"{len(bins)} volumes would be needed, and a set has at most {MAX_VOLUMES}: make them larger")
    return tuple(bins) or ({},)


def _place_whole(bins: list[dict[str, int]], parcel: Parcel, capacity: int) -> None:
    best: tuple[int, int] | None = None
    for index, content in enumerate(bins):
        extra = sum(size for blob, size in parcel.blobs.items() if blob not in content)
        if sum(content.values()) + extra <= capacity and (best is None or extra < best[0]):
            best = (extra, index)
    if best is None:
        bins.append({})
        best = (0, len(bins) - 1)
    bins[best[1]].update(parcel.blobs)


def _spread(bins: list[dict[str, int]], parcel: Parcel, capacity: int) -> None:
    placed = {blob for content in bins for blob in content}
    for blob, size in sorted(parcel.blobs.items(), key=lambda entry: (-entry[1], entry[0])):
        if blob in placed:
            continue
        for content in bins:
            if sum(content.values()) + size <= capacity:
                content[blob] = size
                break
        else:
            bins.append({blob: size})
