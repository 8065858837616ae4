"""Which files may be papers, and that every list of kinds is the same."""

import pytest

from loans.models import PaperKind
from loans.values.papers import (
    PAPER_ENDINGS,
    PAPER_KINDS,
    PAPER_TYPES,
    bare_name,
    kind_bit,
    kinds_of,
    paper_type,
)
from settlement.engine import terms_papers


def test_files_pages_and_scheme_files_know_the_same_kinds() -> None:
    assert list(PAPER_KINDS.items()) == [(kind.value, str(kind.label)) for kind in PaperKind]
    assert tuple(PAPER_KINDS) == terms_papers.PAPER_KINDS
    assert PAPER_ENDINGS == ("pdf", "jpg", "jpeg", "png", "tif", "tiff", "ofd")
    assert list(PAPER_TYPES) == ["pdf", "jpg", "png", "tif", "ofd"]


def test_kinds_are_bits() -> None:
    assert [kind_bit(kind) for kind in PAPER_KINDS] == [1, 2, 4, 8, 16, 32, 64, 128]
    assert kinds_of(0) == []
    assert kinds_of(5) == ["borrower_undertaking", "invoice"]


@pytest.mark.parametrize(
    ("name", "head", "kind"),
    [
        ("a.pdf", b"%PDF-1.7", "pdf"),
        ("扫描件.PDF", b"%PDF-1.4", "pdf"),
        ("a.jpeg", b"\xff\xd8\xff\xe0", "jpg"),
        ("a.png", b"\x89PNG\r\n\x1a\n", "png"),
        ("a.tiff", b"MM\x00*", "tif"),
        ("a.tif", b"II*\x00", "tif"),
        ("a.ofd", b"PK\x03\x04", "ofd"),
        ("a.html", b"%PDF-1.7", None),
        ("a.pdf.exe", b"%PDF-1.7", None),
        ("a.pdf", b"<html><script>", None),
        ("a.jpg", b"%PDF-1.7", None),
        ("a.docx", b"PK\x03\x04", None),
        ("a.svg", b"<svg xmlns=", None),
        ("pdf", b"%PDF-1.7", None),
        (".pdf", b"%PDF-1.7", None),
        ("a.pdf", b"", None),
    ],
)
def test_name_and_content_must_agree(name: str, head: bytes, kind: str | None) -> None:
    assert paper_type(name, head) == kind


@pytest.mark.parametrize(
    ("given", "bare"),
    [
        ("承诺书.pdf", "承诺书.pdf"),
        ("../../etc/passwd.pdf", "passwd.pdf"),
        ("C:\\资料\\发票 1.pdf", "发票 1.pdf"),
        ("/a/b/", ""),
        (" x.pdf ", "x.pdf"),
    ],
)
def test_a_name_is_its_last_part(given: str, bare: str) -> None:
    assert bare_name(given) == bare
