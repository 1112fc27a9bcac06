"""What a cloud said, in one line that may be shown: nothing secret is left in it."""

from __future__ import annotations

import re
from typing import Final

_SECRET: Final = re.compile(
    # a name, then its value: in a query, a header, JSON, or the canonical request that AWS quotes
    r"(?i)((?:signature|\bsig|credential|token|AWSAccessKeyId|secret\w*key|password|authorization"
    r"|client_secret|account_?key)[\"']?\s?[=:]\s?[\"']?(?:(?:bearer|basic)\s)?)[^&\s\"',]+"
    r"|(encoded authorization failure message: )\S+"
    r"|(://)[^/@\s]+(?=@)"  # user and password of a proxy
    r"|\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"
    r"|\bya29\.[\w.-]+"  # an access token of Google's
    r"|\beyJ[\w-]{8,}\.[\w-]+(?:\.[\w-]*)?"  # a JSON web token: Azure's access tokens
    # secret keys have 40 characters, session tokens hundreds; ARNs and names are cut up by : - .
    r"|(?<![\w/+=])(?:[A-Za-z0-9/+=]{40}|[A-Za-z0-9/+=]{100,})(?![\w/+=])"
)


def plain(text: str) -> str:
    """One line, what looks like a secret struck out."""
    return _SECRET.sub(
        lambda found: f"{next(filter(None, found.groups()), '')}***", " ".join(text.split())
    )
