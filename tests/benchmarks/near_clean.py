"""A clean book as banks keep it, full of things that look alike and are not the same.

Banks number each in their own way; enterprises draw the same round amount several times on one day and
every month; sisters have one trade name, and codes issued one after the other; suppliers write one
invoice after the other, of one amount, on one day. Chance comes from a seed only.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from stdnum.cn import uscc as codes

FIRST_DAY = date(2026, 1, 5)
DAYS = 330
BANKS, BRANCHES = 6, 8
SCHEMES = ("central-sme-2026", "central-equipment-2026")
REGIONS = (
    ("江苏省", "江苏", "320000"), ("南京市", "南京", "320100"), ("无锡市", "无锡", "320200"),
    ("常州市", "常州", "320400"), ("苏州市", "苏州", "320500"), ("南通市", "南通", "320600"),
    ("盐城市", "盐城", "320900"), ("扬州市", "扬州", "321000"), ("昆山市", "昆山", "320583"),
    ("江阴市", "江阴", "320281"), ("如皋市", "如皋", "320682"), ("杭州市", "杭州", "330100"),
    ("宁波市", "宁波", "330200"), ("上海市", "上海", "310000"),
)  # fmt: skip
FIRST = "华宏恒金鸿兴永盛瑞丰联远创天海长东新通福顺利德科明亚泰中润"
SECOND = "达成源昌隆泰远信诚力威宇博凯阳辉源鑫润泽康业和光峰基立"
TRADES = (
    "机械", "机床", "精密机械", "纺织机械", "电子科技", "新材料", "医疗器械", "自动化设备", "汽车零部件",
    "模具制造", "数控设备", "包装材料", "食品", "化工", "环保设备", "智能装备", "电气", "重工机械",
    "轴承制造", "传动设备", "半导体", "光电科技", "仪器仪表", "生物医药", "钢结构工程", "体育用品",
)  # fmt: skip
FORMS = ("有限公司",) * 14 + ("股份有限公司",) * 2 + ("厂",) * 2 + ("集团有限公司", "有限责任公司")
LETTERS = "ABCDEFGHJKLMNPQRTUWXY"


@dataclass
class Book:
    """Rows by kind, and what was planted: (rule, kind of error, the two ids)."""

    seed: int
    enterprises: list[dict[str, Any]] = field(default_factory=list)
    notes: list[dict[str, Any]] = field(default_factory=list)
    invoices: list[dict[str, Any]] = field(default_factory=list)
    planted: list[tuple[str, str, int, int]] = field(default_factory=list)
    contracts: int = 0
    serials: dict[tuple[int, int], int] = field(default_factory=dict)
    invoice_number: int = 10_000_000
    genuine: int = 0
    listed: int = 0
    register_entries: set[tuple[str, ...]] = field(default_factory=set)
    _owned: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    chance: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self.suppliers = [self.name(of="设备")["name"] for _ in range(400)]

    def close(self) -> None:
        """Say that what is there now is all that is genuine."""
        self.genuine, self.listed = len(self.notes), len(self.invoices)
        self._owned = {}
        for note in self.notes:
            self._owned.setdefault(note["enterprise_id"], []).append(note)

    def notes_of(self, enterprise: int) -> list[dict[str, Any]]:
        """The genuine notes of an enterprise."""
        return self._owned.get(enterprise, [])

    def alone(self, note: dict[str, Any]) -> bool:
        """Whether a genuine note is the only one of its contract."""
        own = self.notes_of(note["enterprise_id"])
        return sum(one["contract_id"] == note["contract_id"] for one in own) == 1

    def code(self, region: str, organisation: int) -> str:
        """A valid credit code; organisation numbers are issued one after the other."""
        base = f"{organisation:07d}"
        stem = f"91{region}{LETTERS[8 + organisation % 4]}A{base}"[:17]
        return stem + str(codes.calc_check_digit(stem))

    def name(self, of: str = "", word: str = "") -> dict[str, Any]:
        """A name's parts, and the name as the register writes it."""
        full, bare, region = self.chance.choice(REGIONS)
        word = word or self.chance.choice(FIRST) + self.chance.choice(SECOND)
        trade = of or self.chance.choice(TRADES)
        place = self.chance.choice((full, bare, bare, bare))
        return self.written(place, word, trade, self.chance.choice(FORMS), region)

    def written(self, place: str, word: str, trade: str, form: str, region: str) -> dict[str, Any]:
        """The parts with the name: a region leads, or follows the trade name in brackets."""
        bracketed = self.chance.random() < 0.08
        name = f"{word}{trade}（{place}）{form}" if bracketed else f"{place}{word}{trade}{form}"
        return {
            "place": place,
            "word": word,
            "trade": trade,
            "form": form,
            "region": region,
            "name": name,
        }

    def enterprise(self, parts: dict[str, Any], organisation: int | None = None) -> dict[str, Any]:
        """An enterprise of that name."""
        number = self.chance.randrange(9_999_999) if organisation is None else organisation
        one = {
            **parts,
            "enterprise_id": len(self.enterprises) + 1,
            "organisation": number,
            "uscc": self.code(parts["region"], number),
        }
        self.enterprises.append(one)
        return one

    def register(self, one: dict[str, Any]) -> None:
        """Give an enterprise a longer trade name if the register has the name already.

        It admits a trade name once per industry and region, whatever the legal form.
        """
        while (told := self._registered(one)) in self.register_entries:
            word = one["word"] + self.chance.choice(SECOND)
            one.update(self.written(one["place"], word, one["trade"], one["form"], one["region"]))
        self.register_entries.add(told)

    def _registered(self, one: dict[str, Any]) -> tuple[str, ...]:
        return one["region"], one["word"], one["trade"], str("集团" in one["form"])

    def sisters(self, one: dict[str, Any]) -> None:
        """Up to three enterprises that a hasty reader takes for this one."""
        word, trade, place, region = one["word"], one["trade"], one["place"], one["region"]
        other = self.chance.choice([r for r in REGIONS if r[2] != region])
        ways = [
            (
                place,
                word,
                self.chance.choice([t for t in TRADES if t != trade]),
                "有限公司",
                region,
            ),
            (place, word, trade + "贸易", "有限公司", region),
            (
                place,
                word,
                trade,
                "集团有限公司" if "集团" not in one["form"] else "有限公司",
                region,
            ),
            (other[1], word, trade, one["form"], other[2]),
            (
                place,
                word[0] + self.chance.choice(SECOND.replace(word[1], "")),
                trade,
                one["form"],
                region,
            ),
            (place, "第二" + word, trade, one["form"], region),
        ]
        for step, way in enumerate(self.chance.sample(ways, self.chance.randint(1, 3)), start=1):
            self.enterprise(self.written(*way), one["organisation"] + step)

    def number(self, bank: int, branch: int, day: date, contract: str, tranche: int) -> str:
        """The next number of a note, as this bank writes them."""
        key = (bank, branch) if bank in (0, 3) else (bank, -1)
        serial = self.serials[key] = self.serials.get(key, self.chance.randrange(900)) + 1
        match bank:
            case 0:
                return f"JK-{3200 + branch}-2026-{serial:06d}"
            case 1:
                return f"32{branch:02d}{day:%Y%m%d}{serial % 10_000:04d}"
            case 2:
                return f"{contract}-{tranche:02d}"
            case 3:
                return f"苏银借字（2026）第{branch:02d}{serial:05d}号"
            case 4:
                return f"LN{100_000_000 + serial * 7:012d}"
            case _:
                return f"2026{branch:02d}{serial + 1000}"

    def contract_number(self, bank: int, branch: int) -> str:
        """The next number of a contract, as this bank writes them."""
        self.contracts += 1
        serial = self.contracts + bank * 1000
        shapes = (
            f"HT-2026-{branch:02d}-{serial:06d}", f"2026{branch:02d}{serial:07d}",
            f"NJ2026DK{serial:06d}", f"苏银固字（2026）第{serial:06d}号", f"CN{serial * 3:010d}",
            f"ZX{serial:07d}",
        )  # fmt: skip
        return shapes[bank]

    def amount(self) -> int:
        """Fen: mostly round."""
        if self.chance.random() < 0.7:
            return self.chance.choice((50, 100, 200, 300, 360, 500, 800, 1000)) * 1_000_000
        return self.chance.randrange(300_000, 9_000_000) * 100 + self.chance.choice((0, 0, 50, 37))

    def lend(
        self, one: dict[str, Any], bank: int, day: date, amount: int, count: int, months: int
    ) -> None:
        """A contract and its notes: some on one day, or one each month."""
        branch = self.chance.randrange(BRANCHES)
        contract = {
            "contract_id": self.contracts + 1,
            "contract_number": self.contract_number(bank, branch),
            "contract_fen": amount * count + self.chance.choice((0, 0, amount)),
            "signed_on": day - timedelta(days=self.chance.randrange(3, 40)),
            "loan_type": self.chance.choice(("fixed_asset", "project", "working_capital")),
            "project_code": f"26{day.month:02d}-{one['region']}-04-01-{self.chance.randrange(999_999):06d}"
            if self.chance.random() < 0.4
            else "",
            "bank_id": bank + 1,
            "bank_code": f"C{bank:03d}1000000000",
            "institution_id": bank * BRANCHES + branch + 100,
            "institution_code": f"C{bank:03d}13201{branch:05d}",
        }
        for place in range(count):
            drawn = day + timedelta(days=30 * place * months)
            number = self.number(bank, branch, drawn, contract["contract_number"], place + 1)
            self.note(one, contract, number, drawn, amount)
            if self.chance.random() < 0.4:
                self.buy(drawn, amount)

    def note(
        self, one: dict[str, Any], contract: dict[str, Any], number: str, day: date, amount: int
    ) -> dict[str, Any]:
        """A note under a contract."""
        row = {
            **contract, "note_id": len(self.notes) + 1, "note_number": number, "drawn_on": day,
            "principal_fen": amount, "equipment_fen": amount, "exchange_rate_e8": 10**8,
            "enterprise_id": one["enterprise_id"], "uscc": one["uscc"],
        }  # fmt: skip
        self.notes.append(row)
        return row

    def buy(self, day: date, amount: int) -> None:
        """Invoices of the last note: one after the other, of one amount, as an invoice has a highest amount."""
        note = self.notes[-1]["note_id"]
        before = self.invoices[-1] if self.invoices else None
        again = before is not None and before["note_id"] == note - 1 and self.chance.random() < 0.6
        self.invoice_number += 1 if again else self.chance.randrange(2, 900)
        supplier = before["supplier"] if before and again else self.chance.choice(self.suppliers)
        issued = (
            before["issued_on"]
            if before and again
            else day - timedelta(days=self.chance.randrange(20))
        )
        each = (
            before["amount_fen"] if before and again else amount // self.chance.choice((1, 2, 2, 4))
        )
        digital = (
            self.chance.random() < 0.5
            if not (before and again)
            else len(before["invoice_number"]) > 8
        )
        machine = f"SN{self.chance.choice(LETTERS)}{self.chance.randrange(99)}-{self.invoice_number % 100_000:05d}"
        for _ in range(self.chance.randint(1, 3)):
            number = self.invoice_number
            self.invoices.append(
                {
                    "note_id": note, "supplier": supplier, "issued_on": issued, "amount_fen": each,
                    "invoice_number": f"26322000{number:012d}" if digital else f"{number:08d}",
                    "serial_number": machine[:-5] + f"{number % 100_000:05d}" if digital else "",
                }
            )  # fmt: skip
            self.invoice_number += 1


def clean(notes: int, seed: int) -> Book:
    """A book of so many notes, none of them there twice."""
    book = Book(seed)
    while len(book.enterprises) * 6 < notes:
        one = book.enterprise(book.name())
        if book.chance.random() < 0.15:
            book.sisters(one)
    for one in book.enterprises:
        book.register(one)
    while len(book.notes) < notes:
        # Few enterprises borrow often.
        place = int(len(book.enterprises) * book.chance.random() ** 2)
        one = book.enterprises[place]
        day = FIRST_DAY + timedelta(days=book.chance.randrange(DAYS))
        amount, bank = book.amount(), book.chance.randrange(BANKS)
        shape = book.chance.random()
        if shape < 0.45:
            book.lend(one, bank, day, amount, 1, 0)
        elif shape < 0.75:
            book.lend(one, bank, day, amount, book.chance.randint(2, 5), 0)
        elif shape < 0.95:
            book.lend(one, bank, day, amount, book.chance.randint(2, 8), 1)
        else:  # two banks, one day, one share each
            for other in book.chance.sample(range(BANKS), 2):
                book.lend(one, other, day, amount, 1, 0)
    return book
