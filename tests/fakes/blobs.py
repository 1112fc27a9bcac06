"""Blob storage behind Azure's door: containers of an account, listed in pages and read in ranges.

with azure_cloud.cloud() as tenant:
    bills = Blobs.of(tenant.door)
    bills.put("focus/daily/part_0.csv", b"...")
    AzureSettings(export=(bills.address("focus"),))
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

from tests.fakes.azure_arm import BLOBS, Answer, Call, Door

_WHEN = "Thu, 01 Oct 2026 00:{:02}:{:02} GMT"


@dataclass
class Blobs:
    """One container, `bills` of the account `acct`."""

    door: Door
    held: dict[str, tuple[bytes, int]] = field(default_factory=dict)  # content, version
    page: int = 2
    written: int = 0

    @classmethod
    def of(cls, door: Door) -> Blobs:
        """Behind that door."""
        made = cls(door)
        door.services.insert(0, made.answer)
        return made

    def address(self, prefix: str = "") -> str:
        """What --export takes."""
        return f"{self.door.url}/acct/bills/{prefix}".rstrip("/")

    def put(self, name: str, content: bytes) -> None:
        """A blob, or its new content; each is written a second after the one before."""
        self.written += 1
        self.held[name] = (content, self.written)

    def answer(self, call: Call) -> Answer | None:
        """Of the container's own calls."""
        if call.action != BLOBS:
            return None
        name = call.path.removeprefix("/acct/bills").lstrip("/")
        if call.query.get("comp") == "list":
            return self._list(call)
        if name not in self.held:
            return _refused(404, "BlobNotFound")
        content, version = self.held[name]
        wanted = call.headers.get("if-match")
        if wanted and wanted != f'"{version}"':
            return _refused(412, "ConditionNotMet")
        return _ranged(call, content, self._headers(version))

    def _list(self, call: Call) -> Answer:
        prefix, start = call.query.get("prefix", ""), call.query.get("marker", "")
        names = [one for one in sorted(self.held) if one.startswith(prefix) and one >= start]
        shown, rest = names[: self.page], names[self.page :]
        blobs = "".join(map(self._told, shown))
        following = f"<NextMarker>{escape(rest[0])}</NextMarker>" if rest else "<NextMarker/>"
        text = f"<EnumerationResults><Blobs>{blobs}</Blobs>{following}</EnumerationResults>"
        return Answer(200, text.encode(), {"Content-Type": "application/xml"})

    def _told(self, name: str) -> str:
        content, version = self.held[name]
        return (
            f"<Blob><Name>{escape(name)}</Name><Properties>"
            f"<Last-Modified>{_when(version)}</Last-Modified><Etag>{version}</Etag>"
            f"<Content-Length>{len(content)}</Content-Length><BlobType>BlockBlob</BlobType>"
            "</Properties></Blob>"
        )

    def _headers(self, version: int) -> dict[str, str]:
        return {
            "ETag": f'"{version}"',
            "Last-Modified": _when(version),
            "x-ms-blob-type": "BlockBlob",
            "Content-Type": "application/octet-stream",
        }


def _ranged(call: Call, content: bytes, headers: dict[str, str]) -> Answer:
    asked = re.fullmatch(r"bytes=(\d+)-(\d+)?", call.headers.get("x-ms-range", ""))
    if asked is None:
        return Answer(200, content, headers)
    if not content:
        return _refused(416, "InvalidRange")
    first, last = int(asked[1]), min(int(asked[2] or len(content)), len(content) - 1)
    told = {"Content-Range": f"bytes {first}-{last}/{len(content)}"}
    return Answer(206, content[first : last + 1], headers | told)


def _when(version: int) -> str:
    return _WHEN.format(version // 60, version % 60)


def _refused(status: int, code: str) -> Answer:
    text = f"<Error><Code>{code}</Code><Message>{code}</Message></Error>"
    return Answer(
        status, text.encode(), {"Content-Type": "application/xml", "x-ms-error-code": code}
    )
