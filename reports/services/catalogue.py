"""Which reports are there, and who builds each: one entry per code of domain §6."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from reports.definitions.period import Period
from reports.definitions.sheet import Sheet
from reports.services import build_annual_demand


@dataclass(frozen=True)
class Asked:
    """What is asked for: a period, an institution with everything below it, and a scheme or all.

    `scope` is the range of institution numbers that the report covers.
    """

    period: Period
    institution_id: int
    institution_code: str
    institution_name: str
    scope: tuple[int, int]
    scheme_code: str | None = None


Builder = Callable[[Asked], Sheet]

BUILDERS: dict[str, Builder] = {
    "annual-demand": build_annual_demand.build,
}
