"""Text files of annotations as characters, whatever encoding they are in. No torch here.

Formats are recognised on decoded text, too: what can be read is never passed over for its encoding. XML says what it is
in, other text is UTF-8 or begins with a byte order mark. All else is what Windows of some country writes: that is
guessed from the bytes alone (`legacy`), and said in a note.
"""

import codecs
import re
from pathlib import Path

START = 4096  # bytes of a file that are looked at to recognise it
MARKS = {  # byte order marks; that of UTF-32 begins as that of UTF-16
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
LOOKED_AT = 100_000  # bytes that are no ASCII, and those beside them, from which an encoding is guessed
DAMAGED = 0.1  # of the characters outside ASCII that may be broken in UTF-8
USUAL = 0.9  # of the characters of a language that are among its usual ones
CHANCE = 3  # different characters that may be UTF-8 by accident
KOREAN = 3  # more different Hangul than these, and nothing else, are Korean: their bytes are usual in Chinese, too
PUNCTUATION = (0xA1, 0xA2, 0xA3)  # first bytes of signs and full-width letters
FIRST_BYTES = {  # of the usual characters, in Windows' supersets of Shift JIS, GB 2312 and Big5
    "cp932": (*range(0x81, 0xA0), *range(0xE0, 0xEB)),
    "gb18030": range(0xB0, 0xD8),
    "cp950": range(0xA4, 0xC7),
}
NAMES = {
    **{"cp932": "Shift JIS", "gb18030": "GBK", "cp949": "EUC-KR", "cp950": "Big5"},
    **{"cp1251": "Windows-1251", "cp1252": "Latin-1"},
}
DECLARATION = re.compile(rb"\s*<\?xml[^>]*?encoding\s*=\s*[\"']([\w.:-]+)[\"']")
ENCODINGS = re.compile(
    r"utf_?8|us_ascii|ascii|iso|latin|windows|cp\d|ibm|koi8|mac|gb|big5|euc|ks_c|shift|s_?jis|tis|hz"
)
SUPERSETS = {"gb2312": "gb18030", "gbk": "gb18030", "big5": "cp950", "shift_jis": "cp932", "euc_kr": "cp949"}


def read_text(path: Path) -> str:
    """A text file, in whatever encoding."""
    return decoded(path.read_bytes())


def read_start(path: Path, size: int = START) -> str:
    """The first `size` bytes of a text file as characters; a character that is cut there is left out."""
    with path.open("rb") as stream:
        return decoded(stream.read(size), whole=False)


def decoded(data: bytes, encoding: str = "", whole: bool = True) -> str:
    """Bytes as characters; as Latin-1 where they are not in that encoding.

    encoding: that of the text, by default `encoding_of` it. whole: whether they end with it, and not amid a character.
    """
    name = encoding or encoding_of(data, whole)
    try:
        return codecs.getincrementaldecoder(name)("replace" if name.startswith("utf") else "strict").decode(data, whole)
    except UnicodeDecodeError:
        return data.decode("latin-1")


def encoding_of(data: bytes, whole: bool = True) -> str:
    """What bytes are in, by Python's name: that of their mark, that of XML, UTF-8, else what `legacy` guesses."""
    return evident(data, whole) or legacy(data)


def evident(data: bytes, whole: bool = True) -> str:
    """The encoding of bytes that say it themselves or are UTF-8; else empty."""
    return marked(data) or declared(data) or utf_8(data, whole)


def marked(data: bytes) -> str:
    """The encoding that a byte order mark stands for, also where UTF-16 lacks it: each second byte is 0 then."""
    if mark := next(filter(data.startswith, MARKS), b""):
        return MARKS[mark]
    even, odd = data[:START:2].count(0), data[1:START:2].count(0)
    if not even + odd or 5 * max(even, odd) < min(len(data), START) or 10 * min(even, odd) > max(even, odd):
        return ""
    return "utf-16-le" if odd > even else "utf-16-be"


def declared(data: bytes) -> str:
    """The encoding that XML declares, if it is known, one of text, and that of these bytes; else empty.

    Not UTF-16 and UTF-32: a declaration in ASCII cannot be in these.
    """
    found = DECLARATION.match(data[:START])
    name = found[1].decode("ascii", "replace").lower().replace("-", "_") if found else ""
    if not ENCODINGS.match(name):
        return ""
    try:
        name = codecs.lookup(name).name
        data.decode(SUPERSETS.get(name, name))
    except (LookupError, ValueError):
        return ""
    return SUPERSETS.get(name, name)


def utf_8(data: bytes, whole: bool = True) -> str:
    """`utf-8` where bytes are that, perhaps with a few broken characters; else empty."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(data, whole)
    except UnicodeDecodeError:
        text = data.decode("utf-8", "replace")
        return "utf-8" if text.count("\ufffd") <= DAMAGED * len(re.findall("[^\0-\x7f]", text)) else ""
    return "utf-8"


def may_be_legacy(data: bytes) -> bool:
    """Whether UTF-8 may be something else by accident, as `猫` in GBK is `è`: it has a few different characters of two
    bytes, and none of them in a word of Latin letters. It is something else where files beside it are no UTF-8."""
    text = data.decode("utf-8", "replace")
    ours = set(re.findall("[^\0-\x7f]", text))
    in_words = re.search("[A-Za-z][^\0-\x7f]|[^\0-\x7f][A-Za-z]", text)
    return 0 < len(ours) <= CHANCE and max(ours) < "\u0800" and not in_words


def legacy(data: bytes) -> str:
    """The most likely encoding of bytes that are no Unicode, one of NAMES.

    Where characters of two bytes are likely, these; a few Hangul are taken for Chinese, which has their bytes, too.
    Else one byte is a character: words of Cyrillic letters are Windows-1251, all others Latin-1.
    """
    if name := next((name for name in FIRST_BYTES if is_likely(data, name)), ""):
        pairs = set(pairs_of(data))
        korean = len(pairs) > KOREAN and all(0xB0 <= pair[0] <= 0xC8 for pair in pairs)
        return "cp949" if korean and name == "gb18030" else name
    words = re.findall(rb"[\x80-\xff]+", data)
    cyrillic = [word for word in words if re.fullmatch(rb"[\xa8\xb8\xc0-\xff]{2,}", word)]
    return "cp1251" if len(b"".join(cyrillic)) > USUAL * len(b"".join(words)) else "cp1252"


def decodes(data: bytes, name: str) -> bool:
    """Whether bytes are text in an encoding, down to the last one."""
    try:
        data.decode(name)
    except UnicodeDecodeError:
        return False
    return True


def pairs_of(data: bytes) -> list[bytes]:
    """Characters of two bytes, if all that is no ASCII is one."""
    return re.findall(rb"[\x80-\xff].", data, re.DOTALL)


def is_likely(data: bytes, name: str) -> bool:
    """Whether bytes are usual text in an encoding of FIRST_BYTES, and not Latin letters with accents."""
    if name not in FIRST_BYTES or not decodes(data, name):
        return False
    data = re.sub(rb"(?<=[\0-\x7f]{2})[\0-\x7f]+(?=[\0-\x7f]{2})", b"", data)[:LOOKED_AT]
    pairs = [pair for pair in pairs_of(data) if pair[0] not in PUNCTUATION]
    usual = sum(pair[0] in FIRST_BYTES[name] for pair in pairs)
    sure = any(pair[0] < 0xA0 if name == "cp932" else pair[1] >= 0x80 for pair in pairs)
    return sure and usual >= USUAL * len(pairs) and accents(data) <= (1 - USUAL) * len(pairs)


def accents(data: bytes) -> int:
    """How many characters of two bytes look like an accented letter in a Latin word: their second byte is ASCII, and so
    is a letter beside them."""
    parts = [b"", *re.findall(rb"[\x80-\xff].|[\0-\x7f]", data, re.DOTALL), b""]
    return sum(
        len(one) == 2 and one[1] < 0x80 and (left.isalpha() or right.isalpha())
        for left, one, right in zip(parts, parts[1:], parts[2:], strict=False)
    )
