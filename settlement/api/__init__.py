"""Endpoints of deductions: what was posted and why, and runs that post."""
