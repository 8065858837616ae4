"""The independent reference: what the domain text alone says a portfolio must give."""
