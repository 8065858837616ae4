"""P1–P5 planted ten times each, every time in another way: one loan, enterprise, project or invoice twice.

All of it is made from a seed: which banks, which numbers, which amounts. `expected` says what the check
must find, as (rule, notes and other matters concerned).
"""

from __future__ import annotations

import datetime
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tests.integration.planted_rows import EQUIPMENT, MAKING, SME, Rows

BANKS, BRANCHES = 4, 5
IDLE = (5, 6)  # banks that take part and have lent nothing
Expected = tuple[str, tuple[str, ...]]


def head(bank: int) -> str:
    """A bank's head office."""
    return f"C{bank:04d}110000000"


def province(bank: int) -> str:
    """A bank's office in Jiangsu."""
    return f"C{bank:04d}320000000"


def branch(bank: int, number: int) -> str:
    """A branch of a bank."""
    return f"C{bank:04d}320100{number:03d}"


class Plants(Rows):
    """Rows to plant; what goes into `later` is told after the run."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.rng = random.Random(seed)
        self.later = Rows()
        self.expected: list[Expected] = []

    @contextmanager
    def told_late(self) -> Iterator[None]:
        """What is gathered within is told after the run."""
        self.rows, self.later.rows = self.later.rows, self.rows
        yield
        self.rows, self.later.rows = self.later.rows, self.rows

    def sites(self) -> tuple[str, str, str, str]:
        """Two branches of one bank, one of a second and one of a third."""
        one, second, third = self.rng.sample(range(1, BANKS + 1), 3)
        a, b = self.rng.sample(range(1, BRANCHES + 1), 2)
        return branch(one, a), branch(one, b), branch(second, a), branch(third, b)

    def firm(self, name: str = "", *, organisation: str = "", industry: str = "C3421") -> str:
        """An enterprise that nobody else knows of."""
        count = self.number()
        place = self.rng.choice(("苏州", "无锡", "常州", "徐州"))
        return self.enterprise(
            name or f"{place}样例精工{count}有限公司",
            organisation=organisation or f"MB{count:07d}",
            industry=industry,
        )

    def unused(self) -> str:
        """A number not given yet, of the shape that numbers have."""
        return f"ZR-{self.rng.randrange(10, 100)}-{self.number():05d}"

    def lend(self, uscc: str, number: str = "", *, at: str = "", **further: Any) -> str:
        """A note of a day and amount of its own unless given; gives its key."""
        at, number = at or self.sites()[0], number or self.unused()
        day = datetime.date(2026, 2, 2) + datetime.timedelta(days=self.rng.randrange(20))
        facts = {"yuan": self.rng.randrange(10, 40) * 100_000, "drawn": str(day)} | further
        self.note(uscc, number, at=at, **facts)
        return f"{at}/{number}"

    def expect(self, rule: str, *matters: str) -> None:
        """One finding of a rule about these notes, records or funds."""
        self.expected.append((rule, tuple(sorted(matters))))

    def bill(self, note: str, number: str, **facts: Any) -> None:
        """An invoice of a note, given by its key."""
        at, _, name = note.partition("/")
        self.invoice(name, number, at=at, **facts)


def twice(plants: Plants) -> None:
    """P1 by its number: one note in the books of two branches or banks, or under two schemes of a group."""
    same = {"yuan": 1_500_000, "drawn": "2026-02-03"}
    for ours, theirs in (
        ({}, {}),
        ({}, {"yuan": 1_600_000}),  # only the day agrees
        ({}, {"drawn": "2026-02-09"}),  # only the amount agrees
        ({}, {"schemes": EQUIPMENT}),  # both central
        ({"schemes": MAKING}, {"schemes": f"{EQUIPMENT};{MAKING}"}),  # both provincial
    ):
        firm, number, (a1, _, b1, _) = plants.firm(), plants.unused(), plants.sites()
        plants.expect(
            "P1",
            plants.lend(firm, number, at=a1, **(same | ours)),
            plants.lend(firm, number, at=b1, **(same | theirs)),
        )
    firm, number, (a1, a2, b1, c1) = plants.firm(), plants.unused(), plants.sites()
    plants.expect(
        "P1", *(plants.lend(firm, number, at=site, **same) for site in (a1, a2))
    )  # one bank
    firm, number = plants.firm(), plants.unused()
    notes = [plants.lend(firm, number, at=site, **same) for site in sorted((a1, b1, c1))]
    plants.expect("P1", *notes[:2])
    plants.expect("P1", *notes[1:])


def again(plants: Plants) -> None:
    """P1 by its days: one note's interest of the same days subsidised in two batches."""
    for periods in (
        (("2026-02-02", "2026-03-21"), ("2026-03-11", "2026-04-21")),  # ten days again
        (("2026-02-02", "2026-04-21"), ("2026-03-02", "2026-03-21")),  # one within the other
        (
            ("2026-02-02", "2026-03-21"),
            ("2026-03-21", "2026-06-21"),
            ("2026-03-21", "2026-04-21"),
        ),
    ):
        key = plants.lend(plants.firm(), drawn="2026-02-02", collected=False)
        at, _, number = key.partition("/")
        for start, end in periods:
            plants.collect(number, start, end, at=at)
        plants.expect("P1", key)


