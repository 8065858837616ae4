"""Endpoints of facts: what bank cores and treasuries tell us (contract §5)."""
