"""Descriptions of SKUs, as they were seen in the real list up to 2026; one for each oddity."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costopt.providers.gcp.prices.descriptions import Part, Sold, left_out, placeless, sold


@pytest.mark.parametrize(
    ("description", "kind", "of"),
    [
        ("N2 Instance Core running in Belgium", "core", "n2"),
        ("N2 Instance Ram running in Belgium", "ram", "n2"),
        ("N1 Predefined Instance Core running in Zurich", "core", "n1"),
        ("E2 Instance Ram running in Salt Lake City", "ram", "e2"),
        ("N2D AMD Instance Core running in Americas", "core", "n2d"),
        ("C4A Arm Instance Core running in Northern Virginia", "core", "c4a"),
        ("M3 Memory-optimized Instance Ram running in Americas", "ram", "m3"),
        ("A3Plus Instance Core running in Americas", "core", "a3plus"),
        ("A3Ultra Instance Ram running in Americas", "ram", "a3ultra"),
        ("M4Ultramem224 Instance Core running in Americas", "core", "m4ultramem224"),
        # without a space
        ("M4NUltramem224Instance Ram running in Iowa", "ram", "m4nultramem224"),
        # series that go without their names, one of them in two ways
        ("Compute optimized Core running in Americas", "core", "c2"),
        ("Compute optimized Instance Core running in Madrid", "core", "c2"),
        ("Memory-optimized Instance Ram running in Frankfurt", "ram", "m1"),
        # types of one's own making; N1's, again, without a name
        ("Custom Instance Core running in Americas", "core", "n1-custom"),
        ("N2 Custom Instance Ram running in Iowa", "ram", "n2-custom"),
        ("E2 Custom Instance Core running in London", "core", "e2-custom"),
        ("Custom E2 Instance Core running in London", "core", "e2-custom"),
        ("Custom Extended Instance Ram running in Los Angeles", "extended", "n1"),
        ("N2 Custom Extended Instance Ram running in Iowa", "extended", "n2"),
        ("N2D AMD Custom Extended Instance Ram running in Iowa", "extended", "n2d"),
        ("N2D AMD Custom Extended Ram running in Iowa", "extended", "n2d"),
        # M2: by M1's prices and this
        (
            "Memory Optimized Upgrade Premium for Memory-optimized Instance Core running in Tokyo",
            "premium-core",
            "m2",
        ),
        ("Micro Instance with burstable CPU running in EMEA", "machine", "f1-micro"),
        ("Small Instance with 1 VCPU running in Paris", "machine", "g1-small"),
        ("Nvidia Tesla T4 GPU running in Americas", "gpu", "nvidia-tesla-t4"),
        ("Nvidia Tesla A100 80GB GPU running in Netherlands", "gpu", "nvidia-a100-80gb"),
        ("Nvidia Tesla A100 GPU running in Americas", "gpu", "nvidia-tesla-a100"),
        ("Nvidia H100 80GB GPU running in Americas", "gpu", "nvidia-h100-80gb"),
        ("Nvidia H100 80GB Mega GPU running in Tokyo", "gpu", "nvidia-h100-mega-80gb"),
        ("Nvidia H100 80GB Plus GPU running in Americas", "gpu", "nvidia-h100-mega-80gb"),
        ("H200 141GB GPU running in Netherlands", "gpu", "nvidia-h200-141gb"),
        # which does not even say that it is a GPU
        ("RTX 6000 96GB running in Belgium", "gpu", "nvidia-rtx-pro-6000"),
        # a card with all that belongs to it
        ("A4 Nvidia B200 (1 gpu slice) running in Americas", "slice", "a4"),
        ("1/8 vGPU no lssd running in Iowa", "slice", "g4"),
        # of five old regions there is no place in it
        ("SSD backed Local Storage", "ssd", ""),
        ("SSD backed Local Storage running in Paris", "ssd", ""),
        ("SSD backed Local Storage in Bangkok", "ssd", ""),
        ("C4D Instance Local SSD running in Frankfurt", "ssd", "c4d"),
    ],
)  # fmt: skip
def test_what_is_sold(description: str, kind: str, of: str) -> None:
    assert sold(description) == Sold(Part(kind, of))
    assert left_out(description) == ""


@pytest.mark.parametrize(
    ("description", "part", "usage"),
    [
        (
            "Spot Preemptible N2 Instance Core running in Paris",
            Part("core", "n2"),
            "Preemptible",
        ),
        ("Preemptible N2 Instance Core running in Paris", Part("core", "n2"), "Preemptible"),
        (
            "Spot Preemptible Custom Extended Instance Ram running in APAC",
            Part("extended", "n1"),
            "Preemptible",
        ),
        (
            "Nvidia L4 GPU attached to Spot Preemptible VMs running in Hong Kong",
            Part("gpu", "nvidia-l4"),
            "Preemptible",
        ),
        (
            "SSD backed Local Storage attached to Spot Preemptible VMs",
            Part("ssd"),
            "Preemptible",
        ),
        (
            "Spot Preemptible A4 Nvidia B200 (1 gpu slice) running in Americas",
            Part("slice", "a4"),
            "Preemptible",
        ),
        ("Commitment v1: N2 Cpu in Americas for 1 Year", Part("core", "n2"), "Commit1Yr"),
        ("Commitment v1: C2D AMD Ram in EMEA for 3 Year", Part("ram", "c2d"), "Commit3Yr"),
        ("Commitment v1: C3 Ram in Iowa for 3 Years", Part("ram", "c3"), "Commit3Yr"),
        # N1 has no name here, C2 two ways of it
        ("Commitment v1: Cpu in Montreal for 1 Year", Part("core", "n1"), "Commit1Yr"),
        (
            "Commitment: Compute optimized Core running in Americas for 1 Year",
            Part("core", "c2"),
            "Commit1Yr",
        ),
        (
            "Commitment v1: Compute optimized Ram in Berlin for 3 Years",
            Part("ram", "c2"),
            "Commit3Yr",
        ),
        (
            "Commitment v1: Memory-optimized Cpu in Frankfurt for 1 Year",
            Part("core", "m1"),
            "Commit1Yr",
        ),
        (
            "Commitment v1: Nvidia Tesla T4 GPU running in Iowa for 1 Year",
            Part("gpu", "nvidia-tesla-t4"),
            "Commit1Yr",
        ),
        (
            "Commitment v1: A4 Nvidia B200 (1 gpu slice) in Iowa for 3 Years",
            Part("slice", "a4"),
            "Commit3Yr",
        ),
        ("Commitment v1: Local SSD in Iowa for 1 Year", Part("ssd"), "Commit1Yr"),
        ("Commitment v1: C4A Local SSD in Iowa for 3 Years", Part("ssd", "c4a"), "Commit3Yr"),
    ],
)
def test_how_it_is_bought(description: str, part: Part, usage: str) -> None:
    assert sold(description) == Sold(part, usage)
    assert left_out(description) == ""


@pytest.mark.parametrize(
    ("description", "reason"),
    [
        ("C3 Sole Tenancy Instance Core running in Americas",
         "of nodes of one's own (sole tenancy)"),
        (
            "Sole Tenancy Premium for C4 Sole Tenancy Instance Core running in Americas",
            "of nodes of one's own (sole tenancy)",
        ),
        ("Nvidia Tesla T4 GPU attached to Sole Tenancy VMs running in Iowa",
         "of nodes of one's own (sole tenancy)"),
        ("Reserved M4 Core in Americas", "of reserved capacity"),
        ("Reserved Nvidia H100 80GB Mega GPU in Americas in Calendar Mode", "of reserved capacity"),
        ("DWS Defined Duration A3 Core running in Americas", "of reserved capacity"),
        ("DWS Calendar Mode H4D Instance Core running in Iowa", "of reserved capacity"),
        (
            "Nvidia H100 Mega 80GB GPU attached to DWS Defined Duration VMs running in Americas",
            "of reserved capacity",
        ),
        ("1/8 vGPU no lssd attached to DWS Defined Duration VMs running in Iowa",
         "of reserved capacity"),
        ("Commitment - dollar based v1: GCE for 1 year", "of other commitments"),
        ("Commitment v1: N4A Core in Johannesburg for 5 Years", "of other commitments"),
        ("Committed Use Discount Premium for E2 Custom Instance Core running in Iowa",
         "surcharges"),
        ("Commitment v1: vGPU G4 Local SSD in Iowa for 1 Year", "surcharges"),
        ("Licensing Fee for Windows Server 2022 Datacenter Edition (CPU cost)", "licences"),
        ("Nvidia Tesla T4 Virtual Workstation GPU running in Iowa", "licences"),
        ("VM state: preserved local SSD in Bangkok", "of suspended machines"),
        ("TpuV5e running in Americas", "TPUs"),
    ],
)  # fmt: skip
def test_what_is_left_out(description: str, reason: str) -> None:
    assert left_out(description) == reason


@pytest.mark.parametrize(
    "description",
    [
        "Nvidia L40 GPU running in Iowa",  # which is no L4
        "Nvidia Tesla T4 GPU attached to something else running in Iowa",
        "N2 Custom Extended Instance Core running in Iowa",
        "Commitment v1: C3D Instance Core running in Taiwan",
        "Commitment v1: N2 Cpu in Iowa for 2 Years",
        "Instance Core running in Iowa",
        "Tensor Widget running in Iowa",
        "",
    ],
)
def test_what_is_not_understood(description: str) -> None:
    assert sold(description) is None


@given(st.text(max_size=80))
def test_any_text_is_read_without_complaint(text: str) -> None:
    sold(text)
    left_out(text)
    assert len(placeless(text)) <= len(text)
