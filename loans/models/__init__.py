"""Tables of what happened: parties, contracts, notes, cash flows, evidence, intake."""

from loans.models.cashflow import (
    BankStatement,
    ExternalSubsidy,
    InterestCollection,
    OpeningPosition,
    PreAllocation,
    Repayment,
    ReviewResult,
)
from loans.models.choices import (
    Channel,
    EnvironmentRating,
    ExternalKind,
    FundPurpose,
    LoanType,
    NoteState,
    Ownership,
    PaperKind,
    Review,
    Size,
    TaxRating,
    Tier,
    Title,
)
from loans.models.compensation import Compensation
from loans.models.contact import EnterpriseContact
from loans.models.intake import FileImport, ImportBatch, ImportUndo
from loans.models.loan import (
    Contract,
    EquipmentInvoice,
    Guarantee,
    Note,
    NoteStatus,
    NoteTransfer,
    SyndicateShare,
)
from loans.models.paper import Paper, PaperShelf, PaperWithdrawal
from loans.models.party import (
    ALWAYS,
    Enterprise,
    EnterpriseRecord,
    EnterpriseTitle,
    Project,
    UsccConfirmation,
)
from loans.models.payout import PayoutAgreement
from loans.models.policy import Lpr, Participation, SchemeFund, SchemeLabel

__all__ = [
    "ALWAYS",
    "BankStatement",
    "Channel",
    "Compensation",
    "Contract",
    "Enterprise",
    "EnterpriseContact",
    "EnterpriseRecord",
    "EnterpriseTitle",
    "EnvironmentRating",
    "EquipmentInvoice",
    "ExternalKind",
    "ExternalSubsidy",
    "FileImport",
    "FundPurpose",
    "Guarantee",
    "ImportBatch",
    "ImportUndo",
    "InterestCollection",
    "LoanType",
    "Lpr",
    "Note",
    "NoteState",
    "NoteStatus",
    "NoteTransfer",
    "OpeningPosition",
    "Ownership",
    "Paper",
    "PaperKind",
    "PaperShelf",
    "PaperWithdrawal",
    "Participation",
    "PayoutAgreement",
    "PreAllocation",
    "Project",
    "Repayment",
    "Review",
    "ReviewResult",
    "SchemeFund",
    "SchemeLabel",
    "Size",
    "SyndicateShare",
    "TaxRating",
    "Tier",
    "Title",
    "UsccConfirmation",
]
