"""Prices and shapes of the smaller providers, from eu-cloud-prices and a SkyPilot excerpt.

The lists are partly typed by hand and were gathered for a comparison of clouds, so each provider's
own way of billing is told here, and what is no machine type of its own is left out:

- Hetzner's list shows what its page shows in Germany: with 19 % VAT and an IPv4 address (0.50 a
  month). Both are taken off; what remains ends in .49 or .99, as Hetzner's net prices do, and a row
  that does not is refused. A machine never costs more than its month: an hour costs 1/730 of it.
- UpCloud bills 672 hours of a month at the most: likewise.
- IONOS, gridscale and others sell freely composed machines: the sizes in the list are not types.
- netcup, Contabo and others sell months or years.
- Nebius sells CPU machines by vCPU and GiB: its own presets are composed from its own rates.

Whether vCPUs are shared stands in x_SharedCPU: as the list or the provider's documentation has it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pandas as pd
from snapshot_prices import COLUMNS, Refused

from costopt.model import Shape
from costopt.units import GIB, HOURS_PER_MONTH

Row = Mapping[str, Any]
Shapes = Mapping[str, Mapping[str, Shape]]
Verdict = str | None  # why a row is refused

_CARRIED: Final = "as carried by eu-cloud-prices"
_HETZNER_VAT: Final = 1.19
_HETZNER_IPV4: Final = 0.50
_ARMS: Final = {"x86": "x86_64", "arm64": "arm64"}
# NVIDIA data sheets: cards that come with one memory size only.
_CARD_GIB: Final = {"H100": 80.0, "A30": 24.0, "A2": 16.0, "T4": 16.0, "V100S": 32.0}


def _kept(row: Row) -> Verdict:
    return None


def _unknown(row: Row) -> bool | None:
    return None


def _per_hour(row: Row) -> float:
    return float(row["price_hourly"])


def _per_month(row: Row) -> float:
    return float(row["price_monthly"]) / HOURS_PER_MONTH


@dataclass(frozen=True)
class Provider:
    """How one provider's rows are read."""

    file: str
    name: str
    source: str
    regions: tuple[str, ...]
    family: str  # pattern of a type's name: its first group
    hourly: Callable[[Row], float] = _per_hour
    refused: Callable[[Row], Verdict] = _kept
    shared: Callable[[Row], bool | None] = _unknown
    type_of: Callable[[Row], str] = field(default=lambda row: str(row["id"]))
    local_disk: bool = False


# -- one provider each -----------------------------------------------------------------------


def _hetzner_net(row: Row) -> float:
    return round(round(row["price_monthly"] / _HETZNER_VAT, 2) - _HETZNER_IPV4, 2)


def _hetzner_refused(row: Row) -> Verdict:
    if re.fullmatch(r"cpx\d1", row["id"]):
        return "price of the US locations (the list says Europe)"
    if f"{_hetzner_net(row):.2f}"[-2:] not in ("49", "99"):
        return "not a net price with VAT and an IPv4 address added"
    return None


def _ovh_refused(row: Row) -> Verdict:
    return "bare metal" if row["category"] == "metal" else None


# Scaleway's documentation (Cost-Optimized and Learning are shared, Production- and
# Workload-Optimized dedicated; 2025-04-18). It does not name the newer ranges.
_SCALEWAY_SHARED: Final = ("DEV1", "GP1", "PLAY2", "PRO2", "STARDUST1")


def _scaleway_shared(row: Row) -> bool | None:
    series = row["id"].partition("-")[0]
    return True if series in _SCALEWAY_SHARED else False if series == "POP2" else None


def _scaleway_refused(row: Row) -> Verdict:
    if row["id"].endswith("-WIN"):
        return "Windows"
    if row["range"] in ("START1", "X64"):
        return "no longer sold"
    if row["category"] == "gpu":
        return "GPU not named"
    return "limited in number" if row["id"].startswith("STARDUST1") else None


def _upcloud_plan(row: Row) -> str:
    """The plan's name in UpCloud's API: CLOUDNATIVE-2xCPU-4GB."""
    series, dash, size = str(row["id"]).partition("-")
    return f"{series.upper()}{dash}{size}"


def _upcloud_refused(row: Row) -> Verdict:
    return "limited in number" if "max 5" in row.get("notes", "") else None


def _stackit_refused(row: Row) -> Verdict:
    if row["category"] == "gpu":
        return "GPU not named"
    return "part of a load balancer" if "amphora" in row["id"] else None


def _civo_refused(row: Row) -> Verdict:
    return "GPU machines, of which the list does not say where" if "gpu_model" in row else None


def _leafcloud_refused(row: Row) -> Verdict:
    model = _gpu(row)[0]
    return "card of unknown memory" if model and model not in _CARD_GIB else None


