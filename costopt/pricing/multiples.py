"""How many times the usual something is, in words: of every sanity gate."""

from __future__ import annotations


def multiple(times: float, one: str, *, share: str | None = None) -> str:
    """`7.3 times its price`, `1/500 of its price`, `1,030 times its price`.

    Args:
        times: above 0.
        one: what it is compared with.
        share: what it is compared with where it is less; None = the same.
    """
    factor = max(times, 1 / times)
    figure = f"{factor:,.0f}" if factor >= 10 else f"{factor:.2g}"
    return f"{figure} times {one}" if times > 1 else f"1/{figure} of {share or one}"
