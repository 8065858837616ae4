"""Pages of schemes, judgements and deductions: to look at, search and filter; runs change them."""

from settlement.admin import deductions, enrolments, note_sections, plans, schemes

__all__ = ["deductions", "enrolments", "note_sections", "plans", "schemes"]