_MANUAL: Final = f"{_CARRIED}, typed by hand"
PROVIDERS: Final = (
    Provider(
        "hetzner", "Hetzner", f"hetzner.com/cloud, {_MANUAL}; without VAT and IPv4",
        ("fsn1", "nbg1", "hel1"), r"([a-z]+)",
        hourly=lambda row: _hetzner_net(row) / HOURS_PER_MONTH, refused=_hetzner_refused,
        shared=lambda row: row["category"] == "shared", local_disk=True,
    ),
    Provider(
        "ovh", "OVHcloud", f"OVHcloud public catalogue (DE), {_CARRIED}",
        ("gra", "sbg", "de", "waw"), r"([a-z]+\d(?:-le)?)", refused=_ovh_refused,
        shared=lambda row: True if row["category"] == "burstable" else None, local_disk=True,
    ),
    Provider(
        "scaleway", "Scaleway", f"Scaleway product catalogue, {_CARRIED}",
        ("fr-par",), r"(.+?)(?:-[AX]?\d+C-\d+G|-[A-Z]+|-\d+)$",
        refused=_scaleway_refused, shared=_scaleway_shared,
    ),
    Provider(
        "upcloud", "UpCloud", f"upcloud.com/pricing, {_MANUAL}",
        ("de-fra1", "es-mad1", "fi-hel1", "nl-ams1", "pl-waw1"), r"([A-Z]+)-",
        hourly=_per_month, refused=_upcloud_refused,
        type_of=_upcloud_plan,
    ),
    Provider(
        "exoscale", "Exoscale", f"exoscale.com/pricing, {_MANUAL}",
        ("at-vie-1", "bg-sof-1", "ch-dk-2", "ch-gva-2", "de-fra-1", "de-muc-1"), r"([a-z]+)\.",
    ),
    Provider(
        "stackit", "STACKIT", f"STACKIT price list 1.0.38, {_MANUAL}",
        ("eu01",), r"([a-z]\d[a-z]?)", refused=_stackit_refused,
        shared=lambda row: bool(row["overprovisioned"]),
    ),
    Provider(
        "infomaniak", "Infomaniak", f"infomaniak.com public cloud prices, {_MANUAL}",
        ("ch-gva",), r"((?:nv\w+-)?a)\d",
    ),
    Provider(
        "civo", "Civo", f"civo.com/pricing, {_MANUAL}",
        ("fra1", "lon1", "nyc1", "phx1"), r"(g4[a-z])", refused=_civo_refused,
    ),
    Provider(
        "leafcloud", "Leafcloud", f"leaf.cloud/pricing, {_MANUAL}",
        ("nl-ams",), r"([a-z]+\d(?:\.[a-z]\d+(?=x))?)", refused=_leafcloud_refused,
    ),
)  # fmt: skip

NOT_TYPES: Final = {
    "ionos": "sizes composed for the list, no types of the provider",
    "gridscale": "sizes composed for the list, no types of the provider",
    "netcup": "contract of a month or more",
    "contabo": "contract of a month or more",
    "gcore": "two price lists mixed (larger types of a series cost less than smaller ones)",
}
"""Files that were looked at and are not read, and why."""


# -- reading ---------------------------------------------------------------------------------


def read(data: Path, refused: Refused) -> tuple[list[Shape], pd.DataFrame]:
    """Shapes, and prices (COLUMNS), of every provider."""
    shapes: list[Shape] = []
    tables = []
    for provider in PROVIDERS:
        content = _content(data, provider.file)
        rows = [*content["instances"], *content.get("gpu_instances", ())]
        table = _table(provider, rows, content["fetched_at"][:10])
        for reason, group in table[table.reason.notna()].groupby("reason"):
            refused.add(group, str(reason))
        table = _in_line(table[table.reason.isna()], refused)
        by_type = {provider.type_of(row): row for row in rows}
        shapes += [_shape(provider, name, by_type[name]) for name in table.type]
        tables.append(_everywhere(table, provider.regions))
    for file, reason in NOT_TYPES.items():
        content = _content(data, file)
        left = _table(
            Provider(file, file.capitalize(), "", ("",), "(.*)"),
            [row for row in content["instances"] if row.get("price_hourly")],
            content["fetched_at"][:10],
        )
        refused.add(left, reason)
    found, prices = nebius(data)
    return [*shapes, *found], pd.concat([*tables, prices])


def _content(data: Path, file: str) -> dict[str, Any]:
    path = data / "prices" / "eu_cloud_prices" / "prices" / f"{file}.json"
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def _table(provider: Provider, rows: list[dict[str, Any]], day: str) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "provider": provider.name,
                "region": provider.regions[0],
                "type": provider.type_of(row),
                "category": "Standard",
                "price": provider.hourly(row),
                "currency": row["currency"],
                "date": day,
                "source": provider.source,
                "reason": provider.refused(row),
                "family": _family(provider, provider.type_of(row)),
                "vcpus": row["vcpu"],
                "memory": row["ram_gb"],
            }
            for row in rows
        ]
    )


