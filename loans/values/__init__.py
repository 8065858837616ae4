"""What an amount, a period and an identifier are. Pure: no database, file, clock or framework."""
