"""Tables of what facts mean under a policy: schemes, enrolments, deductions."""

from settlement.models.assessment import Assessment
from settlement.models.deduction import Deduction, EnterprisePosting
from settlement.models.enrolment import Enrolment, GuaranteeSubsidy
from settlement.models.scheme import Scheme, SchemeVersion

__all__ = [
    "Assessment",
    "Deduction",
    "Enrolment",
    "EnterprisePosting",
    "GuaranteeSubsidy",
    "Scheme",
    "SchemeVersion",
]
