"""Untrusted text does no harm where it lands, and honest text of any script stays itself."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costopt.report import safe

ODD = st.text(
    alphabet=st.one_of(
        st.sampled_from("\x1b[]31m\x07\x9b=+-@|`<>&*_\\\t\r\n#/.w:\u202e\u2066\u200b\u2028é名"),
        st.characters(),
    ),
    max_size=40,
)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;new title\x07name", "name"),
        ("\x1b]8;;https://evil.example\x1b\\click\x1b]8;;\x1b\\", "click"),
        ("\x9b31mred", "31mred"),
        ("two\r\nlines\tand a tab", "two lines and a tab"),
        ("safe\u202egnp.exe", "safegnp.exe"),
        ("a\u2066b\u2069c\u200bd\ufeff", "abcd"),
        ("bell\x07 null\x00", "bell null"),
        ("\udce9t\udce9", "t"),
    ],
)
def test_terminal_takes_out_what_would_steer_it(text: str, shown: str) -> None:
    assert safe.terminal(text) == shown


@pytest.mark.parametrize(
    "text",
    ["web-01", "münchen/日本", "عربى", "می‌خواهم", "👩‍💻 build", "a | b = c"],
)
def test_terminal_keeps_honest_text_of_any_script(text: str) -> None:
    assert safe.terminal(text) == text


@given(ODD)
def test_terminal_output_has_no_control_or_override(text: str) -> None:
    shown = safe.terminal(text)
    assert not any(unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") for c in shown)
    assert not set(shown) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
    assert safe.terminal(shown) == shown


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "  =1", "\x00=1", "\u200b=1", "\uff1d1"],
)
def test_csv_cell_disarms_formulas(text: str) -> None:
    assert safe.csv_cell(text).startswith("'")


@given(ODD)
def test_csv_cell_never_starts_a_formula(text: str) -> None:
    assert not safe.csv_cell(text).lstrip().startswith(("=", "+", "-", "@", "\t", "\r", "\n"))


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("a|b", r"a\|b"),
        ("a\\|b", r"a\\\|b"),
        ("<script>&", "&lt;script&gt;&amp;"),
        ("`x` *y* _z_", r"\`x\` \*y\* \_z\_"),
        ("![t](u)", r"!\[t\](u)"),
        ("ping @team, see #12", "ping @&#8288;team, see #&#8288;12"),
        ("https://evil.example", "https:&#8288;//evil.example"),
        ("www.evil.example", "www&#8288;.evil.example"),
        ("- item", "&#8288;- item"),
        ("3.5 % of a day", "3.5 % of a day"),
        ("1. item", "&#8288;1. item"),
    ],
)
def test_markdown_is_only_words(text: str, written: str) -> None:
    assert safe.markdown(text) == written


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("web-01", "`web-01`"),
        ("a b\nc", "`a b c`"),
        ("a|b", r"a\|b"),
        ("`", r"\`"),
        ("<b>", "&lt;b&gt;"),
        ("", ""),
    ],
)
def test_markdown_code(text: str, written: str) -> None:
    assert safe.markdown_code(text) == written


@given(ODD)
def test_markdown_breaks_no_table_and_holds_no_html(text: str) -> None:
    for written in (safe.markdown(text), safe.markdown_code(text)):
        assert "\n" not in written
        assert "|" not in written.replace("\\\\", "").replace("\\|", "")
        assert not set(written) & set("<>")
