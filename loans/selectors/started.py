"""How far an installation, or a bank in it, has been set up."""

from __future__ import annotations

from typing import NamedTuple

from config.kernel.services.bulk import rows


class Started(NamedTuple):
    """What is there of what subsidies need, as far as it is in sight."""

    institutions: bool
    participations: bool
    notes: bool
    pre_allocations: bool


def started() -> Started:
    """Are there institutions, participations in a policy, notes, and money of finance?"""
    (found,) = rows(
        "SELECT EXISTS (SELECT FROM kernel_institution), EXISTS (SELECT FROM loans_participation),"
        " EXISTS (SELECT FROM loans_note), EXISTS (SELECT FROM loans_preallocation)"
    )
    return Started(*found)
