"""What notes decide for one another: caps, groups, one bank, funds, the municipal rule."""

from __future__ import annotations

import random

from tests.unit.engine.build import DAY, YUAN, Case, scheme, variant

SME, EQUIPMENT = "central-sme-2026", "central-equipment-2026"
MANUFACTURING, SPORTS = "jiangsu-manufacturing-2026", "jiangsu-sports-2026"
MILLION = 1_000_000 * YUAN
SPORT = {"purpose_field": "体育产业", "loan_type": "working_capital"}


def _given(case: Case) -> list[tuple[int, bool]]:
    return case.assess().select("eligible_fen", "principal_capped").rows()


def test_a_principal_cap_is_given_out_in_drawdown_order() -> None:
    case = Case([scheme(SME)])
    case.note(principal_fen=30 * MILLION, drawn_on=DAY(2026, 3, 1))
    case.note(principal_fen=30 * MILLION, drawn_on=DAY(2026, 2, 1))
    case.note(principal_fen=10 * MILLION, drawn_on=DAY(2026, 4, 1))
    case.note(principal_fen=30 * MILLION, drawn_on=DAY(2026, 4, 1), enterprise_id=2)
    assert _given(case) == [
        (20 * MILLION, True),
        (30 * MILLION, False),
        (0, True),
        (30 * MILLION, False),
    ]
    assert case.assess()["status"].unique().to_list() == ["eligible"]


def test_equal_drawdown_days_go_by_institution_then_note_number() -> None:
    case = Case([scheme(SME)])
    case.note(principal_fen=40 * MILLION, institution_code="C2", note_number="JJ1")
    case.note(principal_fen=40 * MILLION, institution_code="C1", note_number="JJ9")
    case.note(principal_fen=40 * MILLION, institution_code="C1", note_number="JJ10")
    assert _given(case) == [(0, True), (10 * MILLION, True), (40 * MILLION, False)]


def test_ineligible_notes_use_no_cap() -> None:
    case = Case([scheme(SME)])
    case.note(principal_fen=40 * MILLION, purpose_field="房地产")
    case.note(principal_fen=40 * MILLION)
    assert _given(case) == [(0, False), (40 * MILLION, False)]


def test_sports_caps_are_separate_for_working_capital() -> None:
    case = Case([scheme(SPORTS)])
    case.note(**SPORT, principal_fen=25 * MILLION)
    case.note(**{**SPORT, "loan_type": "project"}, principal_fen=25 * MILLION)
    case.note(**{**SPORT, "loan_type": "fixed_asset"}, principal_fen=25 * MILLION)
    assert _given(case) == [(20 * MILLION, True), (25 * MILLION, False), (5 * MILLION, True)]


def test_of_one_group_the_first_eligible_label_counts() -> None:
    case = Case([scheme(SME), scheme(EQUIPMENT)])
    case.note(SME, EQUIPMENT)
    case.note(EQUIPMENT, SME)
    case.note(SME, EQUIPMENT, ownership="state")
    case.note(SME, EQUIPMENT, purpose_field="农业")
    reasons = case.reasons()
    assert reasons[1, SME] == []
    assert reasons[1, EQUIPMENT] == ["exclusive_group"]
    assert reasons[2, EQUIPMENT] == []
    assert reasons[2, SME] == ["exclusive_group"]
    assert reasons[3, SME] == ["not_private"]
    assert reasons[3, EQUIPMENT] == []
    assert reasons[4, EQUIPMENT] == ["purpose_field", "exclusive_group"]


def test_a_label_refused_by_the_fund_frees_its_group_for_the_next() -> None:
    case = Case([scheme(SPORTS), scheme(MANUFACTURING)])
    case.note(SPORTS, MANUFACTURING, **{**SPORT, "loan_type": "project"}, equipment_fen=MILLION)
    case.funds = [{"scheme_code": SPORTS, "year": 2026, "amount_fen": 1}]
    assert case.reasons() == {(1, SPORTS): ["fund_exhausted"], (1, MANUFACTURING): []}
    case.funds = []
    assert case.reasons() == {(1, SPORTS): [], (1, MANUFACTURING): ["exclusive_group"]}


