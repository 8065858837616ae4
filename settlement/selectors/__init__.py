"""Reading what facts mean: judgements and deductions, as frames."""
