"""Microsoft Azure: subscriptions through Azure's own libraries (docs/providers/azure.md).

They take a second to import, so what uses them is imported where it is called.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

import pyarrow as pa

from costopt import schema
from costopt.model import Window
from costopt.providers.azure.settings import AzureSettings
from costopt.providers.base import Check, Estimate, Known, Problem
from costopt.units import counted

if TYPE_CHECKING:
    from costopt.providers.azure.access import Access
    from costopt.providers.azure.metrics import Prepared
    from costopt.providers.azure.shapes import Sizes
    from costopt.providers.azure.subscriptions import Subscription


class AzureProvider:
    """Subscriptions of a tenant (see Provider, Resuming, Paid, Advised and Checked)."""

    name = "azure"
    Settings: ClassVar = AzureSettings

    def __init__(self, settings: AzureSettings) -> None:
        self._settings = settings
        self._known = Known()
        self._refused: bool | None = None  # whether the paid calls are; None = not asked yet
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
        """Machines, disks, addresses and so on; and what the lake holds but is no longer there, as
        terminated, or unseen where its subscription shows nothing any more."""
        listed = self._things
        return pa.concat_tables([listed, self._gone(set(listed.column("ResourceId").to_pylist()))])

    def shapes(self) -> pa.Table:
        """The sizes in use and their families, as Azure describes them, and those that cannot be
        had somewhere, but for those of which the lake holds a shape of the user's own."""
        from costopt.providers.own import beside_own

        held = self._known.shapes
        return beside_own(self._sizes.shapes(self._things, self.problems, held), held)

    def prices(self) -> pa.Table:
        """List prices of the sizes in use and their families, as the Retail Prices API has them;
        none where the lake holds one of the user's own."""
        if "prices" in self._settings.skip:
            return schema.empty(schema.PRICES)
        from costopt.pricing.azure_sizes import PROVIDER
        from costopt.providers.azure.prices import in_use
        from costopt.providers.held import Held

        held = Held(PROVIDER, self._known.prices, self._known.shapes)
        return in_use(
            self._access, self._things, held, self._settings, self.problems, now=self._now
        )

    def estimate(self) -> Estimate:
        """What Azure Monitor may ask for; no other call is billed. A dry run is told what there
        is.

        Raises:
            ProviderError: more than `max_api_cost`; then no metric is asked for.
        """
        from costopt.providers.azure import costs, metrics

        self._refused = True
        made = metrics.estimate(self._prepared) if self._prepared else Estimate(Decimal(0), ())
        made = costs.within(self._settings, made)
        self._refused = self._settings.dry_run
        if not self._settings.dry_run:
            return made
        kinds = Counter(self._things.column("ResourceType").to_pylist())
        where = counted(len(self._subscriptions), "subscription")
        there = [f"{kind}: {number:,}" for kind, number in sorted(kinds.items())]
        asked = (*made.lines, *self._bills_to_read(), "dry run: nothing more is asked for")
        return Estimate(made.usd, (f"in {where}:", *there, *asked))

    def charges(self, window: Window | None) -> Iterator[pa.Table]:
        """The bill: months that are new or restated, out of the exports."""
        if "charges" in self._settings.skip or self._settings.dry_run:
            return
        from costopt.providers.azure import bill

        held = self._known.notes
        yield from bill.charges(self._access, held, window, self.problems, self.notes)

    def metrics(self, window: Window | None) -> Iterator[pa.Table]:
        """Samples of Azure Monitor from where the lake ends; nothing that may still change."""
        if "metrics" in self._settings.skip or not self._may_pay():
            return
        from costopt.providers.azure import metrics

        prepared = self._prepared if window is None else self._prepare(window)
        assert prepared
        yield from metrics.read(prepared, self._settings, self.problems, self.notes)

    def advice(self) -> pa.Table:
        """What Azure Advisor recommends, where the subscriptions let us ask."""
        if "advice" in self._settings.skip or self._settings.dry_run:
            return schema.empty(schema.VENDOR_RECOMMENDATIONS)
        from costopt.providers.azure.advice import advice

        return advice(self._access, self._let_in, self.problems, self._now)

    def checks(self) -> Iterator[Check]:
        """Each action that a collect with these settings needs, tried in every subscription."""
        from costopt.providers.azure import permissions

        return permissions.checks(self._settings)

    def permissions(self) -> str:
        """The least custom role that suffices for these settings."""
        from costopt.providers.azure import permissions

        return permissions.role(self._settings)

    def _may_pay(self) -> bool:
        """Whether the paid calls are allowed; where nobody asked before, asked now."""
        if self._refused is None:
            self.estimate()
        return not self._refused

    def _bills_to_read(self) -> Sequence[str]:
        """What a dry run says of the exports."""
        if "charges" in self._settings.skip:
            return ()
        from costopt.providers.azure import bill

        return bill.to_read(self._access, self._known.notes, self.problems)

    def _gone(self, listed: set[str]) -> pa.Table:
        from costopt.providers.azure.inventory.gone import gone, is_there
        from costopt.providers.azure.subscriptions import unseen

        known = self._known.resources
        theirs = {row["SubAccountId"] for row in known if is_there(row)}
        lost = unseen(self._access, theirs, self._subscriptions, self.problems)
        looked_into = {one.subscription_id for one in self._subscriptions}
        regions = self._settings.region
        rows = gone(known, listed, looked_into, regions, self.problems, unseen=lost)
        return pa.Table.from_pylist(list(rows), schema=schema.RESOURCES)

    @cached_property
    def _prepared(self) -> Prepared | None:
        """What is to be asked of Azure Monitor; None = nothing was wanted."""
        return None if "metrics" in self._settings.skip else self._prepare(None)

    def _prepare(self, window: Window | None) -> Prepared:
        from costopt.providers.azure import metrics

        return metrics.prepare(
            self._access,
            self._subscriptions,
            self._things,
            self._settings,
            self._known,
            self.problems,
            now=self._now,
            window=window,
        )

    @cached_property
    def _now(self) -> datetime:
        return datetime.now(UTC)

    @cached_property
    def _access(self) -> Access:
        from costopt.providers.azure.access import Access

        return Access(self._settings)

    @cached_property
    def _subscriptions(self) -> list[Subscription]:
        from costopt.providers.azure.subscriptions import subscriptions

        return subscriptions(self._access, self.problems)

    @property
    def _let_in(self) -> list[Subscription]:
        """Those that did not refuse everything that there is: that is told once, of the whole."""
        assert self._things is not None
        shut = {problem.where for problem in self.problems}
        return [one for one in self._subscriptions if one.subscription_id not in shut]

    @cached_property
    def _sizes(self) -> Sizes:
        from costopt.providers.azure.shapes import Sizes

        return Sizes(self._access)

    @cached_property
    def _things(self) -> pa.Table:
        from costopt.providers.azure.inventory import resources

        return resources(self._access, self._subscriptions, self._sizes, self.problems)
