"""Loans know schemes only as labels that notes may carry."""

from __future__ import annotations

from loans.models import SchemeLabel


def register_label(*, code: str, name: str) -> None:
    """Let notes carry this scheme's code from now on."""
    SchemeLabel.objects.get_or_create(code=code, defaults={"name": name})