KEYED: tuple[tuple[str, str], ...] = (
    ("JK-{n}-07", "ｊｋ－{n}－０７"),  # full width, and small letters
    ("JK-{n}", "jk-{n}"),
    ("JK-{n}-8", "JK/{n}/8"),
    ("JK-{n}-9", "JK {n} 9"),
    ("JK.{n}.1", "JK_{n}_1"),
    ("借〔2026〕{n}号", "借(2026){n}号"),
    ("JK-Ⅱ-{n}", "JK-II-{n}"),
)


def keyed_again(plants: Plants) -> None:
    """P2: a note's or a contract's number keyed again with other signs."""
    for place, (ours, theirs) in enumerate(KEYED):
        firm, n, (a1, a2, b1, _) = plants.firm(), plants.number(), plants.sites()
        same: dict[str, Any] = {"yuan": 1_200_000 + place, "drawn": "2026-02-04"}
        other = (b1, a2, a1)[place % 3]  # entered twice by one branch, too
        plants.expect(
            "P2",
            plants.lend(firm, ours.format(n=n), at=a1, **same),
            plants.lend(firm, theirs.format(n=n), at=other, **same),
        )
    for place, same in enumerate(({"amount": 9_000_000}, {"signed": "2026-01-27"})):
        firm, n, (a1, a2, b1, _) = plants.firm(), plants.number(), plants.sites()
        ours = {"contract": f"HT({n})-1", "signed": "2026-01-19"} | same
        theirs = {"contract": f"ht{n}-1", "signed": "2026-01-21"} | same
        plants.expect(
            "P2",
            plants.lend(firm, at=a1, **ours),
            plants.lend(firm, at=a1, **ours),
            plants.lend(firm, at=(a2, b1)[place], **theirs),
        )
    firm, n, (a1, _, b1, c1) = plants.firm(), plants.number(), plants.sites()
    same = {"yuan": 1_300_000, "drawn": "2026-02-05"}
    numbers = zip(sorted((a1, b1, c1)), (f"DK-{n}-1", f"dk {n} 1", f"DK{n}/1"), strict=True)
    notes = [plants.lend(firm, number, at=site, **same) for site, number in numbers]
    plants.expect("P2", *notes[:2])
    plants.expect("P2", *notes[1:])


