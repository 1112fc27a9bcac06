"""Names, tags and reasons come from a cloud and are untrusted: made harmless for where they go.

Each function takes any text and gives text of one line. Every format passes what it did not write
itself through one of these; JSON escapes instead, because there nothing may be lost.
"""

from __future__ import annotations

import re
from typing import Final

# ECMA-48 escape sequences: CSI (colours, cursor), OSC/DCS/SOS/PM/APC strings (titles, hyperlinks)
# up to their terminator, and the two-character rest. Their 8-bit forms lose the introducer below.
_ESCAPE: Final = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"
    r"|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?"
    r"|\x1b[ -/]*[0-~]"
)
_BREAKS: Final = re.compile(r"[\t\n\v\f\r\x85\u2028\u2029]+")
HIDDEN: Final = re.compile(
    "["
    "\x00-\x1f\x7f-\x9f"  # C0, DEL and C1 controls
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # bidirectional marks, overrides, isolates
    "\u200b\u2028\u2029\u2060-\u2064\u206a-\u206f\ufeff\ufff9-\ufffb"  # invisible, line breaks
    "\ud800-\udfff"  # lone surrogates: undecodable bytes of a file name
    "\U000e0000-\U000e007f"  # tag characters: text that nobody sees
    "]"
)
"""Characters that a reader cannot see, or that reorder what one sees. U+200C and U+200D stay:
Persian, Indic scripts and emoji are spelled with them."""


def terminal(text: str) -> str:
    """One line without escape sequences, controls, bidirectional overrides or hidden characters.

    Line breaks and tabs become one space; every other letter, of any script, stays.
    """
    return HIDDEN.sub("", _BREAKS.sub(" ", _ESCAPE.sub("", text)))


# Excel, LibreOffice and Google Sheets take a cell as a formula when it starts with one of these,
# quoted or not; the full-width forms count where the locale is East Asian (OWASP, CSV Injection).
_FORMULA: Final = tuple("=+-@\uff1d\uff0b\uff0d\uff20")


def csv_cell(text: str) -> str:
    """The text as a spreadsheet shows it and never runs it: a leading apostrophe where needed."""
    plain = terminal(text)
    risky = plain.lstrip().startswith(_FORMULA) or text.startswith(("\t", "\r", "\n"))
    return f"'{plain}" if risky else plain


_MARKUP: Final = re.compile(r"[\\`*_\[\]|~$]")
# A word joiner, as an entity so that the source shows it: it keeps a forge from turning a name
# into a mention that notifies people, an issue reference or a link, and a line into a list.
_JOIN: Final = "&#8288;"
_REFERENCE: Final = re.compile(r"(@|#(?=\w))")
_LINK: Final = re.compile(r"((?<=:)//|(?<=\bwww)\.)", re.IGNORECASE)
_BLOCK: Final = re.compile(r"^(\s*)((?:[-+]|#{1,6}|\d+[.)])(?:\s|$)|[-=+]{2})")


def markdown(text: str) -> str:
    """Plain words inside a Markdown table or paragraph: no markup, HTML, link or mention works."""
    plain = _BLOCK.sub(r"\1\0\2", _LINK.sub(r"\0\1", _REFERENCE.sub(r"\1\0", terminal(text))))
    html = plain.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _MARKUP.sub(r"\\\g<0>", html).replace("\0", _JOIN)


def markdown_code(text: str) -> str:
    """The text as a code span, which looks like a name and links nowhere; "" stays "".

    Where it holds what a code span in a table cell cannot (pipe, backtick, backslash), or HTML that
    a careless renderer might pass on: plain words.
    """
    plain = " ".join(terminal(text).split())
    if not plain or re.search(r"[|`\\<>&]", plain):
        return markdown(plain)
    return f"`{plain}`"
