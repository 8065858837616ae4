"""What the codes in a proposal's evidence mean, in Chinese and English."""

from __future__ import annotations

from settlement.engine import near_numbers as numbers

FIELDS: dict[str, tuple[str, str]] = {
    "number": ("号码", "number"),
    "contract": ("合同号", "contract number"),
    "amount": ("金额", "amount"),
    "day": ("日期", "day"),
    "terms": ("合同金额与签订日", "contract amount and day of signing"),
    "place": ("经办机构", "institution"),
    "loan_type": ("贷款类型", "type of loan"),
    "project": ("项目编号", "project code"),
    "core": ("企业字号与行业", "trade name and industry"),
    "form": ("组织形式", "legal form"),
    "region": ("企业名称中的区划", "region in the name"),
    "code": ("统一社会信用代码", "credit code"),
    "note": ("借据（金额与放款日）", "a note, by amount and day"),
    "supplier": ("供应商", "supplier"),
}
RELATIONS: dict[str, tuple[str, str]] = {
    "equal": ("相同", "equal"),
    "same": ("相同", "the same"),
    "differ": ("不同", "different"),
    numbers.LOOK_ALIKE: ("形近字符（如 O 与 0）", "characters that look alike (O and 0)"),
    numbers.TRANSPOSED: ("相邻两位颠倒", "two neighbours swapped"),
    numbers.MISSING: ("多一位或少一位", "a character more or less"),
    numbers.SUBSTITUTED: ("一位不同", "one character differs"),
    numbers.EDITED: ("两位不同", "two characters differ"),
    numbers.SERIAL: ("连号", "counted up"),
    "close": ("相近", "close"),
    "mistyped": ("疑似录入错误", "mistyped"),
    "swapped": ("月日颠倒", "month and day swapped"),
    "above_contract": ("合计超过合同金额", "together above the contract's amount"),
    "other_bank": ("不同银行", "another bank"),
    "near": ("相近", "nearly equal"),
    "group": ("一方为集团", "one is a group"),
    "here": ("一方未写，登记机关相同", "one does not say, one office registered both"),
    "silent": ("一方未写", "one does not say"),
    "conflict": ("不同区划", "other regions"),
    "within": ("一方包含另一方", "one lies within the other"),
}


def words(code: str) -> tuple[str, str]:
    """A field (`amount`) or a field and how it stands (`day:close`), in Chinese and English."""
    field, _, relation = code.partition(":")
    zh, en = FIELDS[field]
    if not relation:
        return zh, en
    how_zh, how_en = RELATIONS[relation]
    return f"{zh}：{how_zh}", f"{en}: {how_en}"
