"""Amazon Web Services: accounts and regions through boto3 (docs/providers/aws.md).

The SDK takes most of a second to import, so what uses it is imported where it is called.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

import pyarrow as pa

from costopt import schema
from costopt.model import Window
from costopt.providers.aws.settings import AwsSettings
from costopt.providers.base import Check, Estimate, Known, Problem

if TYPE_CHECKING:
    from costopt.providers.aws.access import Account
    from costopt.providers.aws.metrics import Prepared
    from costopt.providers.held import Held


class AwsProvider:
    """An account, or an organization's (see Provider, Resuming, Paid, Advised and Checked)."""

    name = "aws"
    Settings: ClassVar = AwsSettings

    def __init__(self, settings: AwsSettings) -> None:
        self._settings = settings
        self._known = Known()
        self._refused: bool | None = None  # whether the paid calls are; None = not asked yet
        self._spare = Decimal(0)  # dollars that the estimate leaves of the limit
        self.problems: list[Problem] = []
        self.notes: dict[str, str] = {}

    @property
    def dry_run(self) -> bool:
        """Whether the estimate is all that is wanted."""
        return self._settings.dry_run

    def resume(self, known: Known) -> None:
        """Told what the lake holds: samples and bills are asked for from there on."""
        self._known = known

    def resources(self) -> pa.Table:
        """Machines, disks, addresses, databases and so on, and the commitments in force; and what
        the lake holds but is no longer there, as terminated."""
        from costopt.providers.aws.commitments import commitments
        from costopt.providers.aws.inventory.resized import dated

        paid = self._settings.cost_explorer and self._may_pay()
        bought = commitments(self._home, self._accounts, self.problems, utilization=paid)
        listed = self._things
        gone = self._gone(set(listed.column("ResourceId").to_pylist()))
        return pa.concat_tables([dated(listed, self._known.resources, self._now), bought, gone])

    def shapes(self) -> pa.Table:
        """The machine types in use and their families, as EC2 describes them, but for those of
        which the lake holds a shape of the user's own."""
        from costopt.providers.aws.shapes import shapes

        return self._held.beside_own(shapes(self._accounts, self._things, self.problems))

    def prices(self) -> pa.Table:
        """Spot prices of what runs on spot, and prices that the built-in catalogue lacks; none
        where the lake holds one of the user's own."""
        if "prices" in self._settings.skip:
            return schema.empty(schema.PRICES)
        from costopt.providers.aws.prices.used import in_use

        return in_use(self._accounts, self._things, self._held, self._settings, self.problems)

    def estimate(self) -> Estimate:
        """What CloudWatch and Cost Explorer will ask for, by what there is and the lake holds.

        Raises:
            ProviderError: more than `max_api_cost`; then the paid calls are not made.
        """
        from costopt.providers.aws import costs

        self._refused = True
        bills, held = self._bills_to_read(), self._known.notes
        made = costs.estimate(self._settings, self._prepared, self._now, bills, held)
        self._refused = self._settings.dry_run
        self._spare = Decimal(repr(self._settings.max_api_cost)) - made.usd
        return made

    def charges(self, window: Window | None) -> Iterator[pa.Table]:
        """The bill: months that are new or restated, out of the exports; or of Cost Explorer."""
        from costopt.providers.aws import bill

        if "charges" in self._settings.skip or self._settings.dry_run:
            return
        if not self._settings.export and self._settings.cost_explorer and not self._may_pay():
            return
        held = self._known.notes
        yield from bill.charges(self._home, held, window, self.problems, self.notes)

    def metrics(self, window: Window | None) -> Iterator[pa.Table]:
        """Samples of CloudWatch from where the lake ends; nothing that may still change."""
        from costopt.providers.aws import metrics

        if "metrics" in self._settings.skip or not self._may_pay():
            return
        prepared = self._prepared if window is None else self._prepare(window)
        assert prepared
        yield from metrics.read(
            prepared, self._settings, self.problems, self.notes, spare=self._spare
        )

    def advice(self) -> pa.Table:
        """What Compute Optimizer recommends, where the accounts let us ask."""
        if "advice" in self._settings.skip or self._settings.dry_run:
            return schema.empty(schema.VENDOR_RECOMMENDATIONS)
        from costopt.providers.aws.advice import advice

        return advice(self._accounts, self._things, self.problems, self._now)

    def checks(self) -> Iterator[Check]:
        """Each action that a collect with these settings needs, tried in every account."""
        from costopt.providers.aws import permissions

        return permissions.checks(self._settings)

    def permissions(self) -> str:
        """The least IAM policy that suffices for these settings."""
        from costopt.providers.aws import permissions

        return permissions.policy(self._settings)

    def _bills_to_read(self) -> Sequence[str]:
        """What a dry run says of the exports."""
        if not self._settings.dry_run or "charges" in self._settings.skip:
            return ()
        from costopt.providers.aws import bill

        return bill.to_read(self._home, self._known.notes, self.problems)

    def _gone(self, listed: set[str]) -> pa.Table:
        from costopt.providers.aws.inventory.departed import departed, noted
        from costopt.providers.aws.inventory.gone import gone

        places = {
            (account.account_id, region)
            for account in self._accounts
            for region in account.known_regions
        }
        rows = list(gone(self._known.resources, listed, places, self.problems))
        rows += departed(self._home, self._known, self.problems)
        self.notes |= noted(self._home, self._accounts, self._known)
        return pa.Table.from_pylist(rows, schema=schema.RESOURCES)

    def _may_pay(self) -> bool:
        """Whether the paid calls are allowed; where nobody asked before, asked now."""
        if self._refused is None:
            self.estimate()
        return not self._refused

    @cached_property
    def _now(self) -> datetime:
        return datetime.now(UTC)

    @cached_property
    def _accounts(self) -> list[Account]:
        from costopt.providers.aws.organization import accounts

        return accounts(self._settings, self.problems)

    @property
    def _home(self) -> Account:
        """The account of the user's own credentials."""
        return next(one for one in self._accounts if one.is_home)

    @cached_property
    def _things(self) -> pa.Table:
        from costopt.providers.aws.inventory import resources

        return resources(self._accounts, self._settings, self.problems)

    @cached_property
    def _held(self) -> Held:
        from costopt.providers.held import Held

        return Held("AWS", self._known.prices, self._known.shapes)

    @cached_property
    def _prepared(self) -> Prepared | None:
        """What is to be asked of CloudWatch; None = nothing was wanted."""
        return None if "metrics" in self._settings.skip else self._prepare(None)

    def _prepare(self, window: Window | None) -> Prepared:
        from costopt.providers.aws import metrics

        prepared = metrics.prepare(
            self._accounts,
            self._things,
            self._settings,
            self._known,
            self.problems,
            now=self._now,
            window=window,
        )
        self.notes |= prepared.promised()  # kept with the charges, before there are samples
        return prepared
