"""Definitions of systems outside: what ships is sound, and what is wrong is named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from loans.files.kinds import KINDS
from settlement.engine.errors import TermsError
from settlement.engine.wire import CODES, NEEDED, PULLED, PUSHED, Definition, parse_definition
from settlement.engine.wire_rows import ours, parts, theirs
from settlement.services.province_definitions import SHIPPED, definitions

HTTP = (SHIPPED / "jiangsu-http.toml").read_text(encoding="utf-8")
COLLECTED = {
    "institution_code": "B1", "scheme_code": "sme", "note_number": "N1", "reference": "S1",
    "period_start": "2026-02-01", "period_end": "2026-02-11", "collected_on": "2026-02-11",
    "interest_due": "3000.00", "interest_paid": "-0.05",
}  # fmt: skip


def changed(**lines: str) -> Definition:
    """The shipped definition with some of its lines said otherwise."""
    text = HTTP
    for key, value in lines.items():
        (line,) = [one for one in text.splitlines() if one.startswith(f"{key} = ")]
        text = text.replace(line, f"{key} = {value}", 1)
    return parse_definition(text, name="changed.toml")


def test_the_shipped_definitions_tell_every_field_and_ask_for_every_column() -> None:
    assert {code: (one.transport, one.format) for code, one in definitions().items()} == {
        "jiangsu-http": ("http", "json"),
        "jiangsu-file": ("file", "csv"),
    }
    for one in definitions().values():
        assert set(one.push) == set(PUSHED)
        assert set(one.pull) == set(PULLED)


def test_what_is_asked_for_are_the_columns_of_files() -> None:
    for kind, types in PULLED.items():
        columns = {column.key: column for column in KINDS[kind].columns}
        assert set(types) == set(columns)
        assert {key for key, one in columns.items() if one.required} == set(NEEDED[kind])
        for key in set(CODES) & set(columns):
            assert set(CODES[key]) == set(columns[key].choices or {})


WRONG = {
    'code = "jiangsu-http"': ('code = "Jiangsu"', "code: 须为小写字母"),
    "batch_rows = 200": ("batch_rows = 501", "batch_rows: 须为 1–500"),
    'transport = "http"': ('transport = "ftp"', "transport: 只能是"),
    'dates = "%Y-%m-%d"': ('dates = "%s"', "dates: 只能是"),
    'rates = "percent_text"': ('rates = "percent_text"\nretry = 3', "retry: 未知的键"),
    'number = "batchNo"': ('number = "data"', "envelope: 成员须有名称且不重名"),
    'ok_value = "0"': ('ok_value = ""', "ok_field 与 ok_value 须同时填写"),
    'header = "X-App-Token"': ('header = "X App"', "authentication: 不是请求头名称"),
    'signature = "X-Signature"': ("", "signature 与 timestamp 须同时填写"),
    'endpoint = "/api/loan/notes"': ('endpoint = "//x/../\\u00e9"', "push.note.drawn.endpoint"),
    'uscc = "creditCode"': ('usc = "creditCode"', "push.note.drawn.fields.usc: 未知的键"),
    'contract_number = "contractNo"': ('contract_number = "noteNo"', "对方字段重名"),
    'principal = "loanAmount"': ("", "push.note.drawn.fields.principal: 缺少"),
    'change = { new = "A", corrected = "U", withdrawn = "D" }': ('change = { new = "A" }', "须写明"),
    'way = { netted = "1", paid_out = "2" }': (
        'way = { netted = "1", paid_out = "1" }', "代码须一一对应",
    ),
    "skips_others = true": ('skips_others = "yes"', "skips_others"),
    "[envelope]": ("[envelope", "不是有效的 TOML"),
}  # fmt: skip


@pytest.mark.parametrize("line", WRONG)
def test_a_definition_that_is_wrong_says_where(line: str) -> None:
    instead, told = WRONG[line]
    assert line in HTTP
    with pytest.raises(TermsError) as refused:
        parse_definition(HTTP.replace(line, instead, 1), name="jiangsu.toml")
    assert any(told in problem for problem in refused.value.problems), refused.value.problems
    assert all(problem.startswith("jiangsu.toml: ") for problem in refused.value.problems)


def test_rows_are_written_as_the_system_writes_dates_and_amounts() -> None:
    system = changed(dates='"%Y%m%d"', amounts='"fen_number"')
    row = theirs(COLLECTED, mapped=system.push["interest.collected"], of=system)
    assert row == {
        "bankCode": "B1", "policyCode": "sme", "noteNo": "N1", "serialNo": "S1",
        "startDate": "20260201", "endDate": "20260211", "collectDate": "20260211",
        "interestDue": 300_000, "interestPaid": -5,
    }  # fmt: skip
    texts = changed(amounts='"fen_text"')
    assert (
        theirs(COLLECTED, mapped=texts.push["interest.collected"], of=texts)["interestPaid"] == "-5"
    )


@pytest.mark.parametrize(
    ("percent", "ppm"), [("3.0000", 30_000), ("3.4501", 34_501), ("0.0500", 500)]
)
def test_rates_in_parts_per_million_are_exact(percent: str, ppm: int) -> None:
    system = changed(rates='"ppm_number"')
    note = dict.fromkeys(PUSHED["note.drawn"], "2026-01-05")
    note |= {
        "annual_rate": percent,
        "principal": "1.00",
        "equipment_amount": "0.00",
        "change": "new",
    }
    assert theirs(note, mapped=system.push["note.drawn"], of=system)["rate"] == ppm


def test_their_rows_are_read_back_and_what_is_not_of_their_shape_is_told() -> None:
    system = changed(months='"%Y%m"', amounts='"fen_text"')
    rows = [
        {"month": "202602", "result": "3", "cutAmount": "-10050", "noteNo": "N1", "more": "x"},
        {"month": "202613", "result": "disallowed", "cutAmount": "1.5", "noteNo": None},
    ]
    read, wrong = ours(rows, mapped=system.pull["review-results"], of=system)
    assert {key: read[0][key] for key in ("month", "result", "amount", "note_number", "reason")} == {
        "month": "2026-02", "result": "disallowed", "amount": "-100.50", "note_number": "N1",
        "reason": None,
    }  # fmt: skip
    assert [(row, key, value) for row, key, value, _ in wrong] == [
        (2, "month", "202613"),
        (2, "result", "disallowed"),
        (2, "amount", "1.5"),
    ]


def test_rows_go_in_parts_and_none_is_lost() -> None:
    rows = [{"n": number} for number in range(5)]
    assert list(parts(rows, most=2)) == [(1, rows[:2]), (3, rows[2:4]), (5, rows[4:])]


def test_an_installation_has_definitions_of_its_own(tmp_path: Path, settings: Any) -> None:
    own = HTTP.replace('"jiangsu-http"', '"anhui"').replace('"noteNo"', '"loanNo"')
    tmp_path.joinpath("anhui.toml").write_text(own, encoding="utf-8")
    settings.PROVINCE_DEFINITIONS = str(tmp_path)
    definitions.cache_clear()
    try:
        assert set(definitions()) == {"anhui", "jiangsu-file", "jiangsu-http"}
        assert definitions()["anhui"].push["note.drawn"].fields["note_number"] == "loanNo"
        tmp_path.joinpath("broken.toml").write_text("more = 1\n" + own, encoding="utf-8")
        definitions.cache_clear()
        with pytest.raises(TermsError) as refused:
            definitions()
        assert list(refused.value.problems) == ["broken.toml: more: 未知的键 / is not a known key"]
    finally:
        definitions.cache_clear()
