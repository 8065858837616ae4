"""Who asked what of other banks, and which files came: read by auditors and administrators, by nobody else."""
# ruff: noqa: F811 (fixtures are imported by the name they are asked for by)

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from config.kernel.models import Institution, Role
from settlement.models import ExchangeFile, Probe, ProbeAnswer
from tests.integration import rows
from tests.integration.door import client_of, person, tree  # noqa: F401

pytestmark = pytest.mark.django_db

PROBES, FILES = "/admin/settlement/probe/", "/admin/settlement/exchangefile/"
DAY = date(2026, 2, 2)


@pytest.fixture
def asked(tree: dict[str, Institution]) -> Probe:
    """A probe of a branch with a conflict."""
    place = tree[rows.NANJING]
    made = Probe.objects.create(
        institution=place, actor="client:core", key_id="circle-1", hashes=["a" * 64] * 3,
        first_days=[DAY] * 3, last_days=[DAY] * 3, asked=3, request_id="request-20260401",
        at=rows.AT,
    )  # fmt: skip
    conflict = {"question": 2, "scheme": "central", "ask": rows.OTHER}
    ProbeAnswer.objects.create(
        institution=place, probe=made, hits=1, conflicts=[conflict], at=rows.AT
    )
    return made


def test_each_probe_is_on_the_log_with_its_hits(person: Any, asked: Probe) -> None:
    auditor = client_of(person("shen", Role.AUDITOR))
    page = auditor.get(PROBES)
    (row,) = page.context["cl"].result_list
    shown = page.context["cl"].model_admin
    assert (row.actor, row.asked, shown.hits(row), row.request_id) == (
        "client:core", 3, 1, "request-20260401",
    )  # fmt: skip
    text = auditor.get(f"{PROBES}{asked.pk}/change/").text
    assert [word for word in ("central", rows.OTHER, "circle-1") if word not in text] == []
    assert "a" * 64 not in text
    found = auditor.get(PROBES, {"q": "request-20260401"}).context["cl"].result_count
    assert (found, auditor.get(PROBES, {"q": "request-0"}).context["cl"].result_count) == (1, 0)


def test_another_banks_auditor_and_other_people_do_not_see_it(
    person: Any, asked: Probe, tree: dict[str, Institution]
) -> None:
    stranger = client_of(person("sun", Role.AUDITOR, place=rows.OTHER))
    assert list(stranger.get(PROBES).context["cl"].result_list) == []
    for role in (Role.MAKER, Role.CHECKER, Role.MANAGER):
        client = client_of(person(f"{role}-1", role, place=rows.NANJING))
        assert [client.get(page).status_code for page in (PROBES, FILES)] == [403, 403], role


def test_a_refused_file_says_why(person: Any, tree: dict[str, Institution]) -> None:
    made = ExchangeFile.objects.create(
        source="b9.csv", sha256="0" * 64, outcome="refused", problem_count=1, actor="maker",
        problems=[[3, "hash", "XYZ", "须为 64 位小写十六进制数"]], at=rows.AT,
    )  # fmt: skip
    boss = client_of(person("boss", Role.ADMINISTRATOR))
    text = boss.get(f"{FILES}{made.pk}/change/").text
    assert [word for word in ("b9.csv", "hash", "XYZ", "64 位") if word not in text] == []
    assert boss.post(f"{FILES}{made.pk}/change/", {"source": "x"}).status_code == 403
