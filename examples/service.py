"""Boxes over HTTP: `curl -F image=@photo.png 127.0.0.1:8000` answers with JSON. `DETECTOR` names a run, or `nuclei`.

pip install starlette uvicorn python-multipart
DETECTOR=runs/my-images uvicorn service:app --app-dir examples
"""

import os

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from pocketrcnn import Detector, UserError

detector = Detector.load(os.environ.get("DETECTOR", "nuclei"))


async def detect(request: Request) -> JSONResponse:
    async with request.form() as form:
        if not isinstance(upload := form.get("image"), UploadFile):
            return JSONResponse({"error": "send the image as a file in the form field `image`"}, 400)
        try:
            found = await run_in_threadpool(detector, await upload.read())
        except UserError as error:
            return JSONResponse({"error": str(error)}, 422)
    return JSONResponse(found.to_dicts())


app = Starlette(routes=[Route("/", detect, methods=["POST"])])
