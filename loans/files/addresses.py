"""Spreadsheet column letters."""


def column_letter(position: int) -> str:
    """Return the letters of a column counted from 0: 0 -> A, 27 -> AB."""
    letters = ""
    number = position + 1
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def column_number(letters: str) -> int:
    """Return the position of a column counted from 0: A -> 0, AB -> 27."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1
