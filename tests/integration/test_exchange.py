"""Files of hashes between banks: what is told, what is made of it, and what is refused."""

from __future__ import annotations

import csv
import hashlib
import hmac
import io
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from loans.values.errors import DomainError
from settlement.models import ExchangeEntry, ExchangeFile, ExchangeRow, Finding
from settlement.services.duplicates import check_duplicates
from settlement.services.exchange import refresh_entries
from settlement.services.exchange_files import ExchangeRefused, take_file
from tests.integration.book import AT, read_csv
from tests.integration.planted import A1, B1, HEAD_A, HEAD_B, MAKING, Planted

pytestmark = pytest.mark.django_db

SECRET, KEY_ID = "5a" * 32, "circle-2026"
OUTSIDE = "C0021110000002"  # a bank that is not here
COLUMNS = ["bank_code", "key_id", "made_on", "kind", "hash", "duty", "first_day", "last_day"]
FIRST, LAST = "2026-02-02", "2028-02-01"


def hashed(kind: str, *parts: str) -> str:
    text = "\n".join(("1", kind, *parts)).encode()
    return hmac.new(bytes.fromhex(SECRET), text, hashlib.sha256).hexdigest()


@pytest.fixture
def book(tmp_path: Path, settings: Any) -> Planted:
    settings.EXCHANGE_KEY_ID, settings.EXCHANGE_KEY = KEY_ID, SECRET
    return Planted(tmp_path)


@pytest.fixture
def uscc(book: Planted) -> str:
    """Bank 甲 has a note JK-1 of this borrower."""
    code = book.enterprise()
    book.note(code, "JK-1", contract="HT-1")
    book.post()
    return code


def row(kind: str, digest: str, **more: str) -> dict[str, str]:
    told = [OUTSIDE, KEY_ID, "2020-04-01", kind, digest, "central", FIRST, LAST]
    return dict(zip(COLUMNS, told, strict=True)) | more


def written(folder: Path, rows: Sequence[dict[str, str]], name: str = "other.csv") -> Path:
    path = folder / name
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, fieldnames=COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    return path


def take(path: Path, *, day: int = 2, **options: Any) -> Any:
    done = take_file(path=path, actor="system", at=AT + timedelta(days=day), **options)
    check_duplicates(at=AT + timedelta(days=day))
    return done


def command(*arguments: Any) -> str:
    out = io.StringIO()
    call_command(*map(str, arguments), stdout=out)
    return out.getvalue()


def there() -> list[tuple[str, str, str, Any]]:
    return [
        (one.rule, one.severity, one.note.note_number, one.evidence)
        for one in Finding.objects.filter(gone_at=None)
        .select_related("note")
        .order_by("rule", "pk")
        if one.note is not None
    ]


def test_a_file_holds_hashes_periods_schemes_the_bank_and_nothing_else(
    book: Planted, tmp_path: Path
) -> None:
    code = book.enterprise()
    project = book.project(code, "XM-1")
    book.note(code, "JK-1", contract="HT-1", project=project)
    book.invoice("JK-1", "88-1", serial="SN1")
    book.note(book.enterprise(), "JK-2", at=B1)  # another bank's
    book.post()
    path = tmp_path / "out.csv"
    said = command("export", "exchange", "--out", path, "--institution", HEAD_A)
    assert said == f"exchange: 7 行 rows → {path}\n"
    found = read_csv(path)
    assert list(found[0]) == COLUMNS
    assert {(one["bank_code"], one["key_id"], one["duty"]) for one in found} == {
        (HEAD_A, KEY_ID, "central")
    }
    assert {(one["first_day"], one["last_day"]) for one in found} == {(FIRST, LAST)}
    assert sorted((one["kind"], one["hash"]) for one in found) == sorted(
        [
            ("note", hashed("note", "JK1", code)),
            ("contract", hashed("contract", "HT1", code)),
            ("invoice", hashed("invoice", "881", code)),
            ("invoice", hashed("invoice", "881", "2026-01-30", "")),
            ("serial", hashed("serial", "SN1", code)),
            ("project", hashed("project", "XM1")),
            ("uscc", hashed("uscc", code)),
        ]
    )
    text = path.read_text(encoding="utf-8-sig")
    assert [word for word in (code, "JK", "HT-1", "XM", "SECRET", SECRET) if word in text] == []


