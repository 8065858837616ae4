"""English of the words that reports tie their sums with: the names are stored with each report, in Chinese."""

from __future__ import annotations

import re

WORDS = {
    "中央": "central", "省级": "provincial", "市级": "municipal",
    "代付贴息入账": "subsidies posted", "代付贴息明细": "deductions", "使用净额": "net use",
    "借据余额": "balances of notes", "借据放款金额": "drawdowns of notes", "借方": "debits",
    "贷方": "credits", "入账明细": "postings", "冲正（差额调减）": "lowered by differences",
    "决定追回": "clawbacks decided", "分领域": "by field", "分地区": "by region",
    "分市汇总": "sums by city", "分支机构汇总": "sums by branch", "分行汇总": "sums by branch",
    "分月现有贷款": "existing loans by month", "分月预计新增": "expected lending by month",
    "分机构现有贷款": "existing loans by institution",
    "分机构预计新增": "expected lending by institution",
    "分结息日现有贷款": "existing loans by interest day",
    "分结息日预计新增": "expected lending by interest day",
    "可贴息本金": "eligible principal", "实收利息": "interest collected", "实际使用": "used",
    "实际使用与冲正": "used less lowered", "已核减": "disallowed", "已认可": "approved",
    "已追回": "clawed back", "已退回结余": "surplus returned", "执行情况": "execution",
    "执行情况余额": "balances of the execution", "报表": "report",
    "担保费补贴使用": "guarantee fee subsidies used",
    "担保费补贴入账": "guarantee fee subsidies posted", "拨付": "paid", "放款金额": "drawn",
    "放款合计": "drawn in all", "借据": "notes", "明细": "detail",
    "明细放款金额": "drawn in the detail", "期初与变动": "opening and movements",
    "期末余额": "closing balance", "期末应收追回": "clawbacks receivable at the end",
    "期末结余": "closing surplus", "期末结余与期后变动": "closing surplus and later movements",
    "期末贴息贷款余额": "balance of subsidised loans at the end",
    "未收回追回": "clawbacks still owed", "未收回追回逐笔": "each clawback still owed",
    "未结算": "not settled", "本期发放金额": "drawn in the period",
    "本期贴息合计": "subsidies of the period", "核减": "disallowed", "汇总": "summary",
    "汇总现有贷款": "existing loans in the summary",
    "汇总预计新增": "expected lending in the summary",
    "申报结算": "claimed", "申请汇总": "summary of the application",
    "申请贴息": "subsidies applied for", "直接抵减": "netted", "直接拨付": "paid out",
    "累计发放金额": "drawn to date", "累计贴息合计": "subsidies to date", "结余": "surplus",
    "结余减缺口": "surplus less gap", "缺口": "gap", "认可": "approved",
    "贴息抵减明细": "deductions", "贴息资金使用": "use of subsidy funds",
    "资金机构代付贴息明细": "deductions from these funds", "资金账": "ledger",
    "资金账专户减垫付": "special accounts less advances in the ledger",
    "资金账余额": "balance of the ledger", "资金账发生额": "turnover of the ledger",
    "资金账已代付贴息发生额": "subsidies applied in the ledger",
    "资金账应收追回": "clawbacks receivable in the ledger",
    "资金账预拨到账": "received in the ledger", "追回已结算年度": "clawbacks of settled years",
    "追回核销": "clawbacks written off", "逐笔余额": "balance note by note",
    "贷款贴息": "loan interest", "担保费补贴": "guarantee fees",
    "银行补足": "made good by the bank", "预拨累计": "received to date",
    "预测合计": "forecast in all", "现有贷款": "existing loans", "预计新增": "expected lending",
}  # fmt: skip
_BETWEEN = re.compile(r"(：| = | )")
_COLON = {"：": ": "}


def in_english(name: str) -> str:
    """The name of a tie, word by word; a word that is not known stays as it is."""
    return "".join(WORDS.get(part) or _COLON.get(part, part) for part in _BETWEEN.split(name))
