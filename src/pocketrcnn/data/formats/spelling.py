"""Names of images as servers and programs for annotation write them: addresses, escapes, prefixes. No torch here."""

import re
from urllib.parse import unquote

ADDRESS = re.compile(r"[a-z][a-z0-9+.-]+:/+[^/]*/", re.IGNORECASE)  # `https://host/`; a drive has one letter
LOCAL_FILE = re.compile(r"[?&]d=([^&#]+)")  # Label Studio: a path below its folder of files
UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
HASH = re.compile(rf"(?:{UUID}|[0-9a-f]{{32}}|[0-9a-f]{{8}})-(?=.)", re.IGNORECASE)
DATE = re.compile(r"(?:19|20)\d{6}-")
ROBOFLOW = re.compile(r"_(?:jpe?g|png|bmp|tiff?|webp)\.rf\.\w+", re.IGNORECASE)  # `a_jpg.rf.0f3c..` is `a.jpg`


def decoded(name: str) -> str:
    """The path that an address or an escaped name stands for: `photos/a b.png` of `https://host/photos/a%20b.png?token=1`
    and of Label Studio's `/data/local-files/?d=photos/a%20b.png`."""
    if local := LOCAL_FILE.search(name):
        path = local[1]
    elif address := ADDRESS.match(name):
        path = re.split("[?#]", name[address.end() :])[0]
    else:
        path = re.sub(r"(\.\w+)\?.*", r"\1", name)  # behind the ending of the file
    return unquote(path).replace("\0", "\ufffd") or name


def original(name: str) -> str:
    """What is left of a file's name, with or without its ending, when a program has made it its own.

    Label Studio puts eight hexadecimal digits before it, and like others turns spaces into underscores and leaves out
    what is neither a letter, a digit, an underscore, a dot nor a hyphen; Roboflow puts digits behind it.
    """
    name = ROBOFLOW.sub("", name)
    if (prefix := HASH.match(name)) and not DATE.match(name):
        name = name[prefix.end() :]
    return re.sub(r"[^\w.-]", "", name.strip().replace(" ", "_")) or name
