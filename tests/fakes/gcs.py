"""Cloud Storage on loopback: objects in buckets, listed in pages and read as they are stored."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.gcp_rest import Answer, Call, Rest, error, page


@dataclass
class Storage:
    """What there is, by bucket and name."""

    rest: Rest
    objects: dict[tuple[str, str], bytes] = field(default_factory=dict)
    generations: dict[tuple[str, str], int] = field(default_factory=dict)
    page: int = 3

    def __post_init__(self) -> None:
        path = "/storage/v1/b/{bucket}/o"
        self.rest.route("storage.objects.list", "GET", path, self._list)
        self.rest.route("storage.objects.get", "GET", f"{path}/{{name+}}", self._describe)
        self.rest.route(
            "storage.objects.download", "GET", f"/download{path}/{{name+}}", self._download
        )

    def put(self, bucket: str, name: str, content: bytes) -> None:
        """An object, or its next generation."""
        self.objects[bucket, name] = content
        self.generations[bucket, name] = self.generations.get((bucket, name), 1_700_000) + 1

    def _list(self, call: Call) -> Any:
        bucket, prefix = call.parts["bucket"], call.query.get("prefix", "")
        held = [key for key in sorted(self.objects) if key[0] == bucket]
        if not held:
            return error(404, "The specified bucket does not exist.", "notFound")
        chosen = [key for key in held if key[1].startswith(prefix)]
        found = page(chosen, call, most=self.page, size="maxResults")
        if isinstance(found, Answer):
            return found
        return {"kind": "storage#objects", "items": [*map(self._told, found[0])], **found[1]}

    def _describe(self, call: Call) -> Any:
        key = (call.parts["bucket"], call.parts["name"])
        if key not in self.objects:
            return error(404, "No such object", "notFound")
        return self._download(call) if call.query.get("alt") == "media" else self._told(key)

    def _download(self, call: Call) -> Any:
        key = (call.parts["bucket"], call.parts["name"])
        if key not in self.objects:
            return error(404, "No such object", "notFound")
        wanted = call.query.get("ifGenerationMatch")
        if wanted and int(wanted) != self.generations[key]:
            return error(412, "At least one of the pre-conditions did not hold.", "conditionNotMet")
        content = self.objects[key]
        md5 = base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()
        headers = {"Content-Type": "application/octet-stream", "X-Goog-Hash": f"md5={md5}"}
        return Answer(200, content, headers)

    def _told(self, key: tuple[str, str]) -> dict[str, str]:
        bucket, name = key
        return {
            "kind": "storage#object",
            "bucket": bucket,
            "name": name,
            "size": str(len(self.objects[key])),
            "generation": str(self.generations[key]),
            "updated": "2026-10-02T03:04:05.678Z",
        }
