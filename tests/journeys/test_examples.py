"""The examples run: the service over HTTP, the notebook cell by cell."""

from __future__ import annotations

import ast
import json
import re
import runpy
import shutil
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from exported_runs import content_of_run

import pocketrcnn
from pocketrcnn.custom.builtin import examples_of

pytestmark = pytest.mark.slow

EXAMPLES = Path(__file__).parents[2] / "examples"
BORDER = "------border"


@pytest.fixture(scope="module")
def service() -> Iterator[str]:
    """The address of the service, which runs in a thread."""
    pytest.importorskip("python_multipart")
    pytest.importorskip("starlette")
    uvicorn = pytest.importorskip("uvicorn")
    app = runpy.run_path(str(EXAMPLES / "service.py"))["app"]
    server = uvicorn.Server(uvicorn.Config(app, "127.0.0.1", 0, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the service ended"
        time.sleep(0.01)
    _, port = server.servers[0].sockets[0].getsockname()
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join()


def upload(address: str, content: bytes, field: str = "image") -> tuple[int, Any]:
    """What `curl -F image=@a.png` sends; the status, and the JSON of the answer."""
    head = f'--{BORDER}\r\nContent-Disposition: form-data; name="{field}"; filename="a.png"\r\n\r\n'
    request = urllib.request.Request(
        address,
        head.encode() + content + f"\r\n--{BORDER}--\r\n".encode(),
        {"Content-Type": f"multipart/form-data; boundary={BORDER}"},
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


@pytest.mark.loopback
def test_an_upload_becomes_boxes(service: str) -> None:
    images = [path.read_bytes() for path in examples_of("nuclei")]
    detector = pocketrcnn.Detector.load("nuclei")
    wanted = [json.loads(json.dumps(detector(image).to_dicts())) for image in images]
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda image: upload(service, image), images * 2))
    assert answers == [(200, records) for records in wanted * 2]
    assert answers[0][1][0]["class"] == "nucleus"


@pytest.mark.loopback
@pytest.mark.parametrize(
    ("content", "field", "status", "words"),
    [
        (b"text", "image", 422, "the image is not an image that can be read: convert it to PNG or JPEG, or remove it"),
        (b"\0\0\0\x20ftypisom" + bytes(200), "image", 422, "the image is a video"),
        (b"", "image", 422, "the image is "),
        (b"\x89PNG", "picture", 400, "send the image as a file in the form field `image`"),
    ],
)
def test_a_wrong_upload_is_refused_in_one_line(
    content: bytes, field: str, status: int, words: str, service: str
) -> None:
    code, answer = upload(service, content, field)
    assert code == status
    assert answer["error"].startswith(words)
    assert "\n" not in answer["error"]


def shown(code: str, variables: dict[str, Any]) -> Any:
    """Run a cell as a notebook does: the value of a last line that is an expression is shown."""
    *before, last = ast.parse(code).body
    exec(compile(ast.Module(before, []), "cell", "exec"), variables)
    return eval(compile(ast.Expression(last.value), "cell", "eval"), variables)  # type: ignore[attr-defined]


def test_the_notebook(learned: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a kernel: that would bring thirty packages for six cells."""
    shutil.copytree(learned, tmp_path / "runs/my-images")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("pocketrcnn.custom.onnx.export.onnx_file", lambda _: content_of_run(learned))
    notebook = json.loads((EXAMPLES / "first-steps.ipynb").read_text(encoding="utf-8"))
    cells = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    variables: dict[str, Any] = {}
    load, predict, show, count, evaluate, export = (shown(cell, variables) for cell in cells)
    assert repr(load).startswith("<Detector of nucleus: ")
    assert re.findall(r"<td>(\d+) objects", predict._repr_html_()) == ["20", "56"]
    assert "<img src=" in show._repr_html_()
    assert [counts.objects for counts in count] == [20, 56]
    assert set(evaluate) == {"AP", "AP50", "AP75", "AR"}
    assert export.is_file()
    assert not any(cell.get("outputs") for cell in notebook["cells"]), "results are not kept in the file"
