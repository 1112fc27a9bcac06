"""How long a committed price binds and how it is paid, as price lists spell it in x_Term.

`1yr no-upfront compute-savings-plan` is how costopt writes it; people write `1Yr No Upfront`,
`12mo` or `P3Y`. What cannot be read is told by whoever asks, never taken for a year.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_YEAR: Final = 12
_LONGEST: Final = 120  # months
UNTOLD_MONTHS: Final = 36
"""What a term that nobody tells is taken for: the longest that the large clouds sell, so that it
must rest on as much history as that asks for."""

_SPELT: Final = re.compile(
    r"(?P<count>\d{1,3}) ?(?P<unit>y|yrs?|years?|m|mo|mos|months?)"
    r"(?: (?P<paid>no|partial|all) upfront)?(?: (?P<what>.+))?"
)
_ISO: Final = re.compile(r"p(?P<count>\d{1,3})(?P<unit>[ym])")


@dataclass(frozen=True, slots=True)
class CommittedTerm:
    """What binds, for how long, and how it is paid."""

    months: int  # whole years
    payment: str = ""  # no-upfront | partial-upfront | all-upfront; "" = not told
    what: str = ""  # compute-savings-plan, flexible, convertible; "" = a reservation
    told: bool = True  # False: nobody says how long; `months` is `UNTOLD_MONTHS`

    @property
    def name(self) -> str:
        """Of the way to buy, for people: `1yr no-upfront`, `term not told`."""
        length = f"{self.months // _YEAR}yr" if self.told else "term not told"
        return f"{length} {self.payment}".strip()


def read_term(text: str | None) -> CommittedTerm | None:
    """The term that a price names; of none at all, one that is not told; None = not understood.

    Whole years only: shorter ones are no commitment that is sold, and 18 months neither.
    """
    plain = re.sub(r"[\s_-]+", " ", (text or "").strip().casefold())
    if not plain:
        return CommittedTerm(UNTOLD_MONTHS, told=False)
    found = _SPELT.fullmatch(plain) or _ISO.fullmatch(plain)
    if found is None:
        return None
    parts = found.groupdict()
    months = int(parts["count"]) * (_YEAR if parts["unit"].startswith("y") else 1)
    if not 0 < months <= _LONGEST or months % _YEAR:
        return None
    paid, what = parts.get("paid"), parts.get("what")
    return CommittedTerm(
        months, f"{paid}-upfront" if paid else "", what.replace(" ", "-") if what else ""
    )


def upfront_share(payment: str) -> float | None:
    """Of all that is paid, what is paid at once; None = not told.

    AWS asks about half of a partial upfront payment at once (Savings Plans: at least half).
    """
    return {"no-upfront": 0.0, "partial-upfront": 0.5, "all-upfront": 1.0}.get(payment)


def payment_of(text: str) -> str:
    """A payment option as AWS's inventory spells it (`Partial Upfront`) in our words; "" = none."""
    plain = "-".join(text.casefold().split())
    return plain if upfront_share(plain) is not None else ""
