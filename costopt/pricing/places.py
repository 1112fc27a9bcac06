"""Where providers' regions lie, which of them a wish for residency allows, and how far apart they
are in milliseconds.

facts/regions.csv has a row a region: the country is what the provider says; the coordinates are
those of the city that it names (or of the one nearest to what it names: "Northern Virginia" is
Ashburn), from GeoNames (geonames.org, CC BY 4.0). A region not listed has no place: nothing is
guessed from its name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from math import asin, cos, radians, sin, sqrt
from typing import Any, Final

import pyarrow as pa

from costopt.errors import InputError
from costopt.model import Place
from costopt.pricing import facts
from costopt.pricing.layer import region_key
from costopt.units import provider_key

EU: Final = frozenset(
    {"AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU"}
    | {"IE", "IT", "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK"}
)
"""The 27 members of the European Union, ISO 3166-1 alpha-2.
Source: european-union.europa.eu, "EU countries" (read 2026-11)."""
EEA: Final = EU | {"IS", "LI", "NO"}
"""The European Economic Area: the Union, Iceland, Liechtenstein and Norway (efta.int); not
Switzerland, not the United Kingdom."""
_GROUPS: Final[Mapping[str, frozenset[str]]] = {"eu": EU, "eea": EEA, "uk": frozenset({"GB"})}

COLUMNS: Final = ("provider", "region_id", "country", "continent", "latitude", "longitude")
"""What a row of one's own must tell; `source` too, if there is one."""

_EARTH_KM: Final = 6371.0
IN_REGION_MS: Final = 1.0
"""Between zones of one region: 0.25 ms to 3.4 ms were measured at AWS (xkyle.com, "Measuring AWS
Region and AZ Latency")."""
_FIBRE_MS_PER_KM: Final = 0.01
"""There and back at 200,000 km/s, light in glass (ITU-T G.114: 5 microseconds a km)."""
_DETOUR: Final = 1.48
_EQUIPMENT_MS: Final = 10.5
_FULL_KM: Final = 200.0
"""The three fitted to 235 of Azure's round trips between regions of July 2026 (P95;
learn.microsoft.com/azure/networking/azure-network-latency): see `latency_ms`."""


class Places:
    """The regions whose place is known, the user's own rows above the built-in ones."""

    def __init__(self, places: Iterable[Place]) -> None:
        self._places = {_key(place.provider_name, place.region_id): place for place in places}
        self._regions = {region for _, region in self._places}
        self._countries = {place.country: place.continent for place in self._places.values()}
        self._continents = {place.continent.casefold() for place in self._places.values()}

    @classmethod
    def load(cls, own: pa.Table | None = None) -> Places:
        """The built-in table, overridden by the user's own rows.

        Args:
            own: `COLUMNS`, and `source` if there is one; a row replaces the region's built-in one.
        Raises:
            InputError: a column or a cell of a row is missing, or a coordinate is off the globe.
        """
        return cls([*_built_in(), *_own(own)])

    def place(self, provider_name: str, region_id: str) -> Place | None:
        """Where that region lies; None = not known. Case and blanks do not matter."""
        return self._places.get(_key(provider_name, region_id))

    def continent(self, country: str) -> str | None:
        """That a country is on, as `Place` spells it; None = no region lies there."""
        return self._countries.get(country.upper()) or ("Europe" if country in EEA else None)

    def matches(self, place: Place, wanted: str) -> bool:
        """Whether a wish for residency allows the place.

        Args:
            wanted: a region id, a country (ISO 3166-1 alpha-2), a continent as `Place` spells it,
                or EU, EEA, UK; letters' case makes no difference. Anything else matches nothing:
                ask `knows` first.
        """
        plain = " ".join(wanted.split()).casefold()
        if plain in _GROUPS:
            return place.country in _GROUPS[plain]
        of_region = region_key(wanted) == region_key(place.region_id)
        return of_region or plain in {place.country.casefold(), place.continent.casefold()}

    def knows(self, wanted: str) -> bool:
        """Whether the wish names anything at all: a typing error would silently forbid all."""
        plain = " ".join(wanted.split()).casefold()
        countries = self._countries.keys() | EEA
        listed = region_key(wanted) in self._regions or plain.upper() in countries
        return plain in _GROUPS or plain in self._continents or listed


def distance_km(a: Place, b: Place) -> float:
    """The great-circle distance (haversine, a globe of 6,371 km: within 0.5 % of the ellipsoid)."""
    north, south = radians(a.latitude), radians(b.latitude)
    across = radians(b.longitude - a.longitude)
    half = sin((south - north) / 2) ** 2 + cos(north) * cos(south) * sin(across / 2) ** 2
    return 2 * _EARTH_KM * asin(sqrt(min(1.0, half)))


def latency_ms(a: Place, b: Place) -> float:
    """An estimated round trip between machines in two places, as slow as it gets 5 % of the time.

    1 ms + 10.5 ms x min(1, d / 200 km) + 1.48 x 0.01 ms/km x d: light in glass, on a path 1.48
    times as long as the great circle, and equipment, which short links too have once they leave
    town. It is symmetric and grows with the distance.

    Why it is so: fitted to Azure's published P95 (see above). Of 235 pairs the median error is
    10 %; 8 of 10 lie within -21 % and +20 %, and under 1,000 km the estimate is high rather than
    low (-19 % to +54 %). It fails where cables go round a continent (Europe to Korea, Japan and
    Hong Kong: half to two thirds of what is measured; Brazil to South Africa: 37 %), and says
    nothing of the public internet between two providers. A limit that an estimate passes barely
    should be measured before a move.
    """
    if _key(a.provider_name, a.region_id) == _key(b.provider_name, b.region_id):
        return IN_REGION_MS
    apart = distance_km(a, b)
    equipment = _EQUIPMENT_MS * min(1.0, apart / _FULL_KM)
    return IN_REGION_MS + equipment + _DETOUR * _FIBRE_MS_PER_KM * apart


def _key(provider_name: str, region_id: str) -> tuple[str, str]:
    return provider_key(provider_name), region_key(region_id)


@cache
def _built_in() -> tuple[Place, ...]:
    return tuple(_place(row, f"{row['source']}; GeoNames") for row in facts.rows("regions"))


def _own(table: pa.Table | None) -> Iterable[Place]:
    for number, row in facts.own_rows(table, COLUMNS, "regions"):
        place = _place(row, str(row.get("source") or "one's own"))
        if abs(place.latitude) > 90 or abs(place.longitude) > 180:
            raise InputError(
                f"{place.latitude}, {place.longitude} is not on the globe",
                where=f"regions, row {number}",
                hint="give latitude -90..90 and longitude -180..180, in degrees",
            )
        yield place


def _place(row: Mapping[str, Any], source: str) -> Place:
    return Place(
        provider_name=row["provider"],
        region_id=row["region_id"],
        country=row["country"].upper(),
        continent=row["continent"],
        latitude=float(row["latitude"]),
        longitude=float(row["longitude"]),
        source=source,
    )