def test_what_is_kept_follows_the_facts_and_the_key(
    book: Planted, uscc: str, settings: Any
) -> None:
    assert [refresh_entries(), refresh_entries()] == [3, 3]
    before = set(ExchangeEntry.objects.values_list("pk", flat=True))
    book.note(uscc, "JK-2", contract="HT-2", drawn="2026-02-03")
    book.post()
    assert refresh_entries() == 6
    assert before < set(ExchangeEntry.objects.values_list("pk", flat=True))
    settings.EXCHANGE_KEY_ID, settings.EXCHANGE_KEY = "circle-2027", "5b" * 32
    assert refresh_entries() == 6
    assert set(ExchangeEntry.objects.values_list("key_id", flat=True)) == {"circle-2027"}


def test_a_part_of_a_bank_or_two_banks_are_no_file(uscc: str, tmp_path: Path) -> None:
    for scope in ([], ["--institution", A1]):
        with pytest.raises(CommandError, match="one whole bank"):
            command("export", "exchange", "--out", tmp_path / "x.csv", *scope)
    assert not (tmp_path / "x.csv").exists()


@pytest.mark.parametrize(
    ("key_id", "secret", "code"),
    [
        ("", "", "exchange_key_missing"),
        ("circle-2026", "5a" * 31, "exchange_key_invalid"),
        ("circle-2026", "5z" * 32, "exchange_key_invalid"),
        ("Circle", "5a" * 32, "exchange_key_invalid"),
        ("", "5a" * 32, "exchange_key_invalid"),
    ],
)
def test_without_a_key_nothing_is_told(settings: Any, key_id: str, secret: str, code: str) -> None:
    settings.EXCHANGE_KEY_ID, settings.EXCHANGE_KEY = key_id, secret
    with pytest.raises(DomainError) as refused:
        refresh_entries()
    assert refused.value.code == code
    assert not secret or secret not in str(refused.value)
    assert not ExchangeEntry.objects.exists()


def test_a_conflict_is_a_finding_of_ones_own_note_that_says_whom_to_ask(
    uscc: str, tmp_path: Path
) -> None:
    other_note = hashed("note", "JK2", uscc)
    path = written(
        tmp_path,
        [
            row("note", hashed("note", "JK1", uscc)),
            row("contract", hashed("contract", "HT1", uscc), first_day="2028-02-01", last_day=LAST),
            row("uscc", hashed("uscc", uscc), last_day="2026-02-01", first_day="2025-01-01"),
            row("note", other_note),
            row("project", hashed("note", "JK1", uscc)),  # of another kind
        ],
    )
    said = command("match_exchange", path)
    evidence = {"scheme": "central", "ask": [OUTSIDE]}
    assert there() == [
        ("P1", "warning", "JK-1", evidence | {"matched_by": "exchange;note_number"}),
        ("P2", "warning", "JK-1", evidence | {"matched_by": "exchange;contract_number"}),
    ]
    finding = Finding.objects.get(rule="P1")
    assert (finding.institution.code, finding.article, finding.central_fen) == (
        A1, "财金〔2026〕4号 三(三)", 420_000,
    )  # fmt: skip
    lines = said.splitlines()
    assert (lines[0], lines[-1]) == (f"exchange {OUTSIDE}: 5 行 rows", "冲突 conflicts 2")
    assert lines[3].split() == [f"#{finding.pk}", "P1", f"{A1}/JK-1", "central", OUTSIDE]


def test_another_duty_is_no_conflict(uscc: str, tmp_path: Path) -> None:
    take(written(tmp_path, [row("note", hashed("note", "JK1", uscc), duty="provincial")]))
    assert there() == []


def test_a_file_twice_is_once_and_a_newer_one_replaces_it(uscc: str, tmp_path: Path) -> None:
    full = written(tmp_path, [row("note", hashed("note", "JK1", uscc))])
    assert [take(full).is_known, take(full).is_known] == [False, True]
    (found,) = Finding.objects.all()
    assert (ExchangeFile.objects.count(), ExchangeRow.objects.count()) == (1, 1)

    newer = [row("note", hashed("note", "JK9", uscc), made_on="2020-04-02")]
    assert not take(written(tmp_path, newer, "newer.csv")).is_known
    assert (there(), ExchangeRow.objects.count()) == ([], 1)

    with pytest.raises(ExchangeRefused, match="1 problems"):
        take(full)  # of the day before

    again = [row("note", hashed("note", "JK1", uscc), made_on="2020-04-03")]
    take(written(tmp_path, again, "again.csv"), day=3)
    assert [one.pk for one in Finding.objects.filter(gone_at=None)] == [found.pk]

    assert not take(written(tmp_path, [], "none.csv"), bank_code=OUTSIDE, day=4).is_known
    assert (there(), ExchangeRow.objects.count()) == ([], 0)


