"""Reading files: file kinds, bytes to a table of text, text to typed columns. No database."""
