"""Swagger UI, the OpenAPI document, and the shape of errors outside any resource."""

import re
from typing import Any

import jsonschema_rs
import pytest

from csms_api.operations import VERSIONS, operations
from csms_platform import metrics
from tests.service.api.world import World, open_world


async def test_swagger_ui_is_served_without_the_internet(world: World) -> None:
    page = await world.get("/docs")
    links = re.findall(r'(?:src|href)="([^"]+)"', page.body.decode())

    assets = [await world.get(link) for link in links]

    assert links == ["/docs/assets/swagger-ui.css", "/favicon.ico", "/docs/assets/swagger-ui-bundle.js"]
    assert [asset.status for asset in assets] == [200, 200, 200]
    assert b"://" not in page.body.replace(b"http://127.0.0.1", b"")
    assert b'"persistAuthorization": true' in page.body


async def test_the_document_has_a_path_for_each_operation_of_each_version(world: World) -> None:
    document = (await world.get("/openapi.json")).json

    prefix = "/api/v1/ChargePoint/{identity}/"
    listed = {path.removeprefix(prefix) for path in document["paths"] if path.startswith(prefix)}
    assert document["openapi"] == "3.1.0"
    assert listed == {name for version in VERSIONS for name in operations(version)}


async def test_the_document_is_the_same_every_time_and_refers_to_nothing_that_is_missing(world: World) -> None:
    one, other = await world.get("/openapi.json"), await world.get("/openapi.json")

    schemas = one.json["components"]["schemas"]
    missing = set(re.findall(r'"#/components/schemas/([^"]+)"', one.body.decode())) - schemas.keys()
    assert (one.body, missing) == (other.body, set())


async def test_every_schema_is_one_of_2020_12_and_every_example_is_valid(world: World) -> None:
    document = (await world.get("/openapi.json")).json
    components = {"components": document["components"]}

    def validator(schema: Any) -> Any:
        return jsonschema_rs.Draft202012Validator({**components, **schema})

    for schema in document["components"]["schemas"].values():
        jsonschema_rs.meta.validate({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema})
    for path in document["paths"].values():
        body = path.get("post", {}).get("requestBody", {}).get("content", {}).get("application/json", {})
        for version, example in body.get("examples", {}).items():
            operation = path["post"]["operationId"]
            assert validator({"$ref": f"#/components/schemas/{version}.{operation}Request"}).is_valid(
                example["value"]
            ), (version, operation)


async def test_the_document_says_how_to_log_in(world: World) -> None:
    document = (await world.get("/openapi.json")).json

    assert sorted(document["components"]["securitySchemes"]) == ["basic", "bearer"]
    assert document["security"] == [{"basic": []}, {"bearer": []}]
    assert document["paths"]["/api/v1/ping"]["get"]["security"] == []


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("GET", "/api/v1/nothing", 404),
        ("GET", "/docs/assets/nothing", 404),
        ("GET", "/docs/assets/%2e%2e/__init__.py", 404),
        ("POST", "/api/v1/ping", 405),
        ("DELETE", "/api/v1/ChargePoint/CS-1/Reset", 405),
        ("GET", "/api/v1/CentralSystem/TransactionList", 405),
    ],
)
async def test_what_is_not_there_is_told_in_the_same_shape(world: World, method: str, path: str, status: int) -> None:
    reply = await world.ask(method, path)

    assert (reply.error[0], "Allow" in reply.headers) == (status, status == 405)


class Broken:
    """A store with a fault."""

    async def known(self, **_: Any) -> Any:
        raise RuntimeError("a secret")


async def test_a_fault_of_ours_is_500_and_tells_nothing_about_itself() -> None:
    async with open_world(stations=Broken()) as world:
        reply = await world.get("/api/v1/ChargePointList")

    assert reply.error == (500, "The central system failed to answer; its log says why.")


async def test_a_head_request_commands_nothing(world: World) -> None:
    reply = await world.ask("HEAD", "/api/v1/ChargePoint/CS-1/ClearCache")

    assert (reply.status, world.gateway.commands) == (405, [])


async def test_requests_are_counted_by_the_route_s_template(world: World) -> None:
    name = 'csms_api_requests_total{method="GET",route="/api/v1/ChargePoint/{identity}/{operation}",status="404"}'

    def counted() -> float:
        return sum(float(line.split()[-1]) for line in metrics.render().decode().splitlines() if line.startswith(name))

    before = counted()
    await world.get("/api/v1/ChargePoint/CS-77/ClearCache")

    assert counted() == before + 1
