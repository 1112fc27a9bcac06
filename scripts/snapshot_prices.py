"""Prices for the built-in snapshot: read each source, keep what is a Linux list price, say why not.

A source's known defects are cleaned here, before the general gate (costopt.pricing.sanity):

- the 2024 AWS list gives, for two types in five, the price on a *dedicated* tenancy (6 to 13 %
  above), and an hourly *host* under a family's bare name;
- both Azure lists give, for some types, the Windows price (0.046 USD a vCPU-hour more), and prices
  of hosts and promotions; the 2026 list holds zeros;
- four AWS GPU and high-memory types were repriced after 2024.

Sizes of one family keep one rate in one region (to the cent, on both clouds), so the wrong rows
stand out, and the right price of such a type follows from its siblings: it is filled in, and says
so in x_Source.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from costopt.model import Shape
from costopt.pricing import azure_sizes

COLUMNS: Final = ["provider", "region", "type", "category", "price", "currency", "date", "source"]

_SOURCES: Final = {
    "aws": "AWS price list, as carried by karpenter-provider-aws",
    "azure": "Azure Retail Prices, as carried by karpenter-provider-azure",
    "gcp": "Google Cloud price list, as carried by karpenter-provider-gcp",
}
_COROOT: Final = "coroot cloud-pricing"
_COROOT_DATE: Final = "2024-08-09"
# The excerpt names commits, not days; version 8 of that catalogue began in this month.
_GPU_CLOUD_DATE: Final = "2025-09-01"
_NAMES: Final = {"aws": "AWS", "azure": "Azure", "gcp": "GCP"}
RATE_NOTE: Final = "; rate of its family in the region"

_SAME: Final = 0.004  # relative, and
_ROUNDING: Final = 0.0006  # absolute, per hour: equal but for the list's last digit
_FIRM: Final = 0.05
_DEDICATED: Final = (1.045, 1.135)  # dedicated over shared tenancy, as us-east-1 shows
_CHANGED: Final = 1.15
_WINDOWS_PER_VCPU: Final = (0.044, 0.048)  # USD an hour more than Linux, in every region
_WINDOWS: Final = (1.15, 2.8)  # Windows over Linux, cheapest series to dearest
_FAR_BELOW: Final = 0.6  # of what the other families cost in a region, against the home region


class Refused:
    """Rows that were not taken, counted by reason, with examples."""

    def __init__(self) -> None:
        self.rows: list[pd.DataFrame] = []

    def add(self, rows: pd.DataFrame, reason: str) -> None:
        """Note these rows under that reason."""
        if len(rows):
            self.rows.append(rows.reindex(columns=COLUMNS).assign(reason=reason))

    def summary(self) -> Iterable[str]:
        """One line per provider and reason: count and three examples."""
        if not self.rows:
            return
        table = pd.concat(self.rows)
        for (provider, reason), group in table.groupby(["provider", "reason"]):
            shown = group.sort_values(["type", "region"]).iloc[:: max(1, len(group) // 3)][:3]
            examples = "; ".join(
                f"{row.type} in {row.region} at {row.price:g}" for row in shown.itertuples()
            )
            yield f"{provider}: {len(group)} {reason}: {examples}"


def collect(
    data: Path,
    shapes: Mapping[str, Mapping[str, Shape]],
    others: pd.DataFrame,
    refused: Refused,
) -> pd.DataFrame:
    """Every usable price, the newest of each provider, region, type, category and currency.

    Args:
        data: the folder that holds prices/ and instance_specs/.
        shapes: provider name -> type -> shape; rows of other types are refused.
        others: the smaller providers' rows (COLUMNS), read and cleaned (see snapshot_others).
    """
    recent = _known(_recent(data), shapes, refused)
    old = _known(_coroot(data), shapes, refused)
    aws_now = _aws_now(recent[recent.provider == "AWS"], shapes["AWS"], refused)
    azure_now = _azure_now(recent[recent.provider == "Azure"], refused)
    parts = [
        recent[~recent.provider.isin(["AWS", "Azure"])],
        others,
        aws_now,
        azure_now,
        _aws_2024(old[old.provider == "AWS"], aws_now, shapes["AWS"], refused),
        _azure_2024(old[old.provider == "Azure"], azure_now, refused),
    ]
    newest_first = pd.concat(parts).sort_values("date", ascending=False, kind="stable")
    return newest_first.drop_duplicates(["provider", "region", "type", "category", "currency"])


def _known(
    rows: pd.DataFrame, shapes: Mapping[str, Mapping[str, Shape]], refused: Refused
) -> pd.DataFrame:
    """Rows above zero, of a type whose shape is known; with its family and vCPUs."""
    refused.add(rows[~(rows.price > 0)], "not above zero")
    rows = rows[rows.price > 0]
    found = [shapes[p].get(t) for p, t in zip(rows.provider, rows.type, strict=True)]
    known = np.array([shape is not None for shape in found], dtype=bool)
    refused.add(rows[~known], "no machine type (hosts, promotions, retired types)")
    families = [shape.family for shape in found if shape]
    return rows[known].assign(family=families)


# -- sources ---------------------------------------------------------------------------------


def _recent(data: Path) -> pd.DataFrame:
    table = pd.read_csv(data / "prices" / "karpenter_vm_prices_2026.csv.gz")
    rows = pd.DataFrame(
        {
            "provider": table.provider.map(_NAMES),
            "region": table.region,
            "type": table.instance_type,
            "category": table.purchase.map({"on_demand": "Standard", "spot": "Dynamic"}),
            "price": table.usd_hour,
            "currency": np.where(table.region.str.startswith("cn-"), "CNY", "USD"),
            "date": table.as_of.str[:10],
            "source": table.provider.map(_SOURCES),
        }
    )
    return pd.concat([rows, _frankfurt(data), _gpu_clouds(data)])


def _frankfurt(data: Path) -> pd.DataFrame:
    """AWS eu-central-1, in USD as AWS's own price feed has it."""
    path = data / "prices" / "eu_cloud_prices" / "prices" / "aws.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    table = pd.DataFrame(content["instances"])
    return pd.DataFrame(
        {
            "provider": "AWS",
            "region": table.location,
            "type": table.id,
            "category": "Standard",
            "price": table.price_usd_hourly,
            "currency": "USD",
            "date": content["fetched_at"][:10],
            "source": "AWS price feed, as carried by eu-cloud-prices",
        }
    )


