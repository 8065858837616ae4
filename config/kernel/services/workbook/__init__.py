"""Workbooks as streams: frames in, an XLSX file out, a million rows in bounded memory.

`Book` writes sheets one after another, each a `Table` of `Column`s fed by an iterator of frames of
whole numbers, dates and texts. No number passes through floating point, and the same rows give the
same bytes.
"""

from config.kernel.services.workbook.book import Book
from config.kernel.services.workbook.cells import decimal_texts, guarded_texts
from config.kernel.services.workbook.shapes import Column, Form, Line
from config.kernel.services.workbook.sheet import SHEET_ROWS, Table

__all__ = [
    "SHEET_ROWS",
    "Book",
    "Column",
    "Form",
    "Line",
    "Table",
    "decimal_texts",
    "guarded_texts",
]
