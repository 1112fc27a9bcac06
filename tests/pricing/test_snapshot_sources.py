"""How `scripts/build_snapshot.py` cleans its sources, on small lists with one defect each."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest

from costopt.model import Shape
from costopt.pricing import builtin

ROOT = Path(__file__).parents[2]
DATA = ROOT.joinpath("../shared/data")
SIZES = {"large": 2, "xlarge": 4, "2xlarge": 8, "4xlarge": 16, "8xlarge": 32}


@pytest.fixture(scope="module")
def sources() -> Iterator[ModuleType]:
    sys.path.insert(0, str(ROOT / "scripts"))
    try:
        import snapshot_prices  # type: ignore[import-not-found]

        yield snapshot_prices
    finally:
        sys.path.remove(str(ROOT / "scripts"))


def frame(provider: str, rows: list[tuple[str, str, float]], **more: Any) -> pd.DataFrame:
    """Rows of (region, type, price) as the sources give them."""
    table = pd.DataFrame(rows, columns=["region", "type", "price"])
    family = table.type.map(lambda name: name.partition(".")[0])
    return table.assign(
        provider=provider, category="Standard", currency="USD", date="2024-08-09", source="list",
        family=family, **more,
    )  # fmt: skip


M5 = {
    f"m5.{size}": Shape("AWS", f"m5.{size}", n, 4.0 * n, family="m5") for size, n in SIZES.items()
}
NOW = frame("AWS", [("us-east-1", name, 0.048 * s.vcpus) for name, s in M5.items()]).assign(
    date="2026-07-20"
)


def aws_2024(
    sources: ModuleType, rows: list[tuple[str, str, float]]
) -> tuple[dict[str, float], dict[str, int]]:
    """Type -> price kept in eu-west-1, and how many were refused by reason."""
    refused = sources.Refused()
    kept = sources._aws_2024(frame("AWS", rows), NOW, M5, refused)
    counts = pd.concat(refused.rows).groupby("reason").size().to_dict() if refused.rows else {}
    return dict(zip(kept.type, kept.price, strict=True)), counts


def test_dedicated_tenancy_is_replaced_by_the_familys_rate(sources: ModuleType) -> None:
    rate = 0.0535
    rows = [
        ("eu-west-1", name, shape.vcpus * rate * (1.06 if "2x" in name else 1.0))
        for name, shape in M5.items()
    ]
    kept, refused = aws_2024(sources, rows)
    assert kept == pytest.approx({name: shape.vcpus * rate for name, shape in M5.items()})
    assert refused == {"at the price of a dedicated tenancy": 1}


def test_two_types_at_one_rate_cannot_tell_which_tenancy(sources: ModuleType) -> None:
    rows = [("eu-west-1", "m5.large", 0.1134), ("eu-west-1", "m5.xlarge", 0.2268)]
    kept, refused = aws_2024(sources, rows)
    assert kept == {}
    assert refused == {
        "families too small to tell a dedicated tenancy from a shared one": 2,
    }


def test_two_types_at_two_rates_can(sources: ModuleType) -> None:
    kept, _ = aws_2024(
        sources, [("eu-west-1", "m5.large", 0.107), ("eu-west-1", "m5.xlarge", 0.2268)]
    )
    assert kept == pytest.approx({"m5.large": 0.107, "m5.xlarge": 0.214})


def test_what_fits_neither_tenancy_is_refused(sources: ModuleType) -> None:
    rows = [
        ("eu-west-1", name, s.vcpus * 0.0535 * (1.4 if "8x" in name else 1))
        for name, s in M5.items()
    ]
    kept, refused = aws_2024(sources, rows)
    assert "m5.8xlarge" not in kept
    assert refused == {"out of line with their family": 1}


def test_prices_of_types_repriced_since_are_refused(sources: ModuleType) -> None:
    rows = [
        (region, name, shape.vcpus * 0.048 * (1.5 if name == "m5.large" else 1))
        for name, shape in M5.items()
        for region in ("us-east-1", "eu-west-1")
    ]
    refused = sources.Refused()
    kept = sources._aws_2024(frame("AWS", rows), NOW, M5, refused)
    assert "m5.large" not in set(kept.type)
    assert set(pd.concat(refused.rows).reason) >= {"prices of 2024 of types repriced since"}


def azure(rows: list[tuple[str, str, float]]) -> pd.DataFrame:
    return frame("Azure", rows).assign(family="Dasv5", date="2026-06-18")


def test_windows_prices_of_the_amd_series_become_linux(sources: ModuleType) -> None:
    sizes = (2, 4, 8, 16, 32)
    rows = [("eastus", f"Standard_D{n}as_v5", n * (0.089 if n != 8 else 0.043)) for n in sizes]
    refused = sources.Refused()
    kept = sources._azure_now(azure(rows), refused)
    assert dict(zip(kept.type, kept.price, strict=True)) == pytest.approx(
        {f"Standard_D{n}as_v5": n * 0.043 for n in sizes}
    )
    assert len(refused.rows[0]) == 4


def test_a_real_difference_within_a_series_stays(sources: ModuleType) -> None:
    """Central India discounts whole sizes, not those with idle vCPUs: that is no licence."""
    rows = [
        ("centralindia", "Standard_E16as_v5", 0.635),
        ("centralindia", "Standard_E16-4as_v5", 1.04),
    ]
    refused = sources.Refused()
    kept = sources._azure_now(azure(rows), refused)
    assert sorted(kept.price) == [0.635, 1.04]
    assert refused.rows == []


def test_a_family_at_half_of_what_its_like_costs_is_far_below(sources: ModuleType) -> None:
    """Everything else there costs 1.2 times what it does at home; some of that is real spread."""
    home = {f"Standard_D{n}s_v{k}": 0.05 * n for n in (2, 4, 8) for k in (2, 3, 4, 5, 6)}
    over = {2: 0.8, 3: 1.2, 4: 1.3, 5: 0.63, 6: 1.2}
    rows = [("usgovvirginia", name, price * over[int(name[-1])]) for name, price in home.items()]
    table = frame("Azure", rows)
    table = table.assign(family=table.type.str[-2:])
    found = table[sources._far_below(table, home)]
    assert set(found.type) == {"Standard_D2s_v5", "Standard_D4s_v5", "Standard_D8s_v5"}


def test_zero_and_unknown_types_are_refused_with_examples(sources: ModuleType) -> None:
    refused = sources.Refused()
    rows = frame("AWS", [("r", "m5.large", 0.0), ("r", "c5", 4.514), ("r", "m5.xlarge", 0.2),
                         ("r", "m5.2xlarge", float("nan"))])  # fmt: skip
    kept = sources._known(rows, {"AWS": M5}, refused)
    assert list(kept.type) == ["m5.xlarge"]
    lines = list(refused.summary())
    assert any("2 not above zero" in line for line in lines)
    assert any("c5 in r at 4.514" in line for line in lines)


def test_the_committed_files_are_what_the_script_makes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    sources: ModuleType,
) -> None:  # fmt: skip
    if not (DATA / "prices").exists():
        pytest.skip("needs ../shared/data/prices")
    import build_snapshot  # type: ignore[import-not-found]

    monkeypatch.setattr(
        sys, "argv", ["build_snapshot.py", "--data", str(DATA), "--out", str(tmp_path)]
    )
    build_snapshot.main()
    made, committed = (
        {path.name: pq.read_table(path) for path in folder.glob("*.[ps][rh]*.parquet")}
        for folder in (tmp_path, builtin.FOLDER)
    )
    assert made.keys() == committed.keys()
    assert all(made[name].equals(committed[name]) for name in made)
    told = capsys.readouterr().out
    for reason in ("dedicated tenancy", "Windows price", "not above zero", "out-of-region"):
        assert reason in told


def test_mended_prices_agree_with_the_providers_own_feed(sources: ModuleType) -> None:
    """Frankfurt, from the list of 2024 alone, against AWS's feed of 2026."""
    if not (DATA / "prices").exists():
        pytest.skip("needs ../shared/data/prices")
    import build_snapshot  # type: ignore[import-not-found]

    shapes = build_snapshot._shapes(DATA, [])
    refused = sources.Refused()
    recent = sources._known(sources._recent(DATA), shapes, refused)
    now = sources._aws_now(recent[recent.provider == "AWS"], shapes["AWS"], refused)
    old = sources._known(sources._coroot(DATA), shapes, refused)
    kept = sources._aws_2024(
        old[old.provider == "AWS"], now[now.region != "eu-central-1"], shapes["AWS"], refused
    )
    here = kept[(kept.region == "eu-central-1") & (kept.category == "Standard")].set_index("type")
    feed = now[now.region == "eu-central-1"].set_index("type").price
    times = (here.price / feed).dropna()
    mended = here.source[times.index].str.contains(sources.RATE_NOTE)
    assert len(times) > 200
    assert mended.sum() > 60
    assert ((times - 1).abs() < 0.003).all()
