"""Chromium without a window, told what to do over its own DevTools protocol.

Every address that a page asks for is written down; names other than the loopback's do not resolve, as on a machine
without internet.
"""

import asyncio
import itertools
import json
import os
import shutil
import tempfile
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from tests.support.group import ProcessGroup

PACKAGE = "chromium"
_PROGRAMS = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome")
_FURTHER_PLACES = "/Applications/Google Chrome.app/Contents/MacOS:/Applications/Chromium.app/Contents/MacOS"


class BrowserMissingError(Exception):
    """No browser; the message is one sentence that says what to install."""

    def __init__(self) -> None:
        super().__init__(
            "This test needs Chromium or Chrome: set CSMS_TEST_BROWSER to its program, or install it "
            f"(Debian and Ubuntu: apt-get install --no-install-recommends {PACKAGE}; "
            "macOS: brew install --cask chromium)."
        )


def find_browser() -> str:
    """The program's path. Raises `BrowserMissingError`."""
    if program := os.environ.get("CSMS_TEST_BROWSER"):
        return program
    for name in (*_PROGRAMS, "Google Chrome", "Chromium"):
        if path := shutil.which(name) or shutil.which(name, path=_FURTHER_PLACES):
            return path
    raise BrowserMissingError


class Page:
    """One tab. `requested` is every URL that it asked for, `problems` what its console said was wrong."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._ids = itertools.count(1)
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self._reading = asyncio.create_task(self._read())
        self.requested: list[str] = []
        self.problems: list[str] = []

    async def open(self, url: str) -> None:
        """Go there; returns before it has loaded."""
        for domain in ("Network", "Runtime", "Log", "Page"):
            await self.tell(f"{domain}.enable")
        await self.tell("Page.navigate", url=url)

    async def value(self, expression: str) -> Any:
        """What a JavaScript expression is now; awaited when it is a promise."""
        answer = await self.tell("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    async def becomes(self, expression: str, within: float = 20) -> Any:
        """The first value of the expression that is true, waited for."""
        async with asyncio.timeout(within):
            while not (value := await self.value(expression)):
                await asyncio.sleep(0.1)
        return value

    async def tell(self, method: str, **parameters: Any) -> Any:
        """One command of the DevTools protocol, and its result."""
        number = next(self._ids)
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        await self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        async with asyncio.timeout(20):
            return await answer

    async def _read(self) -> None:
        async for text in self._socket:
            message = json.loads(text)
            if waiting := self._answers.pop(message.get("id"), None):
                waiting.set_result(message.get("result", {"error": message.get("error")}))
            else:
                self._note(message.get("method", ""), message.get("params", {}))

    def _note(self, method: str, parameters: dict[str, Any]) -> None:
        if method == "Network.requestWillBeSent":
            self.requested.append(parameters["request"]["url"])
        elif method == "Runtime.exceptionThrown":
            self.problems.append(parameters["exceptionDetails"].get("text", "exception"))
        elif method == "Log.entryAdded" and parameters["entry"]["level"] == "error":
            self.problems.append(f"{parameters['entry']['text']} {parameters['entry'].get('url', '')}")

    async def close(self) -> None:
        """Forget the tab."""
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)
        await self._socket.close()


@asynccontextmanager
async def page() -> AsyncIterator[Page]:
    """A tab of a browser that has never been used before."""
    home = Path(tempfile.mkdtemp(prefix="csms-browser-"))
    browser = ProcessGroup(
        [
            find_browser(),
            "--headless",
            "--no-sandbox",  # the tests may run as root, in a container
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-background-networking",
            "--disable-component-update",
            "--no-first-run",
            "--no-proxy-server",
            "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
            "--remote-debugging-port=0",
            f"--user-data-dir={home / 'profile'}",
            "about:blank",
        ],
        os.environ | {"HOME": str(home)},
        home / "output",
        home,
    )
    try:
        async with asyncio.timeout(30):
            socket = await connect(await _tab(home), max_size=None, proxy=None)
        made = Page(socket)
        try:
            yield made
        finally:
            await made.close()
    finally:
        await asyncio.to_thread(browser.end)
        shutil.rmtree(home, ignore_errors=True)


async def _tab(home: Path) -> str:
    """The WebSocket of the tab, once the browser has said on which port it listens."""
    told = home / "profile" / "DevToolsActivePort"
    while not told.exists() or "\n" not in told.read_text():
        await asyncio.sleep(0.05)
    port = told.read_text().split("\n")[0]
    while True:
        tabs = json.loads(await asyncio.to_thread(_read, f"http://127.0.0.1:{port}/json/list"))
        for tab in tabs:
            if tab["type"] == "page":
                url: str = tab["webSocketDebuggerUrl"]
                return url
        await asyncio.sleep(0.05)


def _read(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=10) as response:
        content: bytes = response.read()
    return content
