"""What a run notes beside its advice."""

from __future__ import annotations

from costopt import schema
from costopt.pricing.catalogue import Catalogue
from costopt.rules.judgement import refused_prices
from tests.pricing.tables import price, prices


def test_refused_prices_are_called_the_users_own_only_where_they_are() -> None:
    own = price("m5.large", "0", ProviderName="AWS", RegionId="us-east-1")
    listed = {**own, "x_InstanceType": "m5.xlarge", "x_Source": schema.AWS_SPOT}
    also = {**listed, "x_InstanceType": "m5.2xlarge"}
    assert refused_prices(Catalogue.load(prices(own, listed, also))) == (
        "1 price of yours refused, first: a price is above zero",
        "2 prices of the provider's refused, first: a price is above zero",
    )
    assert refused_prices(Catalogue.load(prices(listed))) == (
        "1 price of the provider's refused, first: a price is above zero",
    )
    assert refused_prices(Catalogue.load()) == ()
