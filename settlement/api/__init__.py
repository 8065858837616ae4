"""Endpoints of money: deductions and runs, what treasuries pay ahead, decide, demand back (contract §5)."""
