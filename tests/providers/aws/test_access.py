"""Ways into AWS."""

from costopt.providers.aws import access


def test_the_own_account_is_known_by_its_number(front, settings) -> None:
    assert access.own_account(settings()).account_id == "123456789012"
    assert front.counted() == {"sts:GetCallerIdentity": 1}
