"""The subsidy engine: facts and terms in, exact amounts out; no framework, files, clock or floats.

`terms.parse` reads a scheme file, `assess` judges labels, `deduct` computes collections,
`guarantee.subsidies` guarantee-fee subsidies; `facts` states the frames they read.
"""

from settlement.engine.assessment import assess
from settlement.engine.codes import CUT_REASONS, REASONS, TIERS
from settlement.engine.deductions import Deducted, deduct
from settlement.engine.errors import TermsError
from settlement.engine.facts import AssessFacts, DeductFacts
from settlement.engine.terms_model import Terms

__all__ = [
    "CUT_REASONS",
    "REASONS",
    "TIERS",
    "AssessFacts",
    "DeductFacts",
    "Deducted",
    "Terms",
    "TermsError",
    "assess",
    "deduct",
]
