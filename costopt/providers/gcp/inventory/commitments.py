"""Committed use discounts of resources, and reservations: both are paid for, used or not.

They are no machines: they have no x_InstanceType, and what they apply to is told in x_Attributes.
Commitments to spend (flexible ones) belong to the billing account: they stand in the bill only.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from google.cloud.compute_v1 import RegionCommitmentsClient, ReservationsClient

from costopt.providers.gcp.inventory.place import Place, names
from costopt.providers.gcp.names import last, moment
from costopt.providers.rows import Row, attributes

COMMITMENTS: Final = "compute.commitments.list"
RESERVATIONS: Final = "compute.reservations.list"

_TERMS: Final = {"TWELVE_MONTH": "1yr", "THIRTY_SIX_MONTH": "3yr"}
_MIB: Final = 1024
_NAMES: Final = {"VCPU": "vcpus", "LOCAL_SSD": "local_ssd_gib"}


def commitments(place: Place) -> Iterator[Row]:
    """Those in force."""
    for scope, one in place.everywhere(RegionCommitmentsClient, "commitments", COMMITMENTS):
        if one.status != "ACTIVE":
            continue
        yield place.row(
            scope,
            "commitments",
            one,
            ResourceType="Committed use discount",
            x_State="active",
            x_LaunchedAt=moment(one.start_timestamp),
            x_Attributes=attributes(
                **_committed(one),
                auto_renew=one.auto_renew,
                commitment_id=str(one.id),
                end=moment(one.end_timestamp),
                term=_TERMS.get(one.plan, one.plan.lower()),
                type=one.type_,
            ),
        )


def _committed(one: Any) -> dict[str, str | float]:
    """vCPUs, GiB, cards, licences. Google counts memory in MiB and local disks in GiB, and calls
    both otherwise.

    Source: "gcloud compute commitments describe" ("Local SSD capacity, however, is consistently
    measured in GB"); reference of ResourceCommitment.
    """
    found: dict[str, str | float] = {}
    cards = []
    for resource in one.resources:
        if resource.type_ == "ACCELERATOR":
            cards.append(f"{resource.amount} {last(resource.accelerator_type)}")
        elif resource.type_ == "MEMORY":
            found["memory_gib"] = resource.amount / _MIB
        else:
            found[_NAMES.get(resource.type_, resource.type_.lower())] = resource.amount
    if cards:
        found["accelerators"] = ", ".join(sorted(cards))
    if one.license_resource.license_:
        found["licence"] = last(one.license_resource.license_)
        found["licences"] = one.license_resource.amount
    return found


def reservations(place: Place) -> Iterator[Row]:
    """Every reservation of machines; those beyond `in_use` are billed and do nothing."""
    for scope, one in place.everywhere(ReservationsClient, "reservations", RESERVATIONS):
        held = one.specific_reservation
        kind = held.instance_properties
        cards = (
            f"{card.accelerator_count} {last(card.accelerator_type)}"
            for card in kind.guest_accelerators
        )
        yield place.row(
            scope,
            "reservations",
            one,
            ResourceType="Reservation",
            x_State=one.status.lower() or None,
            x_LaunchedAt=moment(one.creation_timestamp),
            x_Attributes=attributes(
                accelerators=", ".join(sorted(cards)),
                commitment=names([one.commitment]),
                count=held.count,
                in_use=held.in_use_count,
                instance_type=kind.machine_type,
                zone=last(scope),
            ),
        )
