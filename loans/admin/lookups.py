"""Search terms turned into keys first, so that big tables are then read by their indexes."""

from __future__ import annotations

from django.db.models import Q

from config.kernel.admin.searching import Condition, exact, prefix
from loans.models import Contract, Enterprise, EnterpriseRecord, InterestCollection, Note

FOUND_MAX = 1_000


def enterprises_found(term: str) -> list[int]:
    """Enterprises of exactly this code, or whose name once began like this."""
    by_code = Enterprise.objects.filter(uscc=term).values_list("pk", flat=True)
    by_name = EnterpriseRecord.objects.filter(prefix("name")(term))
    return [*by_code, *by_name.values_list("enterprise_id", flat=True)[:FOUND_MAX]]


def notes_found(term: str) -> list[int]:
    """Notes whose number begins like this."""
    found = Note.objects.filter(prefix("note_number")(term)).order_by("note_number")
    return list(found.values_list("pk", flat=True)[:FOUND_MAX])


def contracts_found(term: str) -> list[int]:
    """Contracts whose number begins like this."""
    found = Contract.objects.filter(prefix("contract_number")(term)).order_by("contract_number")
    return list(found.values_list("pk", flat=True)[:FOUND_MAX])


def collections_found(term: str) -> list[int]:
    """Interest collections of exactly this reference."""
    found = InterestCollection.objects.filter(exact("reference")(term))
    return list(found.values_list("pk", flat=True)[:FOUND_MAX])


def of_enterprise(path: str) -> Condition:
    """Rows of the enterprises a term finds."""
    return lambda term: Q(**{f"{path}__in": enterprises_found(term)})


def of_note(path: str = "note_id") -> Condition:
    """Rows of the notes a term finds."""
    return lambda term: Q(**{f"{path}__in": notes_found(term)})


def of_borrower(path: str = "contract_id") -> Condition:
    """Rows of the contracts of the enterprises a term finds: keys, which an index then serves."""

    def condition(term: str) -> Q:
        signed = Contract.objects.filter(enterprise_id__in=enterprises_found(term))
        return Q(**{f"{path}__in": list(signed.values_list("pk", flat=True)[:FOUND_MAX])})

    return condition


def of_contract(path: str = "contract_id") -> Condition:
    """Rows of the contracts a term finds."""
    return lambda term: Q(**{f"{path}__in": contracts_found(term)})


def of_collection(path: str) -> Condition:
    """Rows of the interest collections a term finds."""
    return lambda term: Q(**{f"{path}__in": collections_found(term)})
