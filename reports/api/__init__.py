"""Endpoints of reports: which there are, and their files."""
