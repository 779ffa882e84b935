"""The REST side: `POST /v1/models/{name}:rank`, and the status of a model as TensorFlow Serving gives it."""

from __future__ import annotations

import orjson
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ranker.data.requests import RequestError
from serving.scorer import InferenceError, OnlineScorer

__all__ = ["rest_app"]

_LARGEST_BODY = 64 << 20
_HTTP_STATUS = {3: 400, 5: 404, 8: 429, 4: 504}  # by the gRPC code


def rest_app(scorer: OnlineScorer) -> Starlette:
    """The ASGI application."""

    async def rank(request: Request) -> Response:
        scorer.check(request.path_params["name"])
        body = await _body(request)
        return await run_in_threadpool(lambda: Response(_rank(scorer, body), media_type="application/json"))

    async def status(request: Request) -> Response:
        scorer.check(request.path_params["name"])
        ok = {"error_code": "OK", "error_message": ""}
        return JSONResponse(
            {"model_version_status": [{"version": str(scorer.version), "state": "AVAILABLE", "status": ok}]}
        )

    routes = [
        Route("/v1/models/{name}:rank", rank, methods=["POST"]),
        Route("/v1/models/{name}", status, methods=["GET"]),
    ]
    handlers = {RequestError: _bad_request, InferenceError: _failed, HTTPException: _http_error}
    return Starlette(routes=routes, exception_handlers=handlers)  # type: ignore[arg-type]  # handlers are narrower


def _rank(scorer: OnlineScorer, body: bytes) -> bytes:
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise RequestError(f"JSON Parse error: {error}") from None
    return orjson.dumps(scorer.rank(content))


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LARGEST_BODY:
            raise HTTPException(413, f"the request is larger than {_LARGEST_BODY >> 20} MiB")
    return bytes(body)


async def _bad_request(_: Request, error: Exception) -> Response:
    return JSONResponse({"error": str(error)}, 400)


async def _failed(_: Request, error: InferenceError) -> Response:
    return JSONResponse({"error": str(error)}, _HTTP_STATUS.get(error.code, 500))


async def _http_error(request: Request, error: HTTPException) -> Response:
    if error.status_code in (404, 405):
        return JSONResponse({"error": f"Malformed request: {request.method} {request.url.path}"}, 400)
    return JSONResponse({"error": error.detail}, error.status_code)
