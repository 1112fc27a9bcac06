"""Google Cloud: projects through Google's own libraries (docs/providers/gcp.md).

They take seconds to import, so what uses them is imported where it is called.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

import pyarrow as pa

from costopt import schema
from costopt.model import Window
from costopt.providers.base import Check, Estimate, Known, Problem
from costopt.providers.gcp.settings import GcpSettings

if TYPE_CHECKING:
    from costopt.providers.gcp.access import Access
    from costopt.providers.gcp.departed import Departed
    from costopt.providers.gcp.metrics import Prepared
    from costopt.providers.gcp.projects import Project
    from costopt.providers.gcp.shapes import MachineTypes


class GcpProvider:
    """Projects, or all of a folder's or an organization's (see Provider, Resuming, Paid and
    Checked)."""

    name = "gcp"
    Settings: ClassVar = GcpSettings

    def __init__(self, settings: GcpSettings) -> None:
        self._settings = settings
        self._known = Known()
        self._refused: bool | None = None  # whether the paid calls are; None = not asked yet
        self._left = Decimal(0)  # dollars that the bill's queries may cost
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
        """Machines, disks, addresses and so on, and the commitments in force; and what the lake
        holds but is no longer there, as terminated, or unseen where its project is hidden now."""
        from costopt.providers.gcp.inventory.gone import gone

        listed = self._things
        lost = gone(
            self._known.resources,
            set(listed.column("ResourceId").to_pylist()),
            {one.project_id for one in self._projects},
            self._settings.region,
            self.problems,
            departed=self._departed.states,
        )
        self.notes |= self._departed.notes
        return pa.concat_tables([listed, pa.Table.from_pylist(list(lost), listed.schema)])

    def shapes(self) -> pa.Table:
        """The machine types in use and their series, as Compute Engine describes them, but for
        those of which the lake holds a shape of the user's own."""
        from costopt.providers.own import beside_own

        assert self._things is not None  # by which the types are known
        return beside_own(self._types.table(), self._known.shapes)

    def prices(self) -> pa.Table:
        """List prices of the machine types in use and their series, composed of the Cloud Billing
        Catalogue's; none where the lake holds one of the user's own."""
        if "prices" in self._settings.skip:
            return schema.empty(schema.PRICES)
        from costopt.providers.gcp.machine_types import PROVIDER
        from costopt.providers.gcp.prices import in_use
        from costopt.providers.held import Held

        known = pa.concat_tables([self._known.shapes, self.shapes()])
        held = Held(PROVIDER, self._known.prices, known)
        return in_use(self._access, self._things, held, self.problems)

    def estimate(self) -> Estimate:
        """What Cloud Monitoring and BigQuery will ask for, by what there is and the lake holds.

        Raises:
            ProviderError: more than `max_api_cost`; then the paid calls are not made.
        """
        from costopt.providers.gcp import costs, metrics

        self._refused = True
        parts = [metrics.estimate(self._prepared)] if self._prepared else []
        self._left = costs.left(self._settings, parts)
        if self._with_bill:
            from costopt.providers.gcp import bill

            parts.append(bill.estimate(self._access, self._known.notes, self.problems))
        made = costs.estimate(self._settings, parts)
        self._refused = self._settings.dry_run
        return made

    def metrics(self, window: Window | None) -> Iterator[pa.Table]:
        """Samples of Cloud Monitoring from where the lake ends; nothing that may still change."""
        from costopt.providers.gcp import metrics

        if "metrics" in self._settings.skip or not self._may_pay():
            return
        prepared = self._prepared if window is None else self._prepare(window)
        assert prepared
        yield from metrics.read(prepared, self._settings, self.problems)

    def charges(self, window: Window | None) -> Iterator[pa.Table]:
        """The bill: months that are new or restated, out of BigQuery or the export's files."""
        paid = self._settings.billing_table is not None
        if not self._with_bill or self._settings.dry_run or (paid and not self._may_pay()):
            return
        from costopt.providers.gcp import bill

        yield from bill.charges(
            self._access,
            self._known.notes,
            window,
            self.problems,
            self.notes,
            resources=(*self._known.resources, *self._things.to_pylist()),
            most=self._left,
        )

    def advice(self) -> pa.Table:
        """What Google's recommenders say, where the projects let us ask."""
        if "advice" in self._settings.skip or self._settings.dry_run:
            return schema.empty(schema.VENDOR_RECOMMENDATIONS)
        from costopt.providers.gcp.advice import advice

        return advice(self._access, self._projects, self._things, self.problems, self._now)

    def checks(self) -> Iterator[Check]:
        """Each permission that a collect with these settings needs, tried in every project."""
        from costopt.providers.gcp import permissions

        return permissions.checks(self._settings)

    def permissions(self) -> str:
        """The least custom role that suffices for these settings, and how to grant it."""
        from costopt.providers.gcp import permissions

        return permissions.role(self._settings)

    @property
    def _with_bill(self) -> bool:
        named = self._settings.billing_table or self._settings.export
        return bool(named) and "charges" not in self._settings.skip

    def _may_pay(self) -> bool:
        """Whether the paid calls are allowed; where nobody asked before, asked now."""
        if self._refused is None:
            self.estimate()
        return not self._refused

    @cached_property
    def _now(self) -> datetime:
        return datetime.now(UTC)

    @cached_property
    def _access(self) -> Access:
        from costopt.providers.gcp.access import Access

        return Access(self._settings)

    @cached_property
    def _active(self) -> list[Project]:
        from costopt.providers.gcp.projects import active

        return active(self._access, self.problems)

    @cached_property
    def _departed(self) -> Departed:
        from costopt.providers.gcp.departed import departed

        return departed(self._access, self._known, self._active, self.problems)

    @property
    def _projects(self) -> list[Project]:
        """Those to look into; none where all that there were are gone, which is news enough."""
        from costopt.providers.gcp.projects import no_project

        if not self._active and not self._departed.states:
            raise no_project(self.problems)
        return self._active

    @cached_property
    def _types(self) -> MachineTypes:
        from costopt.providers.gcp.shapes import MachineTypes

        return MachineTypes(self._access, self.problems)

    @cached_property
    def _things(self) -> pa.Table:
        from costopt.providers.gcp.inventory import resources

        return resources(self._access, self._projects, self._types, self.problems)

    @cached_property
    def _prepared(self) -> Prepared | None:
        """What is to be asked of Cloud Monitoring; None = nothing was wanted."""
        return None if "metrics" in self._settings.skip else self._prepare(None)

    def _prepare(self, window: Window | None) -> Prepared:
        from costopt.providers.gcp import metrics

        return metrics.prepare(
            self._access,
            self._projects,
            self._things,
            self._settings,
            self._known,
            self.problems,
            now=self._now,
            window=window,
        )
