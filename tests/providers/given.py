"""Files for the files provider, written for a test, and what it makes of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa

from costopt.providers.files import FilesProvider, FilesSettings


def write(path: Path, content: str | bytes) -> Path:
    """The file, with its folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def provider(
    mapping: str | None = None, folder: Path | None = None, **paths: Path
) -> FilesProvider:
    """The provider over those files, with a mapping given as YAML text."""
    if mapping is not None:
        assert folder is not None
        paths["mapping"] = write(folder / "map.yml", mapping)
    return FilesProvider(FilesSettings(**paths))


def samples(files: FilesProvider) -> list[dict[str, Any]]:
    """Every sample, ordered."""
    tables = list(files.metrics(None))
    rows = pa.concat_tables(tables).to_pylist() if tables else []
    return sorted(rows, key=lambda r: (r["ResourceId"], r["MetricName"], r["Timestamp"]))


def problems(files: FilesProvider, folder: Path) -> list[str]:
    """The problems as "where: what", paths below `folder` made short."""
    return [f"{p.where}: {p.what}".replace(f"{folder}/", "") for p in files.problems]
