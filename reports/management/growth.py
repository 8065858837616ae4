"""What both commands take for a growth of lending."""

from __future__ import annotations

import argparse

from loans.values.errors import DomainError
from loans.values.money import ppm_from_percent
from reports.services.asking import LEAST_PPM, MOST_PPM


def growth(text: str) -> int:
    """Percent as written, in parts per million."""
    try:
        ppm = ppm_from_percent(text)
    except DomainError as refused:
        raise argparse.ArgumentTypeError(f"{text}: {refused.message}") from refused
    if not LEAST_PPM <= ppm <= MOST_PPM:
        raise argparse.ArgumentTypeError(f"增长率 / growth from -100 to 1000 percent: {text}")
    return ppm
