"""The application: every route behind one gate, every error in one shape, one document that describes it all.

A resource is a module in `routes/` with `router(context) -> APIRouter`; adding one is adding it to `ROUTERS`.
"""

from collections.abc import Callable

from fastapi import APIRouter, FastAPI
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

from csms_api import docs
from csms_api.auth import Authenticator, Openness
from csms_api.context import Context
from csms_api.errors import HANDLERS
from csms_api.gate import Gate, Meter
from csms_api.routes import (
    v1,
    v1_lists,
    v2_commands,
    v2_dead_letters,
    v2_events,
    v2_stations,
    v2_tags,
    v2_transactions,
    v2_verbs,
)
from csms_api.tracing import Traced

ROUTERS: tuple[Callable[[Context], APIRouter], ...] = (
    v1.router,
    v1_lists.router,
    v2_commands.router,
    v2_verbs.router,
    v2_stations.router,
    v2_tags.router,
    v2_transactions.router,
    v2_dead_letters.router,
    v2_events.router,
)

TITLE = "CSMS API"
VERSION = "1"


def application(context: Context, openness: Openness, authenticator: Authenticator) -> FastAPI:
    """The ASGI application. It has no lifespan: what it needs is in `context`."""
    app = FastAPI(
        title=TITLE,
        version=VERSION,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        exception_handlers=HANDLERS,
        middleware=_middleware(context, openness, authenticator),
    )
    for router in (*ROUTERS, docs.router):
        # Not `include_router`: nested routers are slower, and a plain route's template would not be known to `Meter`.
        app.router.routes.extend(router(context).routes)
    docs.mount(app)
    return app


def _middleware(context: Context, openness: Openness, authenticator: Authenticator) -> list[Middleware]:
    settings = context.settings
    layers = [Middleware(Meter)]
    if settings.cors_origins:
        # Outside the gate: a browser asks without credentials first whether it may send them.
        layers.append(
            Middleware(
                CORSMiddleware,
                allow_origins=settings.cors_origins,
                allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
                allow_headers=["Authorization", "Content-Type"],
                expose_headers=["Retry-After", "WWW-Authenticate"],
            )
        )
    return [
        *layers,
        Middleware(Traced),
        Middleware(Gate, settings=settings, openness=openness, authenticator=authenticator),
    ]