def test_the_bank_of_the_first_otherwise_eligible_note_wins() -> None:
    case = Case([scheme(SPORTS)])
    case.note(**SPORT, bank_id=1, drawn_on=DAY(2026, 2, 1), tax_rating="D")
    case.note(**SPORT, bank_id=2, drawn_on=DAY(2026, 3, 1))
    case.note(**SPORT, bank_id=1, drawn_on=DAY(2026, 4, 1))
    case.note(**SPORT, bank_id=2, drawn_on=DAY(2026, 5, 1))
    case.note(**SPORT, bank_id=1, drawn_on=DAY(2026, 5, 1), enterprise_id=2)
    assert list(case.reasons().values()) == [
        ["tax_rating"],
        [],
        ["one_bank_per_enterprise"],
        [],
        [],
    ]


def test_a_bank_wins_even_where_the_fund_then_refuses_its_note() -> None:
    case = Case([scheme(SPORTS)])
    case.note(**SPORT, bank_id=1, drawn_on=DAY(2026, 2, 1), principal_fen=20 * MILLION)
    case.note(**SPORT, bank_id=2, drawn_on=DAY(2026, 3, 1), principal_fen=MILLION)
    case.funds = [{"scheme_code": SPORTS, "year": 2026, "amount_fen": 20_000 * YUAN}]
    assert list(case.reasons().values()) == [["fund_exhausted"], ["one_bank_per_enterprise"]]


def test_a_fund_is_committed_in_order_and_a_smaller_note_may_still_fit() -> None:
    case = Case([scheme(SPORTS)])
    for enterprise, millions in enumerate((10, 10, 5, 1), 1):
        case.note(
            **SPORT,
            principal_fen=millions * MILLION,
            enterprise_id=enterprise,
            drawn_on=DAY(2026, 2, enterprise),
        )
    case.funds = [{"scheme_code": SPORTS, "year": 2026, "amount_fen": 180_000 * YUAN}]
    rows = case.assess().select("status", "commitment_fen").rows()
    assert rows == [
        ("eligible", 120_000 * YUAN),
        ("ineligible", None),
        ("eligible", 60_000 * YUAN),
        ("ineligible", None),
    ]
    assert case.reasons()[2, SPORTS] == ["fund_exhausted"]
    assert case.reasons()[4, SPORTS] == ["fund_exhausted"]


def test_a_commitment_ends_with_maturity_and_counts_the_capped_amount() -> None:
    case = Case([scheme(SPORTS)])
    case.note(**SPORT, principal_fen=30 * MILLION, matures_on=DAY(2026, 7, 10))
    (row,) = case.assess().to_dicts()
    assert row["eligible_fen"] == 20 * MILLION
    assert row["commitment_fen"] == 11_901_370
    assert (20_000_000 * 12 * 181 * 2 * 100 + 365_000) // (2 * 365_000) == 11_901_370


def test_a_refused_note_uses_neither_fund_nor_cap() -> None:
    case = Case([scheme(SPORTS)])
    case.note(**SPORT, principal_fen=15 * MILLION, drawn_on=DAY(2026, 2, 1))
    case.note(**SPORT, principal_fen=10 * MILLION, drawn_on=DAY(2026, 3, 1))
    case.funds = [{"scheme_code": SPORTS, "year": 2026, "amount_fen": 120_000 * YUAN}]
    assert _given(case) == [(0, False), (10 * MILLION, False)]


def test_no_fund_recorded_is_no_limit_but_the_commitment_shows() -> None:
    case = Case([scheme(SPORTS)])
    case.note(**SPORT)
    case.funds = [{"scheme_code": SPORTS, "year": 2025, "amount_fen": 0}]
    assert case.assess()["commitment_fen"].to_list() == [120_000 * YUAN]


