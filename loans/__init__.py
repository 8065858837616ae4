"""What happened: parties, contracts, notes, cash flows, evidence."""
