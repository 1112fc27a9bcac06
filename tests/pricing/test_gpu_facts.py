"""GPUs: every model of the snapshot is in the table, or named here with the reason why not."""

from __future__ import annotations

import re

import pytest

from costopt.model import Shape
from costopt.pricing import facts
from costopt.pricing.catalogue import Catalogue
from costopt.pricing.equivalence import Facts

FACTS = Facts.load()

NOT_IN_THE_TABLE = {
    "U30": "a media accelerator: it encodes video, and has no figures of this kind",
    "Qualcomm AI100": "an inference card of which no source here gives dense 16-bit figures",
    "Virtex UltraScale+ (VU47P)": "an FPGA: it does what it is configured to do",
    "Radeon Pro V710": "no datasheet could be read",
}


def test_every_model_of_the_snapshot_is_there_or_excused() -> None:
    models = {shape.gpu_model for shape in Catalogue.load().shapes() if shape.gpu_model}
    assert models - set(NOT_IN_THE_TABLE) == {m for m in models if FACTS.gpu(m)}


def test_every_row_has_a_source_a_day_and_figures_of_a_card() -> None:
    for row in facts.rows("gpus"):
        assert row["source"], row
        assert re.fullmatch(r"20\d\d-\d\d-\d\d", row["read"]), row
        assert 8 <= float(row["memory_gib"]) <= 300, row
        figures = [float(row[f"{kind}_tflops"] or "nan") for kind in ("fp32", "fp16", "fp8")]
        # no card is slower at half the precision; NaN compares as neither
        assert not any(less < more for less, more in zip(figures[1:], figures[:-1], strict=True))
        assert row["bf16_tflops"] in {"", row["fp16_tflops"]}, row


@pytest.mark.parametrize(
    ("model", "memory", "bandwidth", "tensor", "tdp"),
    [  # from the makers' datasheets
        ("A100", 40, 1555, 312, 400),
        ("A100", 80, 1935, 312, 300),
        ("H100", 80, 3350, 989.4, 700),
        ("H100", 94, 3938, 835.5, 400),
        ("H200", 141, 4800, 989.4, 700),
        ("A30", 24, 933, 165, 165),
        ("A2", 16, 200, 18.13, 60),
        ("L4", 24, 300, 121, 72),
        ("L40S", 48, 864, 362.05, 350),
        ("T4", 16, 320, 65, 70),
        ("V100", 32, 900, 125, 300),
        ("MI300X", 192, 5300, 1307.4, 750),
    ],
)
def test_known_cards(
    model: str, memory: float, bandwidth: float, tensor: float, tdp: float
) -> None:
    card = FACTS.gpu(model, memory)
    assert card is not None
    assert (card.memory_gib, card.bandwidth_gb_s) == (memory, bandwidth)
    assert (card.tensor_tflops, card.tdp_watts) == (tensor, tdp)


@pytest.mark.parametrize(
    ("spelling", "model"),
    [
        ("nvidia-tesla-t4", "T4"),
        ("NVIDIA Tesla T4", "T4"),
        ("t4", "T4"),
        ("T4G", "T4g"),
        ("nvidia-h100-mega-80gb", "H100"),
        ("rtx pro 6000", "RTX PRO 6000"),
        ("RTX-PRO-6000 Blackwell Server Edition", "RTX PRO 6000"),
        ("radeon pro v620", "Radeon Pro V620"),
        ("NVIDIA RTX A6000", "A6000"),
    ],
)
def test_spelling_makes_no_difference(spelling: str, model: str) -> None:
    card = FACTS.gpu(spelling)
    assert card is not None
    assert card.model == model


def test_another_model_is_another() -> None:
    assert FACTS.gpu("T40") is None
    assert FACTS.gpu("A1000") is None
    assert FACTS.gpu("") is None


def test_without_memory_the_least_variant_is_meant() -> None:
    card = FACTS.gpu("A100")
    assert card is not None
    assert card.memory_gib == 40


def test_whole_cards_are_told_from_shares() -> None:
    whole = FACTS.gpu_of(
        Shape("AWS", "g5.xlarge", 4, gpu_model="A10G", gpu_count=1, gpu_memory_gib=22.4)
    )
    assert whole == FACTS.gpu("A10G")
    third = FACTS.gpu_of(
        Shape(
            "Azure", "Standard_NV12ads_A10_v5", 12, gpu_model="A10", gpu_count=1, gpu_memory_gib=8
        )
    )
    assert third is not None
    assert third.memory_gib == pytest.approx(8)
    assert third.bandwidth_gb_s == pytest.approx(200)
    assert third.tensor_tflops == pytest.approx(125 / 3)


def test_of_a_machine_without_cards_nothing_is_told() -> None:
    assert FACTS.gpu_of(Shape("AWS", "m6i.large", 2)) is None
    assert FACTS.gpu_of(Shape("AWS", "vt1.3xlarge", 12, gpu_model="U30", gpu_count=1)) is None


def test_what_a_maker_keeps_back_is_not_known() -> None:
    card = FACTS.gpu("RTX PRO 6000")
    assert card is not None
    assert card.tensor_tflops is None
    assert card.mig is True
