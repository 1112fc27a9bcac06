"""Operating systems as AWS names them: in price lists, in operations and in the spot market.

Only those that EC2 bills by itself. Machines with software on top (SQL Server) or with one's own
licence have other operations, and no price here.

Source: EC2 user guide, "AMI billing information fields"; EC2 API, DescribeSpotPriceHistory.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class System(NamedTuple):
    """One operating system, by each of its names."""

    name: str  # price list, and x_OperatingSystem
    operation: str  # usage operation: price list, bill
    platform: str  # PlatformDetails of instances, ProductDescription of spot prices


SYSTEMS: Final = (
    System("Linux", "RunInstances", "Linux/UNIX"),
    System("Windows", "RunInstances:0002", "Windows"),
    System("RHEL", "RunInstances:0010", "Red Hat Enterprise Linux"),
    System("SUSE", "RunInstances:000g", "SUSE Linux"),
    System(
        "Red Hat Enterprise Linux with HA",
        "RunInstances:1010",
        "Red Hat Enterprise Linux with HA",
    ),
    System("Ubuntu Pro", "RunInstances:0g00", "Ubuntu Pro"),
)
ON_SPOT: Final = SYSTEMS[:4]
"""Those that the spot market tells apart."""
BY_OPERATION: Final = {one.operation: one for one in SYSTEMS}
_BY_NAME: Final = {name.casefold(): one for one in SYSTEMS for name in (one.name, one.platform)}


def system(text: str | None) -> System | None:
    """The system of that name, however AWS spells it; None text is Linux, as in the catalogue.

    "Linux/UNIX (Amazon VPC)" is Linux; "Windows with SQL Server Web" is none of them.
    """
    if text is None:
        return SYSTEMS[0]
    return _BY_NAME.get(text.removesuffix(" (Amazon VPC)").strip().casefold())