def test_other_banks_files_stay_when_one_is_replaced(uscc: str, tmp_path: Path) -> None:
    third = "C0031110000003"
    rows = [row("note", hashed("note", "JK1", uscc))]
    take(written(tmp_path, rows))
    take(written(tmp_path, [one | {"bank_code": third} for one in rows], "third.csv"))
    assert [one[3]["ask"] for one in there()] == [[OUTSIDE], [third]]
    take(written(tmp_path, [], "none.csv"), bank_code=third, day=3)
    assert [one[3]["ask"] for one in there()] == [[OUTSIDE]]


def test_two_banks_of_one_installation(book: Planted, uscc: str, tmp_path: Path) -> None:
    book.project(uscc, "XM-7")
    book.note(uscc, "A7", project="XM-7", drawn="2026-02-04")
    book.note(uscc, "B7", at=B1, project="XM-7", drawn="2026-02-05", yuan=1_000_000)
    book.note(uscc, "B8", at=B1, drawn="2026-02-06", yuan=2_000_000, schemes=MAKING)
    book.post()
    path = tmp_path / "b.csv"
    command("export", "exchange", "--out", path, "--institution", HEAD_B)
    command("match_exchange", path)
    found = [(one[0], one[2], one[3]["ask"]) for one in there() if "exchange" in str(one[3])]
    assert sorted(found) == [
        ("P10", "A7", [HEAD_B]), ("P10", "JK-1", [HEAD_B]), ("P4", "A7", [HEAD_B]),
    ]  # fmt: skip


WRONG: list[tuple[dict[str, str], str, str]] = [
    ({"hash": "AB" * 32}, "row 3, column hash (哈希值)", "lower-case hexadecimal"),
    ({"last_day": "2026-02-01"}, "row 3, column last_day (贴息末日)", "before the first"),
    ({"kind": "name"}, "row 3, column kind (类别)", "name"),
    ({"first_day": "2026-02-30"}, "row 3, column first_day (贴息首日)", "2026-02-30"),
    ({"key_id": "circle-2025"}, "row 3, column key_id (密钥编号)", "another than ours"),
    ({"bank_code": HEAD_B}, "row 3, column bank_code (来源银行)", "of one bank"),
    ({"made_on": "2020-03-31"}, "row 3, column made_on (导出日)", "of one day"),
]


@pytest.mark.parametrize(("wrong", "place", "why"), WRONG)
def test_what_is_wrong_refuses_the_whole_file(
    uscc: str, tmp_path: Path, wrong: dict[str, str], place: str, why: str
) -> None:
    good = row("note", hashed("note", "JK1", uscc))
    path = written(tmp_path, [good, row("note", "0" * 64) | wrong])
    with pytest.raises(ExchangeRefused) as refused:
        take(path)
    (problem,) = refused.value.problems
    assert str(problem).startswith(place)
    assert why in str(problem)
    assert (ExchangeRow.objects.count(), Finding.objects.count()) == (0, 0)
    kept = ExchangeFile.objects.get()
    assert (kept.outcome, kept.problem_count, kept.problems[0][0]) == ("refused", 1, 3)


def test_a_file_of_tomorrow_or_of_nobody_is_refused(uscc: str, tmp_path: Path) -> None:
    later = row("note", "0" * 64, made_on="2027-01-01")
    for rows, options in (
        ([later], {}),
        ([], {}),
        ([row("note", "0" * 64)], {"bank_code": HEAD_B}),
    ):
        with pytest.raises(ExchangeRefused):
            take(written(tmp_path, rows), **options)
    assert ExchangeRow.objects.count() == 0


def test_the_secret_is_shown_nowhere(uscc: str, tmp_path: Path) -> None:
    path = written(tmp_path, [row("note", "0" * 64, key_id="circle-2025")])
    err = io.StringIO()
    with pytest.raises(CommandError) as refused:
        call_command("match_exchange", str(path), stderr=err)
    assert SECRET not in err.getvalue() + str(refused.value)
    assert "row 2, column key_id" in err.getvalue()
