"""Reading what happened, as frames of integers, dates and codes."""
