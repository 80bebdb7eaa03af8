"""The document is kept: whatever is asked within it, each answer is one that it describes, and none a fault of ours.

502, 503 and 504 are answers of the contract (a station refuses, is away, is silent); 500 is none.
"""

import asyncio
from collections import Counter
from itertools import cycle
from typing import Any

import msgspec
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import CHECKS

from csms_api.samples import example
from csms_ocpp import schemas
from csms_ocpp.version import Version
from csms_platform.envelope import Envelope
from tests.service.api.world import Answer, open_world

STATIONS = {"CS-15": Version.V1_5, "CS-16": Version.V1_6, "CS-201": Version.V2_0_1, "CS-21": Version.V2_1}
ANYWHERE = "whatever the document allows"
# Not among them: that valid payloads are accepted. One that a version allows is sent to stations of all.
PROMISES = ["status_code_conformance", "content_type_conformance", "response_schema_conformance"]


def answered(call: Envelope) -> Answer:
    """What a station says that says the least."""
    document = schemas.document(STATIONS[call.identity], call.action, schemas.RESPONSE)
    return msgspec.json.encode(example(document))


def examine(document: dict[str, Any], url: str) -> Counter[int]:
    """Ask each operation a few times; answers how often each status came. Raises when an answer breaks the contract."""
    identities, seen = cycle([*STATIONS, "CS-9", ANYWHERE]), Counter[int]()
    session = requests.Session()
    # A stream of events has no end that could be waited for.
    api = schemathesis.openapi.from_dict(document).exclude(path="/api/v2/events")
    checks = settings(
        max_examples=5,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    for found in api.get_all_operations():
        operation = found.ok()

        @checks
        @given(case=operation.as_strategy())
        def ask(case: Any) -> None:
            identity = next(identities)
            if "identity" in case.path_parameters and identity != ANYWHERE:
                case.path_parameters["identity"] = identity
            response = case.call(base_url=url, session=session)
            seen[response.status_code] += 1
            assert response.status_code != 500, response.text
            case.validate_response(response, checks=CHECKS.get_by_names(PROMISES))

        ask()
    return seen


async def test_every_answer_to_whatever_the_document_allows_is_one_that_it_describes() -> None:
    async with open_world() as world:
        for identity, version in STATIONS.items():
            await (world.calls if version is Version.V1_5 else world.connects)(identity, version.value)
        await world.told("CS-9", boot={})
        world.gateway.otherwise = answered
        document = (await world.get("/openapi.json")).json

        seen = await asyncio.to_thread(examine, document, world.url)

    assert seen.keys() >= {200, 400, 404, 503}
    assert seen[200] > len(document["paths"])
