"""`/api/v2/tags`: the idTags and idTokens that may charge."""

import msgspec
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from csms_api.auth import ADMIN, READ
from csms_api.context import Context
from csms_api.v2 import reading, shapes, views
from csms_api.v2.describing import PAGE, Answer, operation
from csms_api.v2.resource import Operation, Resource, answer, created, location, nothing, unknown
from csms_platform.ports import Tag

_TAG = "Tags"
_decode = msgspec.json.Decoder(shapes.TagFields).decode


def router(context: Context) -> APIRouter:
    """The routes, with their descriptions."""
    routes, tags = APIRouter(), context.ports.tags

    async def page(request: Request) -> Response:
        limit = reading.limit(request)
        found = await tags.page(after=reading.after(request), limit=limit + 1)
        following = found[limit - 1].id if len(found) > limit else ""
        return answer(shapes.TagPage([views.tag(one) for one in found[:limit]], following))

    async def show(request: Request) -> Response:
        found = await tags.get(request.path_params["id"])
        if found is None:
            raise unknown("tag", request.path_params["id"])
        return answer(views.tag(found))

    async def put(request: Request) -> Response:
        named = reading.name("id", request.path_params["id"])
        fields = await reading.body(request, _decode)
        expires = reading.utc("expires", fields.expires) if fields.expires else ""
        tag = Tag(named, fields.status, expires, fields.parent, fields.limit)
        new = await tags.get(named) is None
        await tags.put(tag)
        return created(views.tag(tag), location("tags", named), new=new)

    async def delete(request: Request) -> Response:
        if not await tags.delete(request.path_params["id"]):
            raise unknown("tag", request.path_params["id"])
        return nothing()

    routes.routes += [
        Resource("/tags", GET=Operation(page, READ, _PAGE)),
        Resource(
            "/tags/{id}",
            GET=Operation(show, READ, _SHOW),
            PUT=Operation(put, ADMIN, _PUT),
            DELETE=Operation(delete, ADMIN, _DELETE),
        ),
    ]
    return routes


_MISSING = {404: "There is no such tag."}
_PAGE = operation("listTags", "The tags on the list", {200: Answer("Tags.", shapes.TagPage)}, tag=_TAG, query=PAGE,
                  refusals={400: "A parameter is wrong; the message says which."})  # fmt: skip
_SHOW = operation("getTag", "A tag", {200: Answer("The tag.", shapes.Tag)}, tag=_TAG, refusals=_MISSING)
_PUT = operation(
    "putTag",
    "Put a tag on the list, or replace it",
    {
        200: Answer("It was replaced.", shapes.Tag),
        201: Answer("It is on the list now.", shapes.Tag, {"Location": "Of the tag."}),
    },
    tag=_TAG,
    body=shapes.TagFields,
    refusals={400: "A field is wrong; the message says which."},
)
_DELETE = operation("deleteTag", "Take a tag from the list", {204: Answer("It is gone.")}, tag=_TAG, refusals=_MISSING)