def gpu_cloud_table(data: Path) -> pd.DataFrame:
    """The excerpt of SkyPilot's catalogue: GPU machines of Nebius and Lambda."""
    table = pd.read_csv(data / "prices" / "skypilot_v8_gpu_excerpt.csv")
    return table.assign(provider=table.provider.str.capitalize())


def _gpu_clouds(data: Path) -> pd.DataFrame:
    table = gpu_cloud_table(data)
    common = pd.DataFrame(
        {
            "provider": table.provider,
            "region": table.region,
            "type": table.instance_type,
            "currency": "USD",
            "date": _GPU_CLOUD_DATE,
            "source": "skypilot-catalog v8, commit " + table.source_commit.astype(str),
        }
    )
    spot = common.assign(category="Dynamic", price=table.spot_usd_hour)
    return pd.concat(
        [common.assign(category="Standard", price=table.usd_hour), spot[spot.price.notna()]]
    )


def _coroot(data: Path) -> pd.DataFrame:
    table = pd.read_csv(data / "prices" / "coroot_2024-08-09_ondemand_spot.csv.gz")
    common = pd.DataFrame(
        {
            "provider": table.provider.map(_NAMES),
            "region": table.region,
            "type": table.instance_type,
            "currency": "USD",
            "date": _COROOT_DATE,
            "source": _COROOT,
        }
    )
    spot = common.assign(category="Dynamic", price=table.spot_usd_hour)
    return pd.concat(
        [
            common.assign(category="Standard", price=table.on_demand_usd_hour),
            spot[spot.price.notna()],
        ]
    )


# -- cleaning --------------------------------------------------------------------------------


def _rates(rows: pd.DataFrame) -> pd.DataFrame:
    """Each row's rate (price per `weight`) beside its family's lowest in the region.

    Adds rate, lowest, over (rate / lowest; exactly 1 where only rounding lies between), and of the
    family's rows there: members, agreeing (at the lowest rate) and dearer.
    """
    rows = rows.assign(rate=rows.price / rows.weight)
    family = [rows.region, rows.family]
    # Lists round to a hundredth of a cent or less: the cheapest sizes say least about the rate.
    firm = rows.rate.where(rows.price >= _FIRM).groupby(family).transform("min")
    rows["lowest"] = firm.fillna(rows.rate.groupby(family).transform("min"))
    over = rows.rate / rows.lowest
    rounding = (rows.price - rows.lowest * rows.weight).abs() <= _ROUNDING
    rows["over"] = over.where(~(rounding | ((over - 1).abs() < _SAME)), 1.0)
    rows["members"] = rows.rate.groupby(family).transform("size")
    rows["agreeing"] = (rows.over == 1).groupby(family).transform("sum")
    rows["dearer"] = (rows.over > 1).groupby(family).transform("sum")
    return rows


