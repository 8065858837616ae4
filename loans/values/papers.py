"""Papers that prove what a note was subsidised for: which kinds there are, and which files may hold one."""

PAPER_KINDS = {
    "borrower_undertaking": "企业信用承诺书",
    "supplementary_agreement": "贴息补充协议",
    "invoice": "购置发票",
    "payment_proof": "付款凭证",
    "use_of_funds": "资金用途跟踪记录",
    "commitment_letter": "合作银行承诺书",
    "eligibility_proof": "企业资格证明",
    "other": "其他资料",
}
"""Kind → what it is called in files. A scheme's file says which of them its notes need."""

PAPER_BYTES_MAX = 20 << 20
FILE_NAME_MAX = 200

# First bytes → type, the endings a file of that type may have, and how it is handed out again.
_TYPES = (
    (b"%PDF-", "pdf", ("pdf",)),
    (b"\xff\xd8\xff", "jpg", ("jpg", "jpeg")),
    (b"\x89PNG\r\n\x1a\n", "png", ("png",)),
    (b"II*\x00", "tif", ("tif", "tiff")),
    (b"MM\x00*", "tif", ("tif", "tiff")),
    (b"PK\x03\x04", "ofd", ("ofd",)),
)
PAPER_TYPES = {
    "pdf": "application/pdf",
    "jpg": "image/jpeg",
    "png": "image/png",
    "tif": "image/tiff",
    "ofd": "application/ofd",
}
PAPER_ENDINGS = tuple(dict.fromkeys(ending for _, _, endings in _TYPES for ending in endings))
HEAD_BYTES = 16


def kind_bit(kind: str) -> int:
    """The bit that stands for a kind where many notes' papers are compared at once."""
    return 1 << list(PAPER_KINDS).index(kind)


def kinds_of(bits: int) -> list[str]:
    """The kinds that these bits stand for."""
    return [kind for kind in PAPER_KINDS if bits & kind_bit(kind)]


def paper_type(file_name: str, head: bytes) -> str | None:
    """Which type is a file of this name that begins like this; None if it may not be a paper.

    Name and content must agree: a page that a browser would run does not pass as a picture.
    """
    stem, _dot, ending = file_name.rpartition(".")
    for start, name, endings in _TYPES:
        if head.startswith(start):
            return name if stem and ending.lower() in endings else None
    return None


def bare_name(file_name: str) -> str:
    """The last part of a file's name, whatever folders of whichever system stand before it."""
    return file_name.replace("\\", "/").rpartition("/")[2].strip()
