"""The document's chapter about `/api/v2`: every shape has an example that its schema allows."""

import jsonschema_rs
import pytest

from csms_api.v2 import describing, shapes, specimens


def test_every_shape_has_an_example() -> None:
    assert {shape.__name__ for shape in shapes.ALL} == specimens.BY_SHAPE.keys()


@pytest.mark.parametrize("name", specimens.BY_SHAPE)
def test_every_example_is_allowed_by_its_schema(name: str) -> None:
    schema = {"components": {"schemas": describing.components()}, "$ref": f"#/components/schemas/{name}"}

    jsonschema_rs.Draft202012Validator(schema).validate(specimens.BY_SHAPE[name])