def _fill(rows: pd.DataFrame, digits: int) -> pd.DataFrame:
    """These rows at their family's lowest rate instead of their own."""
    price = (rows.lowest * rows.weight).round(digits)
    return rows.assign(price=price, source=rows.source + RATE_NOTE)


def _aws_weights(rows: pd.DataFrame, now: pd.DataFrame, shapes: Mapping[str, Shape]) -> pd.Series:
    """The type's price in us-east-1; a metal type weighs what its largest sibling does."""
    here = now[(now.region == "us-east-1") & (now.category == "Standard")]
    price = dict(zip(here.type, here.price, strict=True))
    of_size = {
        (shapes[t].family, shapes[t].vcpus): p for t, p in price.items() if ".metal" not in t
    }

    def weight(name: str) -> float:
        if ".metal" not in name:
            return price.get(name, np.nan)
        family = (shapes[name].family or "").removesuffix("-metal")
        return of_size.get((family, shapes[name].vcpus), np.nan)

    return rows.type.map(weight)


def _aws_now(rows: pd.DataFrame, shapes: Mapping[str, Shape], refused: Refused) -> pd.DataFrame:
    """The lists of 2026, their metal types at the rate of the family."""
    rows = rows.assign(weight=_aws_weights(rows, rows, shapes))
    metal = rows.type.str.contains(".metal", regex=False) & rows.weight.notna()
    home = rows[metal & (rows.region == "us-east-1")]
    wrong = home[(home.price / home.weight - 1).abs() > _SAME]
    refused.add(wrong, "metal types at the price of a dedicated tenancy")
    mended = wrong.assign(price=wrong.weight, source=wrong.source + RATE_NOTE)
    return pd.concat([rows.drop(wrong.index), mended])[[*COLUMNS, "family"]]


def _aws_2024(
    rows: pd.DataFrame, now: pd.DataFrame, shapes: Mapping[str, Shape], refused: Refused
) -> pd.DataFrame:
    complete = now[now.currency == "USD"].groupby("region").size().loc[lambda n: n > 500].index
    spot = rows[rows.category == "Dynamic"]
    rows = rows[rows.category == "Standard"]
    rows = rows.assign(
        weight=_aws_weights(rows, now, shapes), family=rows.family.str.removesuffix("-metal")
    )
    refused.add(rows[rows.weight.isna()], "types no longer in the list of us-east-1")
    rows = _rates(rows[rows.weight.notna()])
    home = rows[rows.region == "us-east-1"].set_index("type").rate
    changed = rows.type.map(home) > _CHANGED
    refused.add(rows[changed], "prices of 2024 of types repriced since")
    rows = rows[~changed & ~rows.region.isin(complete)]

    # A family shows its shared rate when it has four members or more, or both rates: of the
    # families that us-east-1, eu-central-1 and the two US-government regions can confirm, all do.
    shows_both = (rows.agreeing > 0) & (rows.dearer > 0)
    sure = (rows.members >= 4) | shows_both
    refused.add(rows[~sure], "families too small to tell a dedicated tenancy from a shared one")
    rows = rows[sure]
    dedicated = rows.over.between(*_DEDICATED)
    odd = ~dedicated & (rows.over != 1)
    refused.add(rows[odd], "out of line with their family")
    refused.add(rows[dedicated], "at the price of a dedicated tenancy")
    kept = pd.concat([rows[~dedicated & ~odd], _fill(rows[dedicated], 5)])
    return pd.concat([kept, _spot_below(spot, pd.concat([now, kept]), refused)])[COLUMNS]


def _spot_below(spot: pd.DataFrame, on_demand: pd.DataFrame, refused: Refused) -> pd.DataFrame:
    """Spot prices not above the on-demand price of the same type and region."""
    full = _price_of(on_demand)
    limit = np.array([full.get(key, np.inf) for key in zip(spot.region, spot.type, strict=True)])
    refused.add(spot[spot.price > limit], "spot prices above on-demand")
    return spot[spot.price <= limit]


