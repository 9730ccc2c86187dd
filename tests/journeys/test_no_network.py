"""No command opens a connection or imports what it does not use: all of them, in a process where that is an error."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

CODE = """
import shlex, sys

def refuse(event, arguments):
    if event in {"socket.connect", "socket.getaddrinfo", "socket.bind", "socket.sendto", "subprocess.Popen",
                 "os.system", "os.exec", "os.posix_spawn", "pickle.find_class"}:
        raise SystemExit(f"{event}{arguments}")

sys.addaudithook(refuse)
from pocketrcnn.cli.main import main
heavy = {"ray", "pyarrow", "pandas", "optuna", "dask", "tensorboardX", "onnx", "onnxruntime"}
for line in sys.stdin:
    code = main(shlex.split(line))
    assert code == 0, (line, code)
    heavy -= {"onnx", "onnxruntime"} if line.startswith("export") else set()
    assert not heavy & {*sys.modules}, (line, heavy & {*sys.modules})
print("all ran")
"""
COMMANDS = """
scenes data --data sample --objects 1-2 --side 48 --images 20
check data
check data --fix fixed
convert data voc --to voc
train data --iterations 2 --preset small --batch 4 --out run --device cpu
eval run
predict run data/test
export run
predict run/model.onnx data/test
costs detector
reproduce --only B2 --iterations 2 --data sample --out course
"""


def test_commands_open_no_connection_and_start_no_program(tmp_path: Path) -> None:
    command = [sys.executable, "-c", CODE]
    ended = subprocess.run(command, input=COMMANDS.strip(), capture_output=True, text=True, cwd=tmp_path, check=False)
    assert ended.returncode == 0, ended.stderr[-2000:]
    assert ended.stdout.endswith("all ran\n")
