"""A small client of the Kubernetes API: server-side apply with strict field validation, get, list, delete, evict.

Plain HTTP over one kept connection; the official client would hide what the server says (warnings, field errors).
"""

from __future__ import annotations

import http.client
import json
import re
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlencode

MANAGER: Final = "skerry-test"
_TIMEOUT_S: Final = 60.0
_WARNING: Final = re.compile(r'299 \S+ "((?:[^"\\]|\\.)*)"')
_GONE: Final = (BrokenPipeError, ConnectionResetError, http.client.RemoteDisconnected, http.client.CannotSendRequest)


class ApiError(Exception):
    """Report what the API server refused, with its status code."""

    def __init__(self, code: int, message: str) -> None:
        """Keep the code beside the message."""
        super().__init__(f"{code}: {message}")
        self.code, self.message = code, message


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server said to one request."""

    code: int
    body: Any
    warnings: tuple[str, ...]


class KubeApi:
    """One connection to the API server as one user; not for use by two threads at once."""

    def __init__(self, port: int, keys: Path, user: str = "admin") -> None:
        """Remember where and as whom; nothing is sent yet."""
        self._port = port
        self._context = ssl.create_default_context(cafile=str(keys / "ca.crt"))
        self._context.load_cert_chain(str(keys / f"{user}.crt"), str(keys / f"{user}.key"))
        self._connection: http.client.HTTPSConnection | None = None
        self._kinds: dict[tuple[str, str], tuple[str, bool]] = {}

    def request(
        self, method: str, path: str, body: Any = None, content: str = "application/json", **query: str
    ) -> Answer:
        """Send one request and return the answer, refused or not."""
        target = path + (f"?{urlencode(query)}" if query else "")
        data = None if body is None else json.dumps(body)
        for attempt in (1, 2):
            if self._connection is None:
                self._connection = http.client.HTTPSConnection(
                    "127.0.0.1", self._port, context=self._context, timeout=_TIMEOUT_S
                )
            try:
                self._connection.request(method, target, data, {"Content-Type": content})
                answer = self._connection.getresponse()
                text = answer.read()
                break
            except _GONE:
                # The server closes idle connections; a second refusal is real.
                self.close()
                if attempt == 2:
                    raise
        warnings = [_WARNING.findall(value) for name, value in answer.getheaders() if name.lower() == "warning"]
        try:
            found = json.loads(text)
        except ValueError:
            found = text.decode(errors="replace")
        return Answer(answer.status, found, tuple(item for items in warnings for item in items))

    def ask(self, method: str, path: str, body: Any = None, content: str = "application/json", **query: str) -> Any:
        """Send one request and return the body.

        Raises:
            ApiError: the server refused.
        """
        return _body(self.request(method, path, body, content, **query))

    def apply(self, document: Mapping[str, Any], *, manager: str = MANAGER, dry: bool = False) -> Answer:
        """Apply a manifest the way `kubectl apply --server-side` does, and refuse every field that is not declared.

        Raises:
            ApiError: the server refused, or it serves no such kind.
        """
        query = {"fieldManager": manager, "fieldValidation": "Strict", "force": "true"}
        if dry:
            query["dryRun"] = "All"
        answer = self.request("PATCH", self.path(document), document, "application/apply-patch+yaml", **query)
        _body(answer)
        return answer

    def merge(self, path: str, change: Mapping[str, Any]) -> Any:
        """Change a part of an object.

        Raises:
            ApiError: the server refused.
        """
        return self.ask("PATCH", path, change, "application/merge-patch+json")

    def replace(self, path: str, pointer: str, value: object) -> Any:
        """Replace one field, which must be there, by JSON patch.

        Raises:
            ApiError: the server refused.
        """
        change = [{"op": "replace", "path": pointer, "value": value}]
        return self.ask("PATCH", path, change, "application/json-patch+json")

    def get(self, path: str) -> Any:
        """Return an object, or None where there is none.

        Raises:
            ApiError: the server refused.
        """
        answer = self.request("GET", path)
        return None if answer.code == 404 else _body(answer)

    def list(self, path: str, **query: str) -> Sequence[Mapping[str, Any]]:
        """Return the items under a path.

        Raises:
            ApiError: the server refused.
        """
        items: Sequence[Mapping[str, Any]] = self.ask("GET", path, **query)["items"]
        return items

    def evict(self, pod: Mapping[str, Any]) -> bool:
        """Ask for a pod to leave; False where a PodDisruptionBudget does not let it go now.

        Raises:
            ApiError: the server refused for another reason.
        """
        name, namespace = pod["metadata"]["name"], pod["metadata"]["namespace"]
        body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name, "namespace": namespace}}
        answer = self.request("POST", f"/api/v1/namespaces/{namespace}/pods/{name}/eviction", body)
        if answer.code in (404, 429):
            return answer.code == 404
        _body(answer)
        return True

    def path(self, document: Mapping[str, Any]) -> str:
        """Return the path of the object that a manifest names.

        Raises:
            ApiError: the server serves no such kind.
        """
        version, kind = str(document["apiVersion"]), str(document["kind"])
        base = f"/apis/{version}" if "/" in version else f"/api/{version}"
        plural, namespaced = self._kind(base, version, kind)
        metadata = document["metadata"]
        if namespaced:
            base += f"/namespaces/{quote(str(metadata.get('namespace') or 'default'), safe='')}"
        return f"{base}/{plural}/{quote(str(metadata['name']), safe='')}"

    def close(self) -> None:
        """Close the connection; the next request opens another."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def _kind(self, base: str, version: str, kind: str) -> tuple[str, bool]:
        if (version, kind) not in self._kinds:
            answer = self.request("GET", base)
            for found in answer.body.get("resources", []) if answer.code == 200 else []:
                if "/" not in found["name"]:
                    self._kinds[version, found["kind"]] = (found["name"], found["namespaced"])
        if (version, kind) not in self._kinds:
            raise ApiError(404, f"the server has no kind {kind} in {version}")
        return self._kinds[version, kind]


def _body(answer: Answer) -> Any:
    if answer.code >= 400:
        message = answer.body.get("message", answer.body) if isinstance(answer.body, dict) else answer.body
        raise ApiError(answer.code, str(message))
    return answer.body
