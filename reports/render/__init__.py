"""Sheets as XLSX, PDF and CSV; the only place that knows the libraries."""
