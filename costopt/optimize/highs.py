"""HiGHS, the solver of linear and mixed-integer programmes, without its banner."""

from __future__ import annotations

import highspy


class Quiet(highspy.Highs):
    """HiGHS prints its banner to stdout as soon as its callbacks are enabled; this one does not."""

    def enableCallbacks(self) -> None:  # noqa: N802
        self.silent()
        super().enableCallbacks()  # type: ignore[no-untyped-call]
