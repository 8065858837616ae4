"""Endpoints of money: what treasuries pay ahead, decide, demand back, and may look at (contract §5)."""