def _price_of(rows: pd.DataFrame) -> dict[tuple[str, str], float]:
    rows = rows[(rows.category == "Standard") & (rows.currency == "USD")]
    return dict(zip(zip(rows.region, rows.type, strict=True), rows.price, strict=True))


def _azure_now(rows: pd.DataFrame, refused: Refused) -> pd.DataFrame:
    """The list of 2026; its AMD v5 series, where Windows prices stand among the others, mended."""
    rows = _rates(rows.assign(weight=rows.type.map(_amd_v5_vcpus)))
    windows = (rows.rate - rows.lowest).between(*_WINDOWS_PER_VCPU)
    refused.add(rows[windows], "at the Windows price")
    rows = pd.concat([rows[~windows], _fill(rows[windows], 4)])
    whole = _windows_families(rows)
    refused.add(rows[whole], "at the Windows price, with their whole family in the region")
    return rows[~whole][[*COLUMNS, "family"]]


def _amd_v5_vcpus(instance_type: str) -> float:
    """vCPUs of a D or E size on AMD v5 (before any are left idle); NaN for every other type."""
    name = azure_sizes.parse(instance_type)
    if name and name.letters in ("D", "E") and "a" in name.features and name.version == 5:
        return float(name.size)
    return np.nan


def _windows_families(rows: pd.DataFrame) -> pd.Series:
    """Whole families of those whose rate, less Windows, is what the others there let expect."""
    home = rows[rows.region == "eastus"].groupby("family").lowest.first()
    expected = rows.family.map(home)
    level = (rows.lowest / expected).groupby(rows.region).transform("median")
    dear = rows.lowest / (expected * level) > 1.5
    without = (rows.lowest - sum(_WINDOWS_PER_VCPU) / 2) / (expected * level)
    return dear & without.between(0.9, 1.1)


def _azure_2024(rows: pd.DataFrame, now: pd.DataFrame, refused: Refused) -> pd.DataFrame:
    """On-demand of the US-government regions, which the newer list lacks, and all spot."""
    government = rows[rows.region.str.startswith("usgov") & (rows.region != "usgoviowa")]
    home = _azure_home(now)
    government = _linux(government[government.category == "Standard"], home, refused)
    cheap = _far_below(government, home)
    refused.add(government[cheap], "at half of what the family's like costs in the region")
    government = government[~cheap]
    everywhere = pd.concat([now, government])
    full = _price_of(everywhere)
    spot = rows[rows.category == "Dynamic"]
    keys = zip(spot.region, spot.type, strict=True)
    spot = spot.assign(weight=[full.get(key, np.nan) for key in keys])
    refused.add(spot[spot.weight.isna()], "spot of a type or region without an on-demand price")
    spot = _rates(spot[spot.weight.notna()])
    linux = (spot.over < 1.1) & (spot.rate < 1)
    refused.add(spot[~linux], "spot at the Windows price")
    return pd.concat([government, spot[linux]])[COLUMNS]


def _far_below(rows: pd.DataFrame, home: Mapping[str, float]) -> pd.Series:
    """Families that cost far less against the home region than the others there do: in 2024 all
    sizes of Dv5 and Ev5, Linux and Windows, stood at exactly half of Dv4's and Ev4's price, which
    elsewhere is their own."""
    level = rows.price / rows.type.map(home)
    of_family = level.groupby([rows.region, rows.family]).transform("median")
    of_region = level.groupby(rows.region).transform("median")
    return of_family < _FAR_BELOW * of_region


def _azure_home(now: pd.DataFrame) -> dict[str, float]:
    here = now[now.region == "eastus"]
    return dict(zip(here.type, here.price, strict=True))


def _linux(rows: pd.DataFrame, home: Mapping[str, float], refused: Refused) -> pd.DataFrame:
    """Rows at the lowest rate of their family against the home region; Windows rows filled."""
    rows = rows.assign(weight=rows.type.map(home))
    refused.add(rows[rows.weight.isna()], "types not in the list of eastus")
    rows = _rates(rows[rows.weight.notna()])
    sure = (rows.agreeing >= 2) & (rows.members >= 4)
    windows = sure & rows.over.between(*_WINDOWS)
    odd = ~sure | (~windows & (rows.over >= 1 + 0.03))
    refused.add(rows[odd], "out of line with their family, or too few to tell Linux from Windows")
    refused.add(rows[windows & ~odd], "at the Windows price")
    return pd.concat([rows[~windows & ~odd], _fill(rows[windows & ~odd], 4)])
