"""The checksum of an exported file: SHA-256 over all bytes before it, which are its last.

An ONNX file is one protobuf message, and what is appended to such a message continues it. So the checksum is an entry
of the file's metadata like any other, and neither onnx nor a parser is needed to find it and to check it.
"""

import hashlib

NAME = b"pocketrcnn.sha256"
DIGITS = 64
KEY = b"\x0a" + bytes([len(NAME)]) + NAME  # field 1 of an entry: its length, its content
VALUE = b"\x12" + bytes([DIGITS])  # field 2, whose content follows
START = b"\x72" + bytes([len(KEY + VALUE) + DIGITS]) + KEY + VALUE  # field 14 of the model, `metadata_props`


def with_checksum(content: bytes) -> bytes:
    """An ONNX file that has no checksum, with one."""
    return content + START + digest(content + START)


def checksum_holds(content: bytes) -> bool | None:
    """Whether a file is as it was written; None for one without a checksum at its end."""
    whole, found = content[:-DIGITS], content[-DIGITS:]
    return digest(whole) == found if whole.endswith(START) else None


def digest(content: bytes) -> bytes:
    """SHA-256 as hexadecimal digits."""
    return hashlib.sha256(content).hexdigest().encode()