def _in_line(rows: pd.DataFrame, refused: Refused) -> pd.DataFrame:
    """Without what is plainly mistyped: Leafcloud's families keep one price per vCPU, and a type
    that does not has another number of vCPUs or another price in the list than its siblings."""
    rate = rows.price / rows.vcpus
    usual = rate.groupby(rows.family).transform("median")
    same = (rate / usual - 1).abs() < 0.02
    linear = same.groupby(rows.family).transform("mean") > 0.5
    odd = linear & ~same & (rows.provider == "Leafcloud")
    refused.add(rows[odd], "off its family's price per vCPU (another ratio, or mistyped)")
    return rows[~odd]


def _everywhere(rows: pd.DataFrame, regions: tuple[str, ...]) -> pd.DataFrame:
    return pd.concat([rows.assign(region=region) for region in regions])[COLUMNS]


def _shape(provider: Provider, name: str, row: Row) -> Shape:
    architecture = _ARMS[row["architecture"]]
    model, count = _gpu(row)
    return Shape(
        provider_name=provider.name,
        instance_type=name,
        vcpus=float(row["vcpu"]),
        memory_gib=float(row["ram_gb"]),
        # None of these Arm processors (Ampere Altra) runs two threads on a core.
        physical_cores=float(row["vcpu"]) if architecture == "arm64" else None,
        architecture=architecture,
        gpu_model=model,
        gpu_count=count,
        gpu_memory_gib=_CARD_GIB[model] if model else None,
        local_disk_gib=round(row["disk_gb"] * 10**9 / GIB, 1) if provider.local_disk else 0.0,
        family=_family(provider, name),
        current_generation=True,
        shared_cpu=provider.shared(row),
    )


def _family(provider: Provider, name: str) -> str:
    found = re.match(provider.family, name)
    return found[1] if found else name


def _gpu(row: Row) -> tuple[str | None, int]:
    text = row.get("gpu_model") or row.get("gpu_type")
    if not text:
        return None, 0
    model = re.sub(r"^(NVIDIA|Tesla) ", "", text).partition(" ")[0]
    return model, int(row.get("gpu_count") or row.get("gpu") or 0)


# -- Nebius ----------------------------------------------------------------------------------


_NEBIUS_CPU: Final = {"intel": "cpu-e2", "amd": "cpu-d3"}
_NEBIUS_SOURCE: Final = f"docs.nebius.com, compute pricing, {_MANUAL}"


def nebius(data: Path) -> tuple[list[Shape], pd.DataFrame]:
    """CPU presets at Nebius's rates per vCPU and GiB, named as its API names them."""
    content = _content(data, "nebius")
    shapes: list[Shape] = []
    rows = []
    for row in content["instances"]:
        maker, _, _ = row["id"].partition("-")
        platform = _NEBIUS_CPU[maker]
        name = f"{platform}_{row['vcpu']}vcpu-{row['ram_gb']:g}gb"
        shapes.append(
            Shape(
                "Nebius", name, float(row["vcpu"]), float(row["ram_gb"]),
                architecture="x86_64", family=platform, current_generation=True,
            )
        )  # fmt: skip
        rows.append(
            ["Nebius", row["location"], name, "Standard", row["price_usd_hourly"], "USD",
             content["fetched_at"][:10], _NEBIUS_SOURCE]
        )  # fmt: skip
    return shapes, pd.DataFrame([*rows, *_nebius_gpus(data, content)], columns=COLUMNS)


def _nebius_gpus(data: Path, content: dict[str, Any]) -> Iterator[list[Any]]:
    """The excerpt's GPU presets at the rates of a card that hold for whole machines since October
    2025, wherever the card is sold."""
    # A card's first platform is the excerpt's; B200 has another in me-west1.
    cards = {gpu["name"].split()[1]: gpu for gpu in reversed(content["gpu_pricing"]["gpus"])}
    table = pd.read_csv(data / "prices" / "skypilot_v8_gpu_excerpt.csv")
    for row in table[table.provider == "nebius"].itertuples():
        card = cards.get(row.gpu)
        if card is None or row.gpu == "L40S":  # billed with its vCPUs and memory beside it
            continue
        for category, field_name in (
            ("Standard", "price_per_gpu_hour_usd"),
            ("Dynamic", "preemptible_price_per_gpu_hour_usd"),
        ):
            for region in card["location"].split(", "):
                yield [
                    "Nebius", region, row.instance_type, category,
                    round(card[field_name] * row.gpu_count, 6), "USD",
                    content["fetched_at"][:10], _NEBIUS_SOURCE,
                ]  # fmt: skip
