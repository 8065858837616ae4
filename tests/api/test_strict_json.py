"""Bodies that other parsers let by: each refused with its own code, and nothing changes (reference §5b)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from config.kernel.models import IdempotencyKey
from loans.models import ImportBatch, Note, Repayment
from tests.api.machine import Machine
from tests.integration import rows
from tests.integration.rows import NANJING, OTHER

pytestmark = pytest.mark.django_db
GOOD = {
    "institution_code": NANJING,
    "note_number": "",
    "repaid_on": "2026-03-21",
    "amount": "100.00",
    "reference": "R000001",
}


@pytest.fixture
def core(as_role):
    banks = rows.institutions()
    rows.whole_book(banks[NANJING])
    GOOD["note_number"] = Note.objects.get().note_number
    machine = Machine("core", banks[NANJING])
    before = stored()
    with as_role("app"):
        yield machine
    assert stored() == before, "a refusal changes nothing"


def stored() -> list[int]:
    return [model.objects.count() for model in (Repayment, ImportBatch, IdempotencyKey)]


def refused(answer: Any, status: int, code: str) -> dict[str, Any]:
    """The problem, after what every problem must be."""
    body = answer.json()
    assert (answer.status_code, body["status"], body["code"]) == (status, status, code), body
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert body["type"] == f"urn:tiexi:problem:{code}"
    assert body["instance"] == f"urn:request:{answer.headers['X-Request-ID']}"
    return body


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"null", "invalid"),
        (b"[]", "invalid"),
        (b'{"items":[]}', "invalid"),
        (b'"x"', "invalid"),
        (b"17", "invalid"),
        (b"[1]", "invalid"),
        (b"", "invalid"),
        (b"{", "malformed_json"),
        (b'{"a":1,}', "malformed_json"),
        (b'{"a":1} // note', "malformed_json"),
        (b"{'a':1}", "malformed_json"),
        (b'{"a":NaN}', "malformed_json"),
        (b'{"a":-Infinity}', "malformed_json"),
        (b'{"amount":"1","amount":"9"}', "duplicate_key"),
        (b"[" * 100_000, "too_deep"),
        (b'{"a":' * 21 + b"1" + b"}" * 21, "too_deep"),
        (b'{"reference":"a\\u0000b"}', "forbidden_character"),
        (b'{"reference":"\\ud800"}', "forbidden_character"),
        (b'{"\\udfff":"a"}', "forbidden_character"),
        (b'{"reference":"a\x00b"}', "malformed_json"),
        (b'{"a":"\xff"}', "wrong_encoding"),
        ('{"a":"中"}'.encode("utf-16"), "wrong_encoding"),
        (b"\xef\xbb\xbf{}", "wrong_encoding"),
    ],
)
def test_what_is_no_strict_json_is_400(core, body, code):
    refused(core.post("repayments/", body), 400, code)


def test_where_json_breaks_is_said_in_both_languages(core):
    answer = core.post("repayments/", b'{\n "a": 1,\n}')
    assert refused(answer, 400, "malformed_json")["detail"] == "不是合法的 JSON：第 3 行第 1 列"
    answer = core.post("repayments/", b'{\n "a": 1,\n}', **{"Accept-Language": "en-GB,zh;q=0.5"})
    body = refused(answer, 400, "malformed_json")
    assert body["detail"] == "not valid JSON: line 3, column 1"
    assert answer.headers["Content-Language"] == "en"


def test_the_deepest_that_passes_is_twenty(core):
    body = b'{"a":' * 20 + b"1" + b"}" * 20
    assert refused(core.post("repayments/", body), 400, "invalid")["errors"][0]["pointer"] == "/a"


def test_brackets_in_texts_are_no_depth(core):
    body = json.dumps({**GOOD, "reference": "[" * 64, "x": "\\" * 30 + '"{'}).encode()
    faults = refused(core.post("repayments/", body), 400, "invalid")["errors"]
    assert [fault["pointer"] for fault in faults] == ["/x"]


@pytest.mark.parametrize(
    ("member", "value"),
    [
        *(("amount", value) for value in (0.1, 100, True, None, "", [], {})),
        *(
            ("amount", text)
            for text in ("NaN", "Infinity", "1e400", "1E+2", "-0.00", "-0", "1_000")
        ),
        *(("amount", text) for text in ("+1", " 1", "1 ", "1.005", "1,000.00", "9" * 19, "01")),
        *(("amount", text) for text in ("٣", "１２", "0x10", "1.", ".5", "100000000000.01")),
        *(("repaid_on", text) for text in ("2026-02-30", "0000-01-01", "10000-01-01", "46023")),
        *(("repaid_on", text) for text in ("2026-03-21T00:00:00", "2026-3-1", "20260321", "")),
        ("repaid_on", 20260321),
        ("repaid_on", "２０２６-03-21"),
        *(("reference", text) for text in ("", " ", "\u200b\u200b", "a\u202eb", "x" * 65, " a")),
        ("reference", 17),
        ("reference", None),
        ("note_number", ["a"]),
    ],
)
def test_a_member_has_one_way_of_being_written(core, member, value):
    answer = core.post("repayments/", {**GOOD, member: value})
    faults = refused(answer, 400, "invalid")["errors"]
    assert [fault["pointer"] for fault in faults] == [f"/{member}"]


@pytest.mark.parametrize("member", ["bank_id", "status", "id", "made_by", "a/b~c"])
def test_unknown_members_are_named(core, member):
    faults = refused(core.post("repayments/", {**GOOD, member: "1"}), 400, "invalid")["errors"]
    pointer = "/a~1b~0c" if member == "a/b~c" else f"/{member}"
    assert faults == [{"pointer": pointer, "code": "unknown_field", "detail": "未知字段"}]


@pytest.mark.parametrize("member", GOOD)
def test_required_members_are_named(core, member):
    body = {name: value for name, value in GOOD.items() if name != member}
    faults = refused(core.post("repayments/", body), 400, "invalid")["errors"]
    assert faults == [{"pointer": f"/{member}", "code": "required", "detail": "必填"}]


def test_one_bad_item_of_a_thousand_is_named_and_none_is_stored(core):
    items = [{**GOOD, "amount": "0.01", "reference": f"R{n}"} for n in range(1_000)]
    items[737]["amount"] = "x"
    for body, pointer in ((items, "/737/amount"), ({"items": items}, "/items/737/amount")):
        faults = refused(core.post("repayments/", body), 400, "invalid")["errors"]
        assert [(fault["pointer"], fault["value"]) for fault in faults] == [(pointer, "x")]


def test_an_item_that_rules_refuse_is_named_and_none_is_stored(core):
    items = [{**GOOD, "amount": "0.01", "reference": f"R{n}"} for n in range(3)]
    items[1]["note_number"] = "nobody's"
    faults = refused(core.post("repayments/", {"items": items}), 422, "refused_content")["errors"]
    assert [(f["pointer"], f["code"]) for f in faults] == [
        ("/items/1/note_number", "unknown_reference")
    ]


def test_another_bank_is_as_good_as_none(core):
    for code in (OTHER, "B9999999999999"):
        answer = core.post("repayments/", {**GOOD, "institution_code": code})
        (fault,) = refused(answer, 422, "refused_content")["errors"]
        assert fault == {
            "pointer": "/institution_code",
            "code": "unknown_reference",
            "detail": "未登记的机构编码，或不在您的机构范围内",
            "value": code,
        }


def test_ten_thousand_and_one_are_too_many(core):
    refused(core.post("repayments/", [GOOD] * 10_001), 400, "too_many_items")


def test_a_body_above_the_limit_is_413(core):
    refused(core.post("repayments/", b" " * (10 << 20) + b"{}"), 413, "body_too_large")


@pytest.mark.parametrize(
    "media",
    [
        "text/xml",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json; charset=gbk",
        "application/json; charset=bogus",
        "application/octet-stream",
    ],
)
def test_nothing_but_json_in_utf_8_is_read(core, media):
    raw = json.dumps(GOOD).encode()
    answer = core.http.generic("POST", "/api/v1/repayments/", raw, media, headers=core.headers())
    refused(answer, 415, "unsupported_media_type")


def test_compressed_bodies_are_not_read(core):
    answer = core.post("repayments/", GOOD, **{"Content-Encoding": "gzip"})
    refused(answer, 415, "unsupported_media_type")


def test_texts_that_mean_something_elsewhere_are_texts(core, as_role):
    for text in ("a'; DROP TABLE loans_note; --", "${jndi:ldap://x}", "{{7*7}}", "*)(uid=*"):
        answer = core.post("repayments/", {**GOOD, "note_number": text})
        faults = refused(answer, 422, "refused_content")
        assert [f["code"] for f in faults["errors"]] == ["unknown_reference"]
