"""Answers in pages where botocore has no paginator, and the figures in answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from botocore.parsers import ResponseParserError

_LARGEST: Final = Decimal(10) ** 15


def pages(call: Callable[..., Any], token: str, **asked: Any) -> Iterator[dict[str, Any]]:
    """The call's answers, to the last.

    Args:
        token: what the next page goes by, in the answer and the question alike.
        asked: the call's parameters.
    Raises:
        ClientError, BotoCoreError: AWS refuses.
        ResponseParserError: the pages lead back to one that was read; each may cost money.
    """
    seen: set[str] = set()
    while True:
        answer = call(**asked)
        yield answer
        following = answer.get(token)
        if not following:
            return
        if following in seen:
            raise ResponseParserError(f"the same {token} twice")
        seen.add(following)
        asked[token] = following


def figure(value: object) -> Decimal:
    """A number of an answer, whether text, float or integer.

    Raises:
        ResponseParserError: it is none, or endless: NaN, Infinity, "", nothing.
    """
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        raise ResponseParserError("a figure that is no number") from None
    if not found.is_finite() or abs(found) > _LARGEST:
        raise ResponseParserError("a figure without bounds")
    return found