def two_names(plants: Plants) -> None:
    """P3: one enterprise under two credit codes, by a name it has or had, or by its organisation number."""
    for ours, theirs in (
        ("启东（吕四）重工{n}有限公司", "启东(吕四) 重工{n}有限公司"),
        ("启东ABC重工{n}有限公司", "启东abc重工{n}有限公司"),
        ("启东重工{n}·海工有限公司", "启东重工{n}海工有限公司"),
        ("启东重工{n}有限公司", "启东重工{n}有限公司"),
    ):
        n = plants.number()
        a1, _, b1, _ = plants.sites()
        plants.expect(
            "P3",
            plants.lend(plants.firm(ours.format(n=n)), at=a1),
            plants.lend(plants.firm(theirs.format(n=n)), at=b1),
        )
    for names in ((), ("海安装备{n}有限公司",) * 2):  # by the number alone, and by both
        n = plants.number()
        own = {"organisation": f"MC{n:07d}"}
        firms = [
            plants.firm(*(name.format(n=n) for name in names[i : i + 1]), **own) for i in (0, 1)
        ]
        plants.expect("P3", *(plants.lend(firm) for firm in firms))
    for now_it_is in (True, False):  # renamed since, or known by a name given up long ago
        n = plants.number()
        old, new = f"如皋锻压{n}厂", f"如皋锻压{n}有限公司"
        renamed, other = plants.firm(old), plants.firm(new if now_it_is else old)
        record = next(row for row in plants.rows["enterprises"] if row["uscc"] == renamed)
        changed = {"name": new, "valid_from": "2026-05-01"}
        plants.rows["enterprises"].append(record | changed)
        plants.expect("P3", plants.lend(renamed), plants.lend(other), plants.lend(other))
    n = plants.number()
    three = [plants.firm(f"盐城数控{n}有限公司") for _ in range(3)]
    notes = [plants.lend(firm, drawn=f"2026-02-0{day}") for day, firm in enumerate(three, 2)]
    plants.expect("P3", *notes[:2])
    plants.expect("P3", *notes[1:])
    n = plants.number()
    notes = [
        plants.lend(plants.firm(f"盐城液压{n}有限公司"), schemes=schemes)
        for schemes in (EQUIPMENT, SME)
    ]
    plants.expect("P3", *notes)  # two schemes of one group


def one_project(plants: Plants) -> None:
    """P4: one project at two banks under schemes of one group."""

    def located(spelt: str, firm: str) -> str:
        return plants.project(firm, spelt)

    for ours, theirs, more in (
        (EQUIPMENT, EQUIPMENT, ""),
        (SME, EQUIPMENT, ""),
        (MAKING, f"{EQUIPMENT};{MAKING}", ""),
        (EQUIPMENT, EQUIPMENT, "one side's invoice"),
        (EQUIPMENT, EQUIPMENT, "invoice"),
        (EQUIPMENT, EQUIPMENT, "machine"),
        (EQUIPMENT, EQUIPMENT, "two each"),
        (EQUIPMENT, EQUIPMENT, "three"),
    ):
        firm, (a1, a2, b1, c1) = plants.firm(), plants.sites()
        project = {"project": located(f"2026-320100-{plants.number():05d}", firm)}
        notes = [plants.lend(firm, at=a1, schemes=ours, **project)]
        notes.append(plants.lend(firm, at=b1, schemes=theirs, **project))
        if more == "two each":
            notes += [plants.lend(firm, at=at, schemes=ours, **project) for at in (a2, b1)]
        if more == "three":
            notes.append(plants.lend(firm, at=c1, schemes=ours, **project))
        _equip(plants, notes, more)
        plants.expect("P4", *notes)
    for other in (
        False,
        True,
    ):  # the code keyed again, by the enterprise or by another of its group
        n, (a1, _, b1, _) = plants.number(), plants.sites()
        firm = plants.firm()
        second = plants.firm() if other else firm
        codes = located(f"2026-320100-{n:05d}", firm), located(f"2026 320100 {n:05d}", second)
        plants.expect(
            "P4",
            plants.lend(firm, at=a1, schemes=EQUIPMENT, project=codes[0]),
            plants.lend(second, at=b1, schemes=EQUIPMENT, project=codes[1]),
        )


