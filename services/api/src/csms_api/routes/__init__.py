"""One module for each resource, with `router(context) -> APIRouter`."""
