"""What a cloud said, in one line that may be shown: nothing secret is left in it; and the libraries
that would log it whole are kept from it."""

from __future__ import annotations

import logging
import re
from typing import Final

_NAME: Final = (
    r"(?:signature|\bsig|credential|token|AWSAccessKeyId|secret\w*key|passw(?:or)?d|\bpwd"
    r"|authorization|client_secret|account_?key|api[_-]?key)"
)
_ENCODED: Final = r"%(?:25)*"  # as often as it was encoded
_EQUALS: Final = rf"(?:=>|[=:>]|{_ENCODED}3[AD])"

_SECRET: Final = re.compile(
    # a name, then its value: in a query, a header, JSON, XML, or the canonical request that AWS
    # quotes
    rf"(?i)({_NAME}[\\\"'\]]*\s?{_EQUALS}\s?[\\\"']*(?:(?:bearer|basic)\s)?)[^&\s\"',<]+"
    # with a space between: what follows "token" in a sentence is a word, without digits
    rf"|({_NAME}\s[\\\"']*)(?=\S*\d|\S{{20}})[^&\s\"',<]{{8,}}"
    r"|(encoded authorization failure message: )\S+"
    r"|(://)(?:[^/@\s]+|[^/@:\s]*:[^@?\s]+)(?=@)"  # user and password of a proxy, with / in it
    r"|(?:AKIA|ASIA)[A-Z0-9]{16}\b"
    r"|\bya29\.[\w.-]+"  # an access token of Google's
    r"|\bAIza[\w-]{35}"  # an API key of Google's
    r"|\beyJ[\w-]{8,}\.[\w-]+(?:\.[\w-]*)?"  # a JSON web token: Azure's access tokens
    # secret keys have 40 characters, session tokens hundreds; ARNs and names are cut up by : - .
    r"|(?<![\w/+=])(?:(?:[A-Za-z0-9/+=]|%[0-9A-F]{2}){40}|(?:[A-Za-z0-9/+=]|%[0-9A-F]{2}){100,})"
    r"(?![\w/+=%])"
)

_LOUD: Final = (
    *("boto3", "botocore", "s3transfer"),
    *("google", "azure", "msal"),
    *("urllib3", "httpx", "httpcore", "hpack"),
)
"""They log headers with signatures and tokens, signed addresses, and what a cloud said as it said
it, at levels from debug to warning."""


def plain(text: str) -> str:
    """One line, what looks like a secret struck out."""
    return _SECRET.sub(
        lambda found: f"{next(filter(None, found.groups()), '')}***", " ".join(text.split())
    )


def silenced() -> None:
    """Keep the libraries that speak with clouds from logging, at any level: what fails is told by
    us. For every way in, before its first call."""
    for name in _LOUD:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