def test_waiting_notes_win_no_bank_and_use_no_group() -> None:
    case = Case([scheme(SPORTS), scheme(MANUFACTURING)])
    both = {**SPORT, "loan_type": "project", "equipment_fen": MILLION}
    case.note(SPORTS, MANUFACTURING, **both, bank_id=1)
    case.lpr = []
    assert case.reasons() == {(1, SPORTS): ["lpr_missing"], (1, MANUFACTURING): []}
    case.note(MANUFACTURING, SPORTS, **both, bank_id=2)
    assert case.reasons()[2, SPORTS] == ["exclusive_group"]


def test_the_municipal_tier_is_off_for_a_project_with_an_eligible_central_note() -> None:
    case = Case([scheme(SME), scheme(MANUFACTURING)])
    case.note(MANUFACTURING, equipment_fen=1, project_id=5)
    case.note(SME, project_id=5, enterprise_id=2, drawn_on=DAY(2026, 12, 1))
    case.note(MANUFACTURING, equipment_fen=1, project_id=6)
    case.note(SME, project_id=6, purpose_field="房地产")
    case.note(MANUFACTURING, SME, equipment_fen=1, project_id=0)
    off = {(r["note_id"], r["scheme_code"]): r["tiers_off"] for r in case.assess().to_dicts()}
    assert off == {
        (1, MANUFACTURING): ["municipal"],
        (2, SME): [],
        (3, MANUFACTURING): [],
        (4, SME): [],
        (5, MANUFACTURING): [],
        (5, SME): [],
    }


def test_dated_principal_caps_per_note() -> None:
    case = Case([scheme("dated")])
    case.note(principal_fen=30 * MILLION, drawn_on=DAY(2026, 2, 28))
    case.note(principal_fen=30 * MILLION, drawn_on=DAY(2026, 3, 1))
    assert _given(case) == [(10 * MILLION, True), (20 * MILLION, True)]


def test_principal_caps_per_project_and_per_year() -> None:
    case = Case([variant(SME, {'per = "borrower"\nspan = "life"\nyuan = "50000000"':
                               'per = "project"\nspan = "year"\nyuan = "50000000"'})])  # fmt: skip
    for project, enterprise in ((1, 1), (1, 2), (2, 1), (0, 1)):
        case.note(principal_fen=30 * MILLION, project_id=project, enterprise_id=enterprise)
    assert [amount for amount, _ in _given(case)] == [
        30 * MILLION,
        20 * MILLION,
        30 * MILLION,
        30 * MILLION,
    ]


def test_two_principal_caps_on_one_label_take_the_tighter() -> None:
    extra = '\n[[principal_caps]]\nper = "note"\nspan = "life"\nyuan = "20000000"\narticle = "x"\n'
    case = Case([variant(SME, {"[[amount_caps]]": extra + "[[amount_caps]]"})])
    for day in (1, 2, 3):
        case.note(principal_fen=30 * MILLION, drawn_on=DAY(2026, 2, day))
    assert [amount for amount, _ in _given(case)] == [20 * MILLION, 20 * MILLION, 10 * MILLION]


def test_row_order_never_matters() -> None:
    case = Case([scheme(code) for code in (SME, EQUIPMENT, MANUFACTURING, SPORTS)])
    chance = random.Random(7)
    for number in range(1, 60):
        labels = chance.sample([SME, EQUIPMENT, MANUFACTURING, SPORTS], k=chance.randint(1, 4))
        case.note(
            *labels,
            principal_fen=chance.randint(1, 40) * MILLION,
            equipment_fen=MILLION,
            enterprise_id=chance.randint(1, 5),
            bank_id=chance.randint(1, 2),
            project_id=chance.randint(0, 4),
            purpose_field=chance.choice(["人工智能", "体育产业"]),
            drawn_on=DAY(2026, chance.randint(1, 3), chance.randint(10, 20)),
        )
        assert number == len(case.notes)
    case.funds = [{"scheme_code": SPORTS, "year": 2026, "amount_fen": 500_000 * YUAN}]
    expected = case.assess().to_dicts()
    for _ in range(5):
        chance.shuffle(case.notes)
        assert case.assess().to_dicts() == expected
