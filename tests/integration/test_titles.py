"""Pages are titled in words: no code of a rule, a state or a policy stands for its name."""
# ruff: noqa: F811 (fixtures are imported by the name they are asked for by)

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib import admin

from tests.integration.test_admin import complete_book, tree  # noqa: F401

pytestmark = pytest.mark.django_db

CODE = re.compile(r"[a-z_]{4,}")
LATIN = {  # what bears a Latin name of its own: people, files, a policy beside its name
    "kernel.user", "kernel.signin", "loans.fileimport", "loans.paper", "loans.schemelabel",
    "reports.reportfile", "settlement.scheme", "kernel.apiclient", "kernel.signingkey",
    "kernel.webhookendpoint", "kernel.webhooksecret", "settlement.provincesystem",
}  # fmt: skip


def test_no_code_stands_for_its_name(tree: Any) -> None:
    complete_book(tree)
    found = {}
    for model in admin.site._registry:
        label = model._meta.label_lower
        if label in LATIN or label.endswith("event"):
            continue
        for row in model._default_manager.order_by("pk")[:3]:
            codes = CODE.findall(str(row))
            if codes:
                found[label] = str(row)
    assert found == {}
