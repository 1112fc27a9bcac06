"""What the pictures of own machines are drawn from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from costopt.optimize.own import Own, Swing


@dataclass(frozen=True, slots=True)
class CloudPrice:
    """What an hour of the cloud's machine costs, and what that is."""

    hourly: float
    words: str  # "on demand", "committed for 3 years"


@dataclass(frozen=True, slots=True)
class Race:
    """One class of own machines against the cloud machine that it would take the place of."""

    name: str  # of the class
    against: str  # of the cloud machine: "p5.48xlarge, us-east-1"
    currency: str
    own: Own  # floats
    prices: Sequence[CloudPrice]  # the first is the one that is paid; at least one
    used: float | None  # measured: share of the hours, 0..1; None = not known
    swings: Sequence[Swing]  # of the break-even at the first price
    going: float  # what going there takes for each machine in use
    month: float  # by which it has paid at the first price; inf = not within its life
