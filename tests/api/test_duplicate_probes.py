"""`duplicate-probes/`: asked by hashes, answered with the scheme and whom to ask, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from config.kernel.models import Institution
from settlement.models import Probe
from settlement.services.exchange import refresh_entries
from tests import database
from tests.api.machine import Machine, department
from tests.integration.planted import A1, B1, HEAD_B, SME, Planted
from tests.integration.test_exchange import FIRST, KEY_ID, LAST, SECRET, hashed

pytestmark = pytest.mark.django_db(transaction=True)

PATH = "duplicate-probes/"


@pytest.fixture
def uscc(tmp_path: Path, settings: Any) -> str:
    settings.EXCHANGE_KEY_ID, settings.EXCHANGE_KEY = KEY_ID, SECRET
    book = Planted(tmp_path)
    code = book.enterprise()
    book.note(code, "JK-1", contract="HT-A")
    book.note(code, "JK-1", contract="HT-B", at=B1)
    book.post()
    refresh_entries()
    return code


@pytest.fixture
def machines(uscc: str) -> Any:
    """Clients of bank 甲's branch (two), of bank 乙's and of a finance department, on the web's role."""
    place = Institution.objects.get(code=A1)
    made = {
        "one": Machine("one", place),
        "two": Machine("two", place),
        "other": Machine("other", Institution.objects.get(code=B1)),
        "finance": Machine("finance", department("F1", place, schemes=(SME,))),
        "mute": Machine("mute", place, scopes=("jobs:read",)),
    }
    with database.web_connections():
        yield made


def body(*hashes: str, **more: Any) -> dict[str, Any]:
    asked = [{"hash": one, "first_day": FIRST, "last_day": LAST} for one in hashes]
    return {"key_id": KEY_ID, "questions": asked} | more


def count() -> int:
    with database.as_role("app", everything=True):
        return Probe.objects.count()


def test_a_probe_is_kept_and_then_answered(machines: dict[str, Machine], uscc: str) -> None:
    one = machines["one"]
    asked = body(hashed("note", "JK1", uscc), "0" * 64, hashed("contract", "HTA", uscc))
    made = one.post(PATH, asked, **{"X-Request-ID": "request-20260401"})
    assert (made.status_code, made.json()["asked"]) == (201, 3)
    number = made.json()["id"]
    assert made.headers["Location"] == f"/api/v1/duplicate-probes/{number}/"
    answer = one.get(f"{PATH}{number}/")
    assert answer.json() == made.json() | {
        "conflicts": [{"question": 1, "scheme": "central", "ask": HEAD_B}]
    }
    assert one.get(f"{PATH}{number}/").content == answer.content
    with database.as_role("app", everything=True):
        kept = Probe.objects.get()
        assert (kept.actor, kept.institution.code, kept.asked, kept.request_id, kept.answer.hits) == (
            one.client.actor, A1, 3, "request-20260401", 1,
        )  # fmt: skip


def test_under_a_key_it_is_asked_once(machines: dict[str, Machine]) -> None:
    one, key = machines["one"], "probe-2026-04-01-1"
    first = one.post(PATH, body("0" * 64), key=key)
    again = one.post(PATH, body("0" * 64), key=key)
    assert (again.json(), again.headers["Idempotent-Replayed"]) == (first.json(), "true")
    assert count() == 1
    assert one.get(f"{PATH}by-key/{key}/").json()["body"] == first.json()


def test_an_answer_is_its_askers(machines: dict[str, Machine]) -> None:
    number = machines["one"].post(PATH, body("0" * 64)).json()["id"]
    for name, status in (("two", 404), ("other", 404), ("finance", 403), ("mute", 403)):
        assert machines[name].get(f"{PATH}{number}/").status_code == status, name
    for name in ("finance", "mute"):
        refused = machines[name].post(PATH, body("0" * 64))
        assert (refused.status_code, refused.json()["code"]) == (403, "not_permitted")
    assert count() == 1


def test_ones_own_notes_and_unknown_ones_are_answered_alike(
    machines: dict[str, Machine], uscc: str
) -> None:
    one, told = machines["one"], []
    for digest in (hashed("contract", "HTA", uscc), "0" * 64):
        number = one.post(PATH, body(digest)).json()["id"]
        answer = one.get(f"{PATH}{number}/").json()
        told.append({name: answer[name] for name in ("asked", "conflicts")})
    assert told == [{"asked": 1, "conflicts": []}] * 2


def test_another_key_is_refused_before_anything_is_looked_up(
    machines: dict[str, Machine], uscc: str
) -> None:
    answers = []
    for digest in (hashed("note", "JK1", uscc), "0" * 64):
        refused = machines["one"].post(PATH, body(digest, key_id="circle-2025"))
        told = refused.json()
        answers.append((refused.status_code, told["code"], told["errors"][0]["pointer"]))
    assert answers == [(422, "exchange_key_unknown", "/key_id")] * 2
    assert count() == 0


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"questions": []}, "/questions"),
        (body(*["0" * 64] * 101), "/questions"),
        (body("AB" * 32), "/questions/0/hash"),
        (body("0" * 64) | {"note_number": "JK-1"}, "/note_number"),
    ],
)  # fmt: skip
def test_what_is_no_probe_is_refused(
    machines: dict[str, Machine], wrong: dict[str, Any], pointer: str
) -> None:
    refused = machines["one"].post(PATH, {"key_id": KEY_ID} | wrong)
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (400, pointer)
    assert count() == 0


def test_a_period_that_ends_before_it_begins_is_refused(machines: dict[str, Machine]) -> None:
    asked = body("0" * 64, "1" * 64)
    asked["questions"][1] |= {"first_day": LAST, "last_day": FIRST}
    refused = machines["one"].post(PATH, asked)
    assert (refused.status_code, refused.json()["code"]) == (422, "period_reversed")
    assert [one["pointer"] for one in refused.json()["errors"]] == ["/questions/1/last_day"]
    assert count() == 0


def test_it_has_a_rate_of_its_own(machines: dict[str, Machine]) -> None:
    for name in ("one", "two"):
        for _ in range(15):
            assert machines[name].post(PATH, body("0" * 64)).status_code == 201
    refused = machines["one"].post(PATH, body("0" * 64))
    assert (refused.status_code, refused.json()["code"], refused.headers["Retry-After"]) == (
        429, "too_many_requests", "60",
    )  # fmt: skip
    assert count() == 30
    assert machines["other"].post(PATH, body("0" * 64)).status_code == 201
