"""Swagger UI at `/docs`, the document at `/openapi.json`: all of it is served by us, nothing comes from elsewhere."""

from pathlib import Path

import fastapi_offline
from fastapi import APIRouter, FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles

from csms_api import openapi
from csms_api.context import Context
from csms_api.routes.plain import Plain

_ASSETS = Path(fastapi_offline.__file__).parent / "static"
_ASSETS_PATH = "/docs/assets"
_PARAMETERS = {
    "persistAuthorization": True,
    "docExpansion": "none",
    "filter": True,
    "tryItOutEnabled": True,
    "validatorUrl": None,
}


def router(context: Context) -> APIRouter:
    """`/docs`, `/openapi.json` and the icon."""
    routes = APIRouter()

    async def page(request: Request) -> Response:
        return get_swagger_ui_html(
            openapi_url="/openapi.json",
            title=request.app.title,
            swagger_js_url=f"{_ASSETS_PATH}/swagger-ui-bundle.js",
            swagger_css_url=f"{_ASSETS_PATH}/swagger-ui.css",
            swagger_favicon_url="/favicon.ico",
            swagger_ui_parameters=_PARAMETERS,
        )

    async def document(request: Request) -> Response:
        return Response(openapi.encoded(request.app), media_type="application/json")

    async def icon(request: Request) -> Response:
        return FileResponse(_ASSETS / "favicon.png")

    routes.routes += [
        Plain("/docs", page, "GET", "HEAD"),
        Plain("/openapi.json", document, "GET", "HEAD"),
        Plain("/favicon.ico", icon, "GET", "HEAD"),
    ]
    return routes


def mount(app: FastAPI) -> None:
    """Serve the script and the style sheet."""
    app.mount(_ASSETS_PATH, StaticFiles(directory=_ASSETS), name="assets")
