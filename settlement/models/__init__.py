"""Tables of what facts mean under a policy: schemes, enrolments, deductions."""

from settlement.models.assessment import Assessment
from settlement.models.clawback import Clawback, ClawbackLapse, ClawbackMovement
from settlement.models.deduction import (
    BlockedSubsidy,
    Deduction,
    EnterprisePosting,
    MonthlySubsidy,
)
from settlement.models.duplicate_check import DuplicateCheck, DuplicateDue
from settlement.models.enrolment import Enrolment, GuaranteeSubsidy, JudgedStatus
from settlement.models.exchange import (
    ExchangeEntry,
    ExchangeFile,
    ExchangeRow,
    Probe,
    ProbeAnswer,
)
from settlement.models.finding import Finding, FindingDecision, FindingSide
from settlement.models.guarantee_posting import GuaranteePosting
from settlement.models.ledger import Account, Event, Fund, LedgerEntry, LedgerLine, Purpose
from settlement.models.missed_label import MissedLabel
from settlement.models.notice import Notice, NoticeDelivery, NoticeRecord, NoticeState
from settlement.models.paper import PaperGap, PaperRule
from settlement.models.payout import Payout
from settlement.models.payout_batch import PayoutAttempt, PayoutBatch, PayoutResult
from settlement.models.plan import Plan, PlanException, PlannedDeduction
from settlement.models.province import ProvinceAnswer, ProvinceCursor, ProvinceSystem
from settlement.models.receipt import MadeGood, Receipt, ReceiptRefusal
from settlement.models.recomputation import MoneyJob, Recomputation
from settlement.models.reconciliation import DifferenceExplanation, ReconciliationDifference
from settlement.models.scheme import Scheme, SchemeVersion
from settlement.models.settlement import Settlement, SettlementItem
from settlement.models.taken_over import TakenOver

__all__ = [
    "Account",
    "Assessment",
    "BlockedSubsidy",
    "Clawback",
    "ClawbackLapse",
    "ClawbackMovement",
    "Deduction",
    "DifferenceExplanation",
    "DuplicateCheck",
    "DuplicateDue",
    "Enrolment",
    "EnterprisePosting",
    "Event",
    "ExchangeEntry",
    "ExchangeFile",
    "ExchangeRow",
    "Finding",
    "FindingDecision",
    "FindingSide",
    "Fund",
    "GuaranteePosting",
    "GuaranteeSubsidy",
    "JudgedStatus",
    "LedgerEntry",
    "LedgerLine",
    "MadeGood",
    "MissedLabel",
    "MoneyJob",
    "MonthlySubsidy",
    "Notice",
    "NoticeDelivery",
    "NoticeRecord",
    "NoticeState",
    "PaperGap",
    "PaperRule",
    "Payout",
    "PayoutAttempt",
    "PayoutBatch",
    "PayoutResult",
    "Plan",
    "PlanException",
    "PlannedDeduction",
    "Probe",
    "ProbeAnswer",
    "ProvinceAnswer",
    "ProvinceCursor",
    "ProvinceSystem",
    "Purpose",
    "Receipt",
    "ReceiptRefusal",
    "Recomputation",
    "ReconciliationDifference",
    "Scheme",
    "SchemeVersion",
    "Settlement",
    "SettlementItem",
    "TakenOver",
]
