"""The secret that banks of one circle share, and its name: what their hashes of subsidised notes are keyed with."""

import os

EXCHANGE_KEY_ID = os.environ.get("EXCHANGE_KEY_ID", "")
EXCHANGE_KEY = os.environ.get("EXCHANGE_KEY", "")  # hexadecimal, at least 32 bytes
