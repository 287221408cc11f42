"""The names and versions of the bundle format; docs/bundle-format.md says what they mean."""

from __future__ import annotations

import re
from typing import Final

BUNDLE_SCHEMA: Final = "skerry.bundle/1"
"""Name and version of the set manifest."""
PLAN_SCHEMA: Final = "skerry.bundle-plan/1"
"""Name and version of the plan's JSON form."""
REPORT_SCHEMA: Final = "skerry.bundle-report/1"
"""Name and version of the JSON form of the export, verify, import and proof reports."""
TOOL: Final = "skerry 0.1.0"

MANIFEST_NAME: Final = "skerry-bundle.json"
SIGNATURE_NAME: Final = "skerry-bundle.json.sig"
SIGNATURE_NAMESPACE: Final = "skerry-bundle@1"
"""The SSHSIG namespace: a signature made for anything else does not count."""
STATE_FOLDER: Final = ".skerry-export"
"""Holds what an unfinished export needs to go on; a finished medium has none."""

LAYOUT_NAME: Final = "oci-layout"
LAYOUT_BYTES: Final = b'{"imageLayoutVersion":"1.0.0"}'
INDEX_NAME: Final = "index.json"
BLOB_FOLDER: Final = "blobs/sha256"

VOLUME_PATTERN: Final = re.compile(r"^volume-(?:00[1-9]|0[1-9]\d|[1-9]\d\d)$")
MAX_VOLUMES: Final = 999
MAX_SET_MANIFEST_BYTES: Final = 64 * 1024 * 1024
"""A set of 100,000 blobs needs about 20 MB."""
MAX_SIGNATURE_BYTES: Final = 4096
"""An Ed25519 signature file has about 300 bytes."""

MARKER_REPOSITORY: Final = "skerry/rehearsal-site"
MARKER_TAG: Final = "marker"


def volume_name(number: int) -> str:
    """Return the folder name of volume `number`, from 1."""
    return f"volume-{number:03d}"


def blob_path(hex_digest: str) -> str:
    """Return the path of a blob inside a volume."""
    return f"{BLOB_FOLDER}/{hex_digest}"
