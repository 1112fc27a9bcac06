"""Out of S3: the listing of a prefix, a month's manifest, and files as the listing saw them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from costopt.errors import InputError
from costopt.providers.aws.bill.layout import SETTLED, Month, Stored, listed, unfinished
from costopt.units import counted

_CHUNK: Final = 1 << 20
_LARGEST_MANIFEST: Final = 64 << 20  # one lists columns and files: kilobytes
_TRIES: Final = 3
"""Downloads of one file: botocore repeats requests, but not bodies that break off."""


class Changed(Exception):
    """The month is being delivered while we look: read it next time."""


class Bucket:
    """A place in S3 that holds bills."""

    def __init__(self, client: Any, address: str) -> None:
        self._client = client
        self.name, _, path = address.removeprefix("s3://").partition("/")
        self._prefix = path.strip("/") + "/" if path.strip("/") else ""
        self.now = datetime.now(UTC)  # the server's clock, once it has answered

    def objects(self) -> Iterator[Stored]:
        """Everything below the prefix.

        Raises:
            ClientError, BotoCoreError: S3 does not say.
        """
        pages = self._client.get_paginator("list_objects_v2")
        for page in pages.paginate(Bucket=self.name, Prefix=self._prefix):
            self.now = _clock(page)
            for one in page.get("Contents", ()):
                yield Stored(one["Key"], one["ETag"], one["Size"], one["LastModified"])

    def files(self, month: Month, *, manifests: bool) -> list[Stored]:
        """The data files that make up the month.

        Args:
            manifests: whether other months of the export have one.
        Raises:
            Changed: AWS is delivering the month just now.
            InputError: the manifest cannot be read, lists nothing of what is there, or files that
                are gone.
            ClientError, BotoCoreError: S3 does not give the manifest.
        """
        chosen = month.newest if month.runs else []
        named = self._manifest(month)
        if named == [] and month.manifest and month.runs:
            where = f"s3://{self.name}/{month.manifest.key}"
            raise InputError("lists no data file, and there are some", where=where)
        if named is not None:
            there = {one.key: one for files in month.runs.values() for one in files}
            if lacking := [name for name in named if name not in there]:
                raise self._lacking(month, lacking)
            chosen = [there[name] for name in dict.fromkeys(named)]  # each counts once
        if unfinished(month, chosen, self.now, manifests=manifests):
            raise Changed("its files are newer than its manifest")
        return sorted(chosen, key=lambda one: one.key)

    def download(self, stored: Stored, target: Path) -> None:
        """The object's bytes, if it is still what the listing saw.

        Raises:
            Changed: it was overwritten meanwhile.
            ClientError, BotoCoreError: S3 does not give it.
        """
        for attempt in range(_TRIES):
            try:
                answer = self._get(stored)
                with target.open("wb") as file:
                    for chunk in answer["Body"].iter_chunks(_CHUNK):
                        file.write(chunk)
            except BotoCoreError:
                if attempt + 1 == _TRIES:
                    raise
            else:
                return

    def _manifest(self, month: Month) -> list[str] | None:
        if month.manifest is None:
            return None
        where = f"s3://{self.name}/{month.manifest.key}"
        if month.manifest.size > _LARGEST_MANIFEST:
            raise InputError("no manifest: it is larger than 64 MiB", where=where)
        raw = self._get(month.manifest)["Body"].read()
        try:
            return listed(raw)
        except ValueError as error:
            raise InputError(f"no manifest: {error}", where=where) from None

    def _lacking(self, month: Month, names: Sequence[str]) -> Exception:
        """Why files that the manifest lists are not there: they are on their way, which takes
        minutes, or gone."""
        there = [one for files in month.runs.values() for one in files]
        last = max(one.modified for one in (*there, *filter(None, [month.manifest])))
        if self.now - last <= SETTLED:
            return Changed("its manifest lists files that are not there yet")
        what = f"its manifest lists {counted(len(names), 'file')} not there, such as {names[0]}"
        return InputError(what, where=month.where)

    def _get(self, stored: Stored) -> Any:
        try:
            return self._client.get_object(Bucket=self.name, Key=stored.key, IfMatch=stored.etag)
        except ClientError as error:
            if error.response["Error"]["Code"] in ("PreconditionFailed", "412", "NoSuchKey"):
                raise Changed(f"{stored.key.rsplit('/', 1)[-1]} was overwritten") from None
            raise


def _clock(answer: Any) -> datetime:
    """The server's time: its LastModified and our clock need not agree."""
    told = answer["ResponseMetadata"]["HTTPHeaders"].get("date")
    return parsedate_to_datetime(told).astimezone(UTC) if told else datetime.now(UTC)
