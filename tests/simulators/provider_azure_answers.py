"""What Azure answers about resources that it has: asked of what the simulated provider made."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any, Final

CREDENTIALS: Final = "azure-native:containerservice:listManagedClusterUserCredentials"
KEYS: Final = "azure-native:redisenterprise:listDatabaseKeys"


def azure_answer(token: str, args: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the answer, in the shape of the SDK's result type, or None where nothing is known of the function."""
    if token == KEYS:
        return {"primaryKey": f"key of {args['clusterName']}", "secondaryKey": f"other key of {args['clusterName']}"}
    if token != CREDENTIALS:
        return None
    name = args["resourceName"]
    told = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {"name": name, "cluster": {"server": f"https://{name}.simulated:443", "certificate-authority-data": "Q0E="}}
        ],
        # Azure tells a way to log in as well, which whoever reads this must leave out.
        "users": [{"name": "clusterUser", "user": {"token": "simulated"}}],
    }
    return {"kubeconfigs": [{"name": "clusterUser", "value": base64.b64encode(json.dumps(told).encode()).decode()}]}
