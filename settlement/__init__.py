"""What it means: policies, enrolments, deductions."""
