"""Text files of annotations as characters, whatever encoding they are in. No torch here.

Formats are recognised on decoded text, too: what can be read is never passed over for its encoding.
"""

import codecs
from pathlib import Path

START = 4096  # bytes of a file that are looked at to recognise it
UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read_text(path: Path) -> str:
    """A text file in UTF-8, with or without byte order mark, or in what old Windows programs wrote."""
    return decoded(path.read_bytes())


def read_start(path: Path, size: int = START) -> str:
    """The first `size` bytes of a text file as characters; a character that is cut there is left out."""
    with path.open("rb") as stream:
        return decoded(stream.read(size), whole=False)


def decoded(data: bytes, whole: bool = True) -> str:
    """Bytes as characters. whole: whether they end with the file, and not amid a character."""
    try:
        return codecs.getincrementaldecoder("utf-8-sig")().decode(data, whole)
    except UnicodeDecodeError:
        name = "utf-16" if data.startswith(UTF_16) else "latin-1"
        return codecs.getincrementaldecoder(name)("replace").decode(data, whole)
