"""The working of one deduction: everything a person needs to redo it."""

from __future__ import annotations

from settlement.engine.codes import TIERS
from settlement.engine.exact import half_up_int
from tests.unit.engine.build import DAY, YUAN, Case, scheme

MANUFACTURING = "jiangsu-manufacturing-2026"
MILLION = 1_000_000 * YUAN
MARCH, JUNE = DAY(2026, 3, 21), DAY(2026, 6, 21)


def _case() -> Case:
    case = Case([scheme(MANUFACTURING)])
    case.note(equipment_fen=5 * MILLION, project_id=2)
    case.repayments = [{"note_id": 1, "repaid_on": DAY(2026, 5, 1), "amount_fen": 2 * MILLION}]
    case.stops = [
        {
            "note_id": 1,
            "status": "overdue",
            "starts_on": DAY(2026, 6, 1),
            "ends_on": DAY(2026, 6, 11),
        }
    ]
    case.leasing = [{"enterprise_id": 1, "year": 2026, "amount_fen": 20 * MILLION - 1_000_000}]
    case.collect(MARCH, JUNE, due=30_000_000, paid=20_000_000)
    return case


def test_segments_add_up_to_days_and_product() -> None:
    result = _case().deduct(trace=True)
    assert result.trace is not None
    cuts = result.trace.segments.select(
        "starts_on", "ends_on", "balance_fen", "base_fen", "days", "stopped"
    )
    assert cuts.rows() == [
        (MARCH, DAY(2026, 5, 1), 10 * MILLION, 5 * MILLION, 41, False),
        (DAY(2026, 5, 1), DAY(2026, 6, 1), 8 * MILLION, 4 * MILLION, 31, False),
        (DAY(2026, 6, 1), DAY(2026, 6, 11), 8 * MILLION, 4 * MILLION, 0, True),
        (DAY(2026, 6, 11), JUNE, 8 * MILLION, 4 * MILLION, 10, False),
    ]
    (row,) = result.rows.to_dicts()
    assert row["days"] == result.trace.segments["days"].sum() == 82
    assert row["product"] == result.trace.segments["product"].sum() == MILLION * (5 * 41 + 4 * 41)
    assert result.trace.segments["rate_provincial"].to_list() == [1_000_000] * 4


def test_numerator_scale_and_share_paid_give_what_was_earned() -> None:
    result = _case().deduct(trace=True)
    assert result.trace is not None
    (earned,) = result.trace.earned.to_dicts()
    assert earned["numerator_provincial"] == MILLION * 369 * 1_000_000
    assert earned["scale"] == 360 * 10**8
    share = half_up_int(
        earned["numerator_provincial"] * earned["paid_fen"],
        earned["scale"] * earned["interest_due_fen"],
    )
    assert earned["raw_provincial_fen"] == share == 683_333
    assert (earned["interest_to_date_fen"], earned["outside_fen"]) == (20_000_000, 0)


def test_steps_lead_from_uncut_to_granted_each_with_its_citation() -> None:
    case = _case()
    result = case.deduct(trace=True)
    assert result.trace is not None
    steps = result.trace.steps.select(
        "step", "key", "limit_fen", "used_fen", "before_fen", "after_fen"
    ).rows()
    used = 20 * MILLION - 1_000_000
    assert steps == [
        ("interest_ceiling", "interest_ceiling", 20_000_000, 0, 1_366_666, 1_366_666),
        ("project_cap", "amount_caps.0", 6 * MILLION, 0, 1_366_666, 1_366_666),
        ("enterprise_cap", "amount_caps.1", 10 * MILLION, 0, 1_366_666, 1_366_666),
        ("joint_cap", "amount_caps.2", 20 * MILLION, used, 1_366_666, 1_000_000),
    ]
    (row,) = result.rows.to_dicts()
    assert sum(row[f"{tier}_fen"] for tier in TIERS) == 1_000_000
    (terms,) = case.terms
    assert [terms.cite(key).article for _, key, *_ in steps] == ["(三)1", "(三)2", "(三)2", "(三)2"]


def test_a_dated_cap_cites_the_block_in_force() -> None:
    case = Case([scheme("dated")])
    case.note(drawn_on=DAY(2026, 3, 1))
    case.collect(MARCH, JUNE)
    result = case.deduct(trace=True)
    assert result.trace is not None
    assert result.trace.steps["key"].to_list() == ["interest_ceiling", "amount_caps.0.blocks.0"]
    (terms,) = case.terms
    assert terms.cite("amount_caps.0.blocks.0").article == "第一段"


def test_a_duplicate_rule_shows_own_and_others_to_date() -> None:
    case = Case([scheme("net-off")])
    case.note(principal_fen=10_000 * YUAN)
    case.external = [{"note_id": 1, "year": 2027, "amount_fen": 3_000}]
    case.collect(DAY(2026, 1, 10), DAY(2027, 1, 5))
    result = case.deduct(trace=True)
    assert result.trace is not None
    assert result.trace.steps.drop("collection_id", "scheme_code").rows() == [
        ("net_off", "duplicate_rule", 10_000, 3_000, 10_000, 7_000)
    ]


def test_percent_of_interest_shows_the_full_product_it_is_measured_by() -> None:
    case = Case([scheme("shanghang-2022"), scheme("putian-2025")])
    case.note("shanghang-2022", "putian-2025", drawn_on=DAY(2022, 1, 10))
    stop = {"status": "overdue", "starts_on": DAY(2022, 2, 11), "ends_on": None}
    case.stops = [{"note_id": 1, **stop}]
    case.collect(DAY(2022, 1, 21), DAY(2022, 2, 21), due=3_100)
    result = case.deduct(trace=True)
    assert result.trace is not None
    by_scheme = {row["scheme_code"]: row for row in result.trace.earned.iter_rows(named=True)}
    percent, points = by_scheme["shanghang-2022"], by_scheme["putian-2025"]
    assert (percent["product"], percent["full_product"]) == (210 * MILLION, 310 * MILLION)
    assert percent["raw_municipal_fen"] == half_up_int(3_100 * 9 * 21, 10 * 31) == 1_890
    assert points["full_product"] is None
