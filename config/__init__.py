"""Wiring: settings, addresses, workers, and the kernel every app stands on."""