def _equip(plants: Plants, notes: list[str], how: str) -> None:
    """Invoices of a project's first two notes; one of both is a finding of its own."""
    n = plants.number()
    if how == "one side's invoice":
        plants.bill(notes[0], f"FA{n}")
    if how == "invoice":
        plants.bill(notes[0], f"FA{n}")
        plants.bill(notes[1], f"fa-{n}")
    if how == "machine":
        plants.bill(notes[0], f"FA{n}", serial=f"XK714-{n:06d}", supplier="沈阳样例机床")
        plants.bill(notes[1], f"FB{n}", serial=f"xk714 {n:06d}", supplier="沈阳样例机床")
    if how in {"invoice", "machine"}:
        plants.expect("P5", *notes[:2])


def one_invoice(plants: Plants) -> None:
    """P5: one invoice or machine on two notes, or on a note and a grant."""
    maker = {"supplier": "大连样例机床"}
    for apart, ours, theirs in (
        (False, {"number": "NO.00{n}"}, {"number": "no 00{n}"}),
        (False, {"number": "NO00{n}"}, {"number": "ｎｏ００{n}", "serial": "S2"}),
        (False, {"number": "88{n}", "serial": "7"}, {"number": "89{n}", "serial": "7"}),
        (True, {"number": "12{n}", **maker}, {"number": "12{n}", **maker}),
        (True, {"number": "9932010000{n:010d}"}, {"number": "9932010000{n:010d}", "issued": "2026-01-28"}),
        (True, {"number": "55{n}", "serial": "VMC-850-{n}", **maker},
         {"number": "56{n}", "serial": "vmc850{n}", **maker}),
    ):  # fmt: skip
        n, (a1, _, b1, _) = plants.number(), plants.sites()
        firm = plants.firm()
        notes = [plants.lend(firm, at=a1), plants.lend(plants.firm() if apart else firm, at=b1)]
        for note, facts in zip(notes, (ours, theirs), strict=True):
            plants.bill(note, **{name: text.format(n=n) for name, text in facts.items()})
        plants.expect("P5", *notes)
    firm = plants.firm()
    for seller in ("大连样例机床", "沈阳样例机床"):  # each has a machine number 1: no duplicate
        plants.bill(plants.lend(firm), f"FS-{plants.number()}", serial="01", supplier=seller)
    _within_a_contract(plants)
    firm, n = plants.firm(), plants.number()
    notes = [plants.lend(firm, drawn=f"2026-02-0{day}") for day in (3, 4, 5)]
    for note in notes:
        plants.bill(note, f"FC-{n}")
    plants.expect("P5", *notes[:2])
    plants.expect("P5", *notes[1:])
    firm, n = plants.firm(), plants.number()
    stacked = plants.lend(firm, schemes=f"{EQUIPMENT};{MAKING}")
    alone = plants.lend(firm, schemes=SME)
    for note in (stacked, alone):
        plants.bill(note, f"FD-{n}")
    plants.expect("P5", stacked, alone)
    firm, n = plants.firm(), plants.number()
    note = plants.lend(firm)
    plants.bill(note, f"FE-{n}")
    grant = plants.outside(firm, "grant", invoice_number=f"fe{n}", scheme_name="设备补助")
    plants.expect("P5", note, f"市财政局/{grant}")


def _within_a_contract(plants: Plants) -> None:
    """One invoice for the whole of its amount on two notes of one contract."""
    firm, n, at = plants.firm(), plants.number(), plants.sites()[0]
    notes = [plants.lend(firm, at=at, contract=f"HT-{n}-K", drawn=day, amount=9_000_000)
             for day in ("2026-02-03", "2026-02-23")]  # fmt: skip
    for note in notes:
        plants.bill(note, f"FK-{n}", yuan=70_000)
    plants.expect("P5", *notes)


FIRST_RULES: tuple[Callable[[Plants], None], ...] = (
    twice, again, keyed_again, two_names, one_project, one_invoice,
)  # fmt: skip
