"""Settings: `base` and one module per kind of installation."""
