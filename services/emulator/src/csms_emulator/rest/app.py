"""The application: every route behind the door, every error in one shape, one document, and a page that shows it."""

from pathlib import Path

import fastapi_offline
import msgspec
from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from starlette.staticfiles import StaticFiles

from csms_emulator.rest import openapi
from csms_emulator.rest.door import Door
from csms_emulator.rest.errors import HANDLERS
from csms_emulator.rest.register import Register
from csms_emulator.rest.resource import PREFIX
from csms_emulator.rest.routes import Routes

_ASSETS = Path(fastapi_offline.__file__).parent / "static"
_DOCS, _DOCUMENT = f"{PREFIX}/docs", f"{PREFIX}/openapi.json"
_PARAMETERS = {"docExpansion": "none", "tryItOutEnabled": True, "persistAuthorization": True, "validatorUrl": None}


def application(register: Register, epoch: float, token: str) -> FastAPI:
    """The ASGI application, for paths under `/emulator`; `token` and `epoch` as in `Door` and `Routes`."""
    app = FastAPI(
        title=openapi.TITLE,
        version=openapi.VERSION,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        exception_handlers=HANDLERS,
        middleware=[Middleware(Door, token=token)],
    )
    resources = Routes(register, epoch).resources()
    described = msgspec.json.encode(openapi.document(resources))

    async def document(_: Request) -> Response:
        return Response(described, media_type="application/json")

    pages = [Route(PREFIX, _to_docs), Route(_DOCS, _docs), Route(_DOCUMENT, document)]
    app.router.routes.extend([*resources, *pages])
    app.mount(f"{_DOCS}/assets", StaticFiles(directory=_ASSETS))
    return app


async def _to_docs(_: Request) -> Response:
    return RedirectResponse(_DOCS)


async def _docs(_: Request) -> Response:
    return get_swagger_ui_html(
        openapi_url=_DOCUMENT,
        title=openapi.TITLE,
        swagger_js_url=f"{_DOCS}/assets/swagger-ui-bundle.js",
        swagger_css_url=f"{_DOCS}/assets/swagger-ui.css",
        swagger_favicon_url=f"{_DOCS}/assets/favicon.png",
        swagger_ui_parameters=_PARAMETERS,
    )
