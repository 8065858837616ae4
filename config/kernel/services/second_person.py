"""Who stands in for the second person where an installation has none: trials and demonstrations."""

from __future__ import annotations

from django.conf import settings

CHECKER = "system-checker"


def stand_in() -> str | None:
    """Who checks at once what was made; None: a person of the bank does, when they get to it."""
    return CHECKER if settings.AUTO_CHECK else None
