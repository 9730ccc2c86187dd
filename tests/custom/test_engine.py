"""ONNX Runtime for browsers in the cache: verified, from what people have, or by npm.

Covers `custom/page/engine.py`.
"""

import hashlib
import io
import tarfile
from pathlib import Path

import pytest
from shell import Shell

from pocketrcnn.custom.page import engine
from pocketrcnn.errors import UserError

CONTENTS = {engine.SCRIPT: b"export const env = {};", engine.PROGRAM: b"\0asm and so on"}


@pytest.fixture(autouse=True)
def small_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Files of a few bytes are the official ones; no npm, and a server at which nothing listens."""
    checksums = {name: hashlib.sha256(content).hexdigest() for name, content in CONTENTS.items()}
    monkeypatch.setattr(engine, "CHECKSUMS", checksums)
    monkeypatch.setattr(engine, "SERVER", "http://127.0.0.1:9/")  # the discard port
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))


def package(path: Path, contents: dict[str, bytes]) -> Path:
    """What `npm pack` writes."""
    with tarfile.open(path, "w:gz") as archive:
        for name, content in contents.items():
            member = tarfile.TarInfo(f"package/dist/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def test_from_the_package_or_its_folder_and_then_from_the_cache(tmp_path: Path, shell: Shell) -> None:
    code, out, _ = shell("download onnxruntime-web --from", package(tmp_path / "a b.tgz", CONTENTS))
    assert code == 0
    assert "complete and verified" in out
    assert engine.engine_files() == CONTENTS
    folder = engine.wanted().folder
    (folder / engine.SCRIPT).unlink()
    (tmp_path / "package" / "dist").mkdir(parents=True)
    for name, content in CONTENTS.items():
        (tmp_path / "package" / "dist" / name).write_bytes(content)
    assert engine.download_engine(tmp_path, report=lambda _: None) == folder
    assert engine.engine_files() == CONTENTS


def test_another_file_is_not_stored(tmp_path: Path) -> None:
    changed = package(tmp_path / "changed.tgz", CONTENTS | {engine.PROGRAM: b"\0asm of somebody else"})
    with pytest.raises(UserError, match=r"ort-wasm-simd-threaded.wasm is not the official file \(SHA-256 .* expected"):
        engine.download_engine(changed, report=lambda _: None)
    with pytest.raises(UserError, match=r"lacks ort-wasm-simd-threaded.wasm: name a complete copy of onnxruntime-web"):
        engine.download_engine(package(tmp_path / "half.tgz", {engine.SCRIPT: b""}), report=lambda _: None)
    assert not engine.wanted().folder.exists()


@pytest.mark.loopback
def test_without_npm_and_without_a_network_the_remedy_is_named() -> None:
    with pytest.raises(UserError) as caught:
        engine.download_engine(report=lambda _: None)
    message = str(caught.value)
    assert "npm pack onnxruntime-web@1.30.0: npm is not installed" in message
    assert "http://127.0.0.1:9/" in message
    remedy = (
        "get the npm package onnxruntime-web 1.30.0 in another way and name it, `pocketrcnn download onnxruntime-web"
    )
    assert message.endswith(f"{remedy} --from FILE`")
