"""The time zones that Terraform's provider of Azure takes: lists of its own, older than Windows'.

Source: hashicorp/terraform-provider-azurerm, monitor_autoscale_setting_resource.go
(validateAutoScaleSettingsTimeZone) and compute/validate/validation.go (VirtualMachineTimeZone).
"""

from __future__ import annotations

from typing import Final

from costopt.report.artefacts.schedules.base import Scheduled
from costopt.report.artefacts.schedules.zones import windows_name

_STANDARD: Final = """
Afghanistan, Alaskan, Arab, Arabian, Arabic, Argentina, Atlantic, AUS Central, AUS Eastern,
Azerbaijan, Azores, Bahia, Bangladesh, Belarus, Canada Central, Cape Verde, Caucasus, Cen.
Australia, Central America, Central Asia, Central Brazilian, Central Europe, Central European,
Central Pacific, Central, China, Dateline, E. Africa, E. Australia, E. Europe, E. South
America, Eastern, Egypt, Ekaterinburg, Fiji, FLE, Georgian, GMT, Greenland, Greenwich, GTB,
Hawaiian, India, Iran, Israel, Jordan, Kaliningrad, Korea, Libya, Line Islands, Magadan,
Mauritius, Middle East, Montevideo, Morocco, Mountain, Myanmar, N. Central Asia, Namibia,
Nepal, New Zealand, Newfoundland, North Asia East, North Asia, Pacific SA, Pacific, Pakistan,
Paraguay, Romance, Russian, SA Eastern, SA Pacific, SA Western, Samoa, SE Asia, Singapore,
South Africa, Sri Lanka, Syria, Taipei, Tasmania, Tokyo, Tonga, Turkey, Ulaanbaatar, US
Eastern, US Mountain, Venezuela, Vladivostok, W. Australia, W. Central Africa, W. Europe, West
Asia, West Pacific, Yakutsk
"""
_OTHERS: Final = (
    "Central Standard Time (Mexico)",
    "Mountain Standard Time (Mexico)",
    "Pacific Standard Time (Mexico)",
    "Russia Time Zone 10",
    "Russia Time Zone 11",
    "Russia Time Zone 3",
    "UTC",
    "UTC+12",
    "UTC-02",
    "UTC-11",
)
_BOTH: Final = frozenset(
    (*_OTHERS, *(f"{name} Standard Time" for name in " ".join(_STANDARD.split()).split(", ")))
)
_SHUTDOWN: Final = _BOTH | {"Eastern Standard Time (Mexico)"}
_AUTOSCALE: Final = _BOTH | {"Kamchatka Standard Time", "Mid-Atlantic Standard Time"}


def unknown_to_autoscale(one: Scheduled) -> str | None:
    """Why the provider refuses the zone of a scale set's plan; None: it takes it."""
    return _unknown(one, _AUTOSCALE)


def unknown_to_shutdown(one: Scheduled) -> str | None:
    """Why the provider refuses the zone of a machine's plan; None: it takes it."""
    return _unknown(one, _SHUTDOWN)


def _unknown(one: Scheduled, known: frozenset[str]) -> str | None:
    zone = one.plan.time_zone
    name = windows_name(zone)
    if name is None or name in known:
        return None
    return f"Terraform's azurerm does not know the time zone {name} ({zone})"
