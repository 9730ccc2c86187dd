"""What files are that are no images of the formats that are decoded here, and what to do about them. No torch here.

By their first bytes in messages, by their endings where a folder is listed.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from .notes import Counted, Note


class Foreign(NamedTuple):
    """A kind of file that people take for an image: what it is, and the remedy. endings: in small letters."""

    what: str
    remedy: str
    endings: tuple[str, ...] = ()


HEIC = Foreign(
    "is a HEIC photograph",
    "save it as JPEG (`heif-convert photo.heic photo.jpg`; on an iPhone: Settings, Camera, Formats, Most Compatible)",
    (".heic", ".heif", ".hif"),
)
VIDEO = Foreign(
    "is a video",
    "save its frames as images, for instance with `ffmpeg -i clip.mp4 frames/%05d.png`",
    (".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".wmv", ".flv", ".mpg", ".mpeg", ".mts", ".m2ts", ".3gp"),
)
RAW = Foreign(
    "is a raw photograph of a camera",
    "develop it, and save it as JPEG, PNG or TIFF",
    (".dng", ".cr2", ".cr3", ".nef", ".arw", ".orf", ".rw2", ".raf", ".pef", ".srw"),
)
MICROSCOPE = Foreign(
    "is a file of a microscope",
    "export its images as TIFF (Fiji opens it: Plugins, Bio-Formats)",
    (".czi", ".nd2", ".lif", ".lsm", ".oib", ".oif", ".oir", ".vsi", ".ims", ".svs", ".ndpi", ".mrxs", ".scn"),
)
MEDICAL = Foreign("is a medical image (DICOM or NIfTI)", "export it as PNG or TIFF", (".dcm", ".dicom", ".nii", ".mha"))
DRAWING = Foreign(
    "is a drawing or a document",
    "save it as PNG",
    (".svg", ".pdf", ".eps", ".ai", ".psd", ".xcf"),
)
ARRAY = Foreign("is a file of arrays", "save each as PNG or TIFF", (".npy", ".npz", ".mat", ".h5", ".hdf5", ".zarr"))
OTHER_IMAGE = Foreign("is an image of a format that is not read", "convert it to PNG or JPEG")
OTHER_IMAGE = OTHER_IMAGE._replace(endings=(".jxl", ".jxr", ".exr", ".hdr", ".tga", ".dds", ".fits", ".fit", ".ktx"))
KINDS = (HEIC, VIDEO, RAW, MICROSCOPE, MEDICAL, DRAWING, ARRAY, OTHER_IMAGE)
BY_ENDING = {ending: kind for kind in KINDS for ending in kind.endings}

HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")  # ISO/IEC 23008-12, annex B
STARTS = {  # the first bytes of other kinds
    b"\x1ae\xdf\xa3": VIDEO,  # Matroska, WebM
    b"%pdf": DRAWING,
    b"%!ps": DRAWING,
    b"<svg": DRAWING,
    b"8bps": DRAWING,
    b"\x93numpy": ARRAY,
    b"\x89hdf": ARRAY,
    b"zisrawfile": MICROSCOPE,
    b"\xff\x0a": OTHER_IMAGE,  # JPEG XL
    b"\0\0\0\x0cjxl ": OTHER_IMAGE,
    b"v/1\1": OTHER_IMAGE,  # OpenEXR
}
DECODED = {  # the first bytes of formats that are decoded: what cannot be identified is damaged
    b"\x89png\r\n\x1a\n": "PNG",
    b"\xff\xd8\xff": "JPEG",
    b"ii*\0": "TIFF",
    b"mm\0*": "TIFF",
    b"gif8": "GIF",
}


def refusal(head: bytes, ending: str = "") -> str:
    """What a file is that is no image, by its first bytes, else by its ending, and what to do about it."""
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if not head:
        return "is empty: replace or remove it"
    if start.startswith((b"<!doctype html", b"<html", b"<head", b"<body")):
        return "is an HTML page, not an image: download the image itself again"
    if start.startswith(b"version https://git-lfs"):
        return "is a pointer of Git LFS, not an image: fetch the image with `git lfs pull`"
    if kind := kind_of(head, start) or BY_ENDING.get(ending.lower()):
        return f"{kind.what}, which is not read: {kind.remedy}"
    if name := next((name for magic, name in DECODED.items() if head.lower().startswith(magic)), ""):
        return f"is a damaged {name} that cannot be decoded: replace or remove it"
    return "is not an image that can be read: convert it to PNG or JPEG, or remove it"


def kind_of(head: bytes, start: bytes) -> Foreign | None:
    """The kind of a file by its first bytes. start: these in small letters, from the first letter on."""
    if head[4:8] == b"ftyp":  # ISO/IEC 14496-12
        return HEIC if head[8:12] in HEIC_BRANDS else VIDEO
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        return VIDEO
    if head[128:132] == b"DICM":
        return MEDICAL
    if start.startswith(b"<?xml") and b"<svg" in start:
        return DRAWING
    return next((kind for magic, kind in STARTS.items() if head.lower().startswith(magic)), None)


def passed_over(paths: Iterable[Path]) -> Iterator[tuple[Path, Note]]:
    """The files of a folder that people take for images and that are not read: one note a kind, with its number."""
    counted = Counted()
    for path in paths:
        if kind := BY_ENDING.get(path.suffix.lower()):
            counted.add(path, [Note(kind.what, f"{kind.what}, which is not read: {kind.remedy}")])
    for path, note in counted.of("file"):
        yield path, note._replace(kind="not-read")


def address(name: object) -> str:
    """The address that a path or text is, as https://example.com/a.jpg; empty where it is none.

    `Path` makes one slash of two, which come back.
    """
    scheme, found, rest = re.sub(r"^([A-Za-z][A-Za-z0-9+.-]+):/(?!/)", r"\1://", str(name)).partition("://")
    if str(name).startswith("data:"):
        return str(name)
    return f"{scheme}://{rest}" if found and re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]+", scheme) else ""
