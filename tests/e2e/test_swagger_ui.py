"""The page at /docs works in a browser, on a machine without internet: everything in it comes from us."""

import json

from tests.support.browser import Page, page
from tests.support.system import System, get

PING = "document.querySelector('[id$=\"-ping\"].opblock')"


async def opened(tab: Page, running: System) -> None:
    """The page, with every chapter open."""
    await tab.open(f"{running.api}/docs")
    await tab.becomes("document.querySelectorAll('.opblock-tag').length > 0")
    await tab.value("document.querySelectorAll('.opblock-tag[data-is-open=\"false\"]').forEach(tag => tag.click())")


def strangers(tab: Page, running: System) -> list[str]:
    """What the page asked of anybody but us."""
    return [url for url in tab.requested if not url.startswith((f"{running.api}/", "data:"))]


async def test_every_operation_is_shown_and_nothing_comes_from_elsewhere(all_in_one: System) -> None:
    _, text = await get(all_in_one.apis[0].port, "/openapi.json")
    described = json.loads(text)
    operations = sum(name != "parameters" for methods in described["paths"].values() for name in methods)

    async with page() as tab:
        await opened(tab, all_in_one)
        await tab.becomes(f"document.querySelectorAll('.opblock').length === {operations}")
        title = await tab.value("document.querySelector('.info .title').innerText")

    assert operations > 50
    assert title.startswith(described["info"]["title"])
    assert f"{all_in_one.api}/openapi.json" in tab.requested
    assert strangers(tab, all_in_one) == []
    assert tab.problems == []


async def test_an_operation_is_tried_out(all_in_one: System) -> None:
    async with page() as tab:
        await opened(tab, all_in_one)
        await tab.becomes(f"{PING} !== null")
        await tab.value(f"{PING}.querySelector('.opblock-summary-control').click()")
        await tab.becomes(f"{PING}.querySelector('.execute') !== null")
        await tab.value(f"{PING}.querySelector('.execute').click()")
        live = f"{PING}.querySelector('.live-responses-table .response')"
        status = await tab.becomes(f"{live} && {live}.querySelector('.response-col_status').innerText")
        body = await tab.value(f"{live}.querySelector('.response-col_description').innerText")

    assert status.split()[0] == "200"
    assert '"OK"' in body
    assert f"{all_in_one.api}/api/v1/ping" in tab.requested
    assert strangers(tab, all_in_one) == []
    assert tab.problems == []
