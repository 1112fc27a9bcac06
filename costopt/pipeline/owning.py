"""Own: what machines of one's own should take over of what moves leave in the cloud."""

from __future__ import annotations

from costopt.frame.traffic import Sent
from costopt.pipeline.analysing import Analysis
from costopt.pricing.equivalence import Facts
from costopt.pricing.onprem import Site
from costopt.rules.changes import changes_of
from costopt.rules.move import Moves
from costopt.rules.move.own import Owned, own_machines
from costopt.rules.move.own_use import Paid
from costopt.rules.move.subjects import Known


def own(found: Moves, analysis: Analysis, site: Site) -> Owned:
    """Which machines to buy, and which to close.

    Args:
        found: where everything should run in the cloud (`pipeline.move`).
        analysis: what that rests on.
        site: a file like docs/examples/onprem.toml.
    Raises:
        InputError: a machine that is owned is bought later.
    """
    site = site.bought_by(analysis.window.end.date())
    bills = analysis.ahead.bills if analysis.ahead else {}
    done = analysis.before_moves()
    changes = changes_of(done, analysis.cases, bills)
    paid = {name: Paid.of(bill, changes.get(name, {})) for name, bill in bills.items()}
    known = Known.of(
        analysis.resources,
        Sent({}, {}),  # what they send is not asked of machines that are owned
        changes_of(done, analysis.cases, {k: one.bill for k, one in analysis.billings.items()}),
        done,
        Facts.load(),
    )
    return own_machines(found, site, paid, analysis.window, cases=analysis.cases, known=known)
