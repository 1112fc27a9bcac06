"""Cost Management exports in a container of blobs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

from azure.core import MatchConditions
from azure.core.exceptions import ResourceModifiedError, ResourceNotFoundError

from costopt.errors import InputError
from costopt.providers.azure.access import FAILURES, Access, said
from costopt.providers.bills.places import Changed, Stored


class Container:
    """What lies below a prefix of a container."""

    def __init__(self, access: Access, address: str) -> None:
        self.address = address.rstrip("/")
        self._client, self._prefix = access.blobs(self.address)
        parts = urlsplit(self.address)
        whole = unquote(parts.path).strip("/") + "/"
        self._root = f"{parts.scheme}://{parts.netloc}/{whole.removesuffix(self._prefix)}"

    def objects(self) -> Iterator[Stored]:
        """Everything there is; storage with folders lists each of them as an empty blob.

        Raises:
            one of FAILURES: the container does not say.
        """
        for blob in self._client.list_blobs(name_starts_with=self._prefix or None):
            if blob.size:
                name = blob.name.removeprefix(self._prefix)
                yield Stored(name, blob.etag.strip('"'), blob.size, blob.last_modified)

    def fetch(self, stored: Stored, target: Path) -> Path:
        """The blob's bytes, if it is still what the listing saw."""
        try:
            found = self._client.download_blob(
                self._prefix + stored.name,
                etag=f'"{stored.tag}"',
                match_condition=MatchConditions.IfNotModified,
            )
            with target.open("wb") as file:
                found.readinto(file)
        except (ResourceModifiedError, ResourceNotFoundError):
            raise Changed(f"{stored.name} was overwritten") from None
        except FAILURES as error:
            raise InputError(said(error), where=self.where(stored)) from None
        return target

    def where(self, stored: Stored) -> str:
        """The blob's address; it has no signature."""
        return f"{self._root}{self._prefix}{stored.name}"
