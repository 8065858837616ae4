"""P6–P12 planted ten times each: money above interest, on wrong days, refinanced, split, above caps,
from outside, unspent. As in `duplicate_plants`, everything comes from a seed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.benchmarks.duplicate_plants import (
    FIRST_RULES,
    IDLE,
    Plants,
    branch,
    head,
    province,
)
from tests.integration.planted_rows import EQUIPMENT, MAKING, SME, SPORTS

SOURCE = "市财政局"
PERIOD = ("2026-02-02", "2026-03-02")


def _outside(plants: Plants, firm: str, note: str, **facts: Any) -> str:
    """A late outside record that names a note as its bank does; P11 finds it, too."""
    at, _, number = note.partition("/")
    reference = plants.outside(firm, institution_code=at, note_number=number, **facts)
    return f"{SOURCE}/{reference}"


def above_interest(plants: Plants) -> None:
    """P6: outside money, take-over or returned interest, told late, leave a net rate below zero.

    Interest is 2,240 yuan for each 720,000, the subsidy 840 of them (2,240 × 1.5 ÷ 4).
    """
    for schemes, outside, returned, opening in (
        (SME, (1_410,), 0, 0),
        (SME, (800, 700), 0, 0),  # each alone would do no harm
        (SME, (), 1_500, 0),
        (SME, (), 0, 1_600),
        (SME, (1_000,), 500, 0),
        (SME, (900,), 0, 700),
        (f"{EQUIPMENT};{MAKING}", (900,), 0, 0),  # 2.5 points of 4 on one project
        (EQUIPMENT, (1_500, -50), 0, 0),  # less a part that was returned
        (EQUIPMENT, (5_000,), 0, 0),
        (MAKING, (1_200,), 0, 0),
    ):
        firm, unit = plants.firm(), plants.rng.randrange(1, 5)
        extra = {"project": plants.project(firm, f"XM{plants.number():06d}")}
        note = plants.lend(firm, yuan=720_000 * unit, drawn=PERIOD[0], schemes=schemes, **extra)
        with plants.told_late():
            records = [_outside(plants, firm, note, yuan=yuan * unit, scheme_name=_name(yuan, outside))
                       for yuan in outside]  # fmt: skip
            _told(plants, note, returned * unit, opening * unit)
        plants.expect("P6", note)
        for record, yuan in zip(records, outside, strict=True):
            if yuan > 0:
                plants.expect("P11", note, record)


def _name(yuan: int, outside: tuple[int, ...]) -> str:
    """A returned part is of the scheme that paid; two records are of two."""
    return f"市级贴息{outside[0] if yuan < 0 else yuan}"


def _told(plants: Plants, note: str, returned: int, opening: int) -> None:
    at, _, number = note.partition("/")
    if returned:
        plants.collect(number, *PERIOD, at=at, paid=f"-{returned}.00")
    if opening:
        plants.rows["opening-positions"].append(
            {
                "scheme_code": SME, "institution_code": at, "note_number": number, "tier": "central",
                "year": "2026", "amount": f"{opening}.00", "interest_paid": "10.00",
                "paid_through": "2026-02-03",
            }
        )  # fmt: skip


def stopped(plants: Plants) -> None:
    """P7: what stops a subsidy is told after the interest was subsidised; or the title ran out."""
    for schemes, statuses, repaid in (
        (SME, (("overdue", "2026-02-10"),), ()),
        (SME, (("extended", "2026-02-16"),), ()),
        (EQUIPMENT, (("non_performing", "2026-02-20"),), ()),
        (SME, (("overdue", "2026-02-24"), ("non_performing", "2026-02-26")), ()),
        (SME, (), (("2026-02-12", 100),)),  # all of it
        (SME, (), (("2026-02-20", 30),)),
        (MAKING, (), (("2026-02-10", 20), ("2026-02-28", 20))),
        (f"{EQUIPMENT};{MAKING}", (("overdue", "2026-02-12"),), ()),  # under both
        (SPORTS, (("overdue", "2026-03-01"),), ()),
        (EQUIPMENT, (("overdue", PERIOD[0]),), ()),  # not a day was to be subsidised
    ):
        yuan = plants.rng.randrange(10, 40) * 100_000
        note = plants.lend(plants.firm(), drawn=PERIOD[0], yuan=yuan, schemes=schemes)
        at, _, number = note.partition("/")
        with plants.told_late():
            for status, starts in statuses:
                plants.status(number, status, starts, at=at)
            for day, percent in repaid:
                plants.repay(number, day, yuan * percent // 100, at=at)
        for _ in schemes.split(";"):
            plants.expect("P7", note)
    firm = plants.firm(industry="R8810")
    plants.rows["enterprise-titles"].append(
        {"uscc": firm, "title": "specialized", "valid_from": "2024-01-01", "valid_to": "2026-03-10"}
    )
    note = plants.lend(firm, drawn=PERIOD[0], schemes=MAKING)
    at, _, number = note.partition("/")
    plants.collect(number, "2026-03-12", "2026-04-02", at=at)
    plants.expect("P7", note)


def refinanced(plants: Plants) -> None:
    """P8: a new note of the amount of an old one just repaid."""
    day = "2026-06-15"
    for how in (
        {"drawn": day}, {"drawn": "2026-06-08"}, {"drawn": "2026-06-22"},
        {"drawn": "2026-06-16", "site": 1}, {"drawn": "2026-06-14", "site": 2},
        {"drawn": day, "schemes": MAKING}, {"drawn": day, "parts": 2},
    ):  # fmt: skip
        firm, sites = plants.firm(), plants.sites()
        yuan, parts = plants.rng.randrange(10, 20) * 200_000, how.get("parts", 1)
        old = plants.lend(firm, at=sites[0], yuan=yuan)
        for _ in range(int(parts)):
            plants.repay(old.partition("/")[2], day, yuan // int(parts), at=sites[0])
        facts = {"drawn": how["drawn"], "schemes": how.get("schemes", SME), "yuan": yuan}
        plants.expect("P8", old, plants.lend(firm, at=sites[int(how.get("site", 0))], **facts))
    firm, at = plants.firm(), plants.sites()[0]
    old = plants.lend(firm, at=at, yuan=2_400_000)
    for on, yuan in (("2026-06-11", 900_000), ("2026-06-15", 1_000_000), ("2026-06-19", 500_000)):
        plants.repay(old.partition("/")[2], on, yuan, at=at)  # day by day
    plants.expect("P8", old, plants.lend(firm, at=at, yuan=2_400_000, drawn="2026-06-16"))
    firm, at = plants.firm(), plants.sites()[0]
    old = plants.lend(firm, at=at, yuan=3_000_000)
    plants.repay(old.partition("/")[2], day, 1_000_000, at=at)  # in part, and lent anew
    plants.expect("P8", old, plants.lend(firm, at=at, yuan=1_000_000, drawn="2026-06-17"))
    firm, at = plants.firm(), plants.sites()[0]
    chain = [plants.lend(firm, at=at, yuan=2_000_000, drawn=f"2026-{month}-02") for month in ("02", "05", "08")]  # fmt: skip
    for one, month in zip(chain, ("05", "08"), strict=False):
        plants.repay(one.partition("/")[2], f"2026-{month}-01", 2_000_000, at=at)
    plants.expect("P8", *chain[:2])
    plants.expect("P8", *chain[1:])
    firm, (a1, _, b1, _) = plants.firm(), plants.sites()
    olds = [plants.lend(firm, at=site, yuan=1_700_000) for site in (a1, b1)]
    new = plants.lend(firm, at=a1, yuan=1_700_000, drawn=day)
    for old, on in zip(olds, ("2026-06-12", "2026-06-18"), strict=True):
        site, _, number = old.partition("/")
        plants.repay(number, on, 1_700_000, at=site)
        plants.expect("P8", old, new)


def split(plants: Plants) -> None:
    """P9: one loan in parts that stay below a limit only each by itself."""
    million = 1_000_000
    for notes, yuan, days, facts in (
        (3, 20 * million, (3, 3, 3), {}),
        (3, 18 * million, (3, 8, 13), {"contract": True}),  # within a week of each other
        (2, 26 * million, (3, 10), {"contract": True}),
        (6, 9 * million, (4,) * 6, {}),
        (2, 20 * million, (5, 5), {"schemes": SPORTS}),
        (2, 12 * million, (6, 6), {"schemes": SPORTS, "loan_type": "working_capital"}),
        (2, 6 * million, (7, 7), {"schemes": SPORTS, "guaranteed": True}),
        (2, 30 * million, (8, 8), {"schemes": f"{SME};{MAKING}"}),
        (3, 17 * million, (9, 9, 9), {"branches": 1}),
        (
            2,
            28 * million,
            (10, 10),
            {"branches": 2},
        ),  # of two banks: above the cap across banks, too
    ):
        firm, sites = plants.firm(), plants.sites()
        known = {k: v for k, v in facts.items() if k in {"schemes", "loan_type"}}
        if "contract" in facts:
            known |= {"contract": f"HT-{plants.number()}-T", "amount": 60 * million}
        other = sites[int(str(facts.get("branches", 0)))]
        keys = [
            plants.lend(firm, at=other if place else sites[0], yuan=yuan, drawn=f"2026-02-{day:02d}", **known)
            for place, day in zip(range(notes), days, strict=True)
        ]  # fmt: skip
        if "guaranteed" in facts:
            plants.guarantee(keys[0].partition("/")[2], yuan, at=sites[0])
        plants.expect("P9", *keys)
        if facts.get("branches") == 2:
            plants.expect("P10", *keys)


def above_caps(plants: Plants) -> None:
    """P10: one borrower above a cap, at several banks or under several codes."""
    million = 1_000_000
    for yuan, sites in (
        ((30, 30), (0, 2)), ((20, 20, 20), (0, 2, 3)), ((50, 10), (0, 2)), ((13, 13, 13, 13), (0, 1, 2, 2)),
    ):  # fmt: skip
        firm, at = plants.firm(), plants.sites()
        plants.expect(
            "P10",
            *(plants.lend(firm, at=at[site], yuan=amount * million, drawn=f"2026-0{month}-03")
              for month, (amount, site) in enumerate(zip(yuan, sites, strict=True), 2)),
        )  # fmt: skip
    sports: dict[str, Any] = {"schemes": SPORTS}
    for amount, site, by, facts in (
        (30, 0, "name", {}), (30, 2, "name", {}), (26, 0, "number", {}), (28, 2, "former", {}),
        (20, 0, "name", sports), (15, 2, "name", sports | {"loan_type": "working_capital"}),
    ):  # fmt: skip
        n, at = plants.number(), plants.sites()
        name = f"泰州重机{n}有限公司" if by != "number" else ""
        own = {"organisation": f"MD{n:07d}"} if by == "number" else {}
        firms = [plants.firm(name, **own), plants.firm(name, **own)]
        if by == "former":
            record = next(row for row in plants.rows["enterprises"] if row["uscc"] == firms[0])
            plants.rows["enterprises"].append(
                record | {"name": f"泰州新重机{n}有限公司", "valid_from": "2026-04-01"}
            )
        keys = [
            plants.lend(firms[0], at=at[0], yuan=amount * million, drawn="2026-02-03", **facts),
            plants.lend(firms[1], at=at[site], yuan=amount * million, drawn="2026-03-03", **facts),
        ]
        plants.expect("P3", *keys)
        plants.expect("P10", *keys)


def from_outside(plants: Plants) -> None:
    """P11: an outside record of a note, a project or an invoice, of each kind that speaks against it."""
    for kind, named in (
        ("loan_interest", "note as its bank writes it"),
        ("loan_interest", "note"),
        ("loan_interest", "note and the bank"),
        ("leasing_interest", "note"),
        ("grant", "note"),
        ("loan_interest", "project"),
        ("loan_interest", "project keyed again"),
        ("loan_interest", "invoice"),
        ("leasing_interest", "invoice"),
        ("loan_interest", "note, project"),
        ("loan_interest", "project of two notes"),
    ):
        firm, at, n = plants.firm(), plants.sites()[0], plants.number()
        project = plants.project(firm, f"2026-320200-{n:05d}")
        located = {"project": project} if "project" in named else {}
        notes = [plants.lend(firm, f"WB-{n}-1", at=at, **located)]
        if "two notes" in named:
            notes.append(plants.lend(firm, at=at, **located))
        facts: dict[str, str] = {}
        if named.startswith("note as"):
            facts |= {"institution_code": at, "note_number": f"WB-{n}-1"}
        elif "note" in named.split(",")[0].split():
            facts["note_number"] = f"wb{n}/1"
            facts["institution_code"] = head(int(at[1:5])) if "bank" in named else ""
        if "project" in named:
            facts["project_code"] = project.replace("-", " ") if "again" in named else project
        if named == "invoice":
            plants.bill(notes[0], f"FW-{n}")
            facts["invoice_number"] = f"ｆｗ{n}"
        record = plants.outside(firm, kind, plants.rng.randrange(3, 9) * 100, **facts)
        plants.expect("P11", *notes, f"{SOURCE}/{record}")


def untouched(plants: Plants) -> None:
    """P12: money received of which nothing was used; of each tier and scheme, alone or beside other."""
    first, second = IDLE
    used = plants.lend(plants.firm(), at=branch(second, 1), yuan=3_600_000, drawn="2026-02-02")
    assert used
    for scheme, at, tier, on, yuan, found in (
        (SME, head(first), "central", "2026-01-15", 500_000, True),
        (EQUIPMENT, province(first), "central", "2026-01-20", 300_000, True),
        (MAKING, province(first), "provincial", "2026-03-02", 200_000, True),
        (MAKING, province(first), "municipal", "2026-03-02", 200_001, True),
        (SPORTS, province(first), "provincial", "2026-04-01", 80_000, True),
        (SPORTS, province(second), "provincial", "2026-08-24", 90_000, True),  # 91 days ago
        (EQUIPMENT, province(second), "central", "2026-08-25", 70_000, False),  # 90 days ago
        (SME, head(second), "central", "2026-01-10", 3_000, False),  # used by the note
        (SME, head(second), "central", "2026-05-11", 60_000, False),  # in part: 1,200 of it
        (SME, head(second), "central", "2026-06-11", 65_000, True),
        (MAKING, province(second), "provincial", "2026-02-11", 10_000, True),  # two of one fund
        (MAKING, province(second), "provincial", "2026-03-11", 20_000, True),
        (MAKING, province(second), "municipal", "2026-02-12", 30_000, True),
        (MAKING, province(second), "municipal", "2026-10-12", 40_000, False),  # fresh
    ):
        plants.receive(scheme, tier, on, yuan, at=at)
        if found:
            plants.expect("P12", f"{at}/{scheme}/{tier}/{on}/{yuan}")


RULES: tuple[Callable[[Plants], None], ...] = (
    *FIRST_RULES, above_interest, stopped, refinanced, split, above_caps, from_outside, untouched,
)  # fmt: skip


def planted(seed: int) -> Plants:
    """All twelve rules, ten times each, in an order that the seed gives."""
    plants = Plants(seed)
    rules = list(RULES)
    plants.rng.shuffle(rules)
    for rule in rules:
        rule(plants)
    return plants
