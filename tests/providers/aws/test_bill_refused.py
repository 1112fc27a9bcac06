"""Exports that cannot be had, or are none."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from decimal import Decimal

import httpx
import pyarrow as pa

from costopt.providers.aws import bill
from costopt.providers.aws.access import own_account
from costopt.providers.aws.settings import AwsSettings
from costopt.providers.base import Problem
from tests.fakes import bill_export
from tests.providers.aws.bills import (
    Collected,
    Store,
    small,
    total,
)


def test_an_address_without_exports_says_what_to_do(store: Store) -> None:
    store.put("elsewhere/readme.txt", b"-")
    found = store.collect("elsewhere")
    (problem,) = found.problems
    assert problem.fatal
    assert "no bill export below this address" in problem.what
    assert problem.where == f"s3://{store.name}/elsewhere"


def test_an_address_that_is_refused_does_not_stop_the_others(
    store: Store, settings: Callable[..., AwsSettings]
) -> None:
    bill_export.data_export(store.put, "p", "2026-09", [bill_export.cur_csv(small())])
    home = own_account(settings(export=("s3://no-such-bucket/x", f"s3://{store.name}/p")))
    problems: list[Problem] = []
    tables = list(bill.charges(home, {}, None, problems, {}))
    assert total(pa.concat_tables(tables)) == Decimal("1.5")
    (problem,) = problems
    assert problem.where == "s3://no-such-bucket/x s3:ListObjectsV2"
    assert problem.what.startswith("NoSuchBucket")
    assert problem.fatal


def test_without_permission_it_is_told(store: Store, aws_server: str) -> None:
    bill_export.data_export(store.put, "f", "2026-09", [bill_export.cur_csv(small())])
    found = Collected([], [], {})
    tables = store.lazily("f", into=found)
    httpx.post(f"{aws_server}/moto-api/reset-auth", content="0").raise_for_status()
    try:
        assert list(tables) == []
    finally:
        httpx.post(f"{aws_server}/moto-api/reset-auth", content="inf").raise_for_status()
    assert found.problems[0].fatal
    assert found.notes == {}
    assert "testing" not in str(found.problems)


def test_exports_of_something_else_are_left_out(store: Store) -> None:
    text = gzip.compress(b"recommendation_id,action_type\n1,Stop\n")
    bill_export.data_export(store.put, "s", "2026-09", [text])
    (problem,) = store.collect("s").problems
    assert "neither FOCUS nor a Cost and Usage Report" in problem.what
    assert not problem.fatal


def test_an_export_that_lacks_a_column_says_which(store: Store) -> None:
    text = b"line_item_line_item_type,line_item_unblended_cost\nUsage,1\n"
    bill_export.data_export(store.put, "u", "2026-09", [gzip.compress(text)])
    (problem,) = store.collect("u").problems
    assert "line_item_currency_code, line_item_usage_start_date" in problem.what
    assert problem.fatal
