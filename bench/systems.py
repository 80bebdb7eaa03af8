"""The systems under test: what each is made of.

Each is a context manager that yields a `System` which is ready for stations; leaving it stops every process.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial

from bench.children import HOST, answers_readyz, listens, python, rabbitmq, redis
from bench.processes import Processes
from tests.support.ports import free_port


@dataclass(frozen=True, slots=True)
class System:
    """Stations connect to `url`/<identity>. `holder` is the process that holds their sockets.

    `api` is where its REST API is, `soap` where SOAP stations call, if anywhere. `echo`: answers with what it hears, so
    it only shows what a shell costs. `asks`: its calls are answered by an endpoint over HTTP; `http`: there is only
    that endpoint, and no stations. `null`: a server that does nothing, for `csms load` to be measured.
    """

    name: str
    url: str
    processes: Processes
    holder: str
    echo: bool = False
    api: str = ""
    soap: str = ""
    asks: bool = False
    http: bool = False
    null: bool = False


@contextmanager
def all_in_one() -> Iterator[System]:
    port = free_port()
    with _csms("up", port) as pid:
        http = f"http://{HOST}:{port}"
        processes = Processes({"csms": [pid]})
        yield System("all-in-one", _url(port), processes, "csms", api=http, soap=f"{http}/Ocpp")


@contextmanager
def distributed() -> Iterator[System]:
    with ExitStack() as stack:
        bus, rabbitmq_pids = stack.enter_context(rabbitmq())
        state, redis_pids = stack.enter_context(redis())
        router = stack.enter_context(_csms("router", free_port(), "--bus", bus, "--state", state))
        port = free_port()
        gateway = stack.enter_context(_csms("ws-gateway", port, "--bus", bus))
        at = free_port()
        api = stack.enter_context(_csms("api", at, "--bus", bus, "--state", state))
        soap_at = free_port()
        soap = stack.enter_context(_csms("soap-gateway", soap_at, "--bus", bus))
        names = {
            "gateway": [gateway], "router": [router], "api": [api], "soap": [soap],
            "rabbitmq": rabbitmq_pids, "redis": redis_pids,
        }  # fmt: skip
        urls = {"api": f"http://{HOST}:{at}", "soap": f"http://{HOST}:{soap_at}/Ocpp"}
        yield System("distributed", _url(port), Processes(names), "gateway", **urls)


@contextmanager
def webhook() -> Iterator[System]:
    with ExitStack() as stack:
        endpoint, at = stack.enter_context(_endpoint())
        asks = ("--webhook-url", f"http://{HOST}:{at}/ocpp")
        bus, rabbitmq_pids = stack.enter_context(rabbitmq())
        state, redis_pids = stack.enter_context(redis())
        stored = ("--bus", bus, "--state", state, *asks)
        router = stack.enter_context(_csms("router", free_port(), *stored))
        relay = stack.enter_context(_csms("webhook-relay", free_port(), *stored))
        port = free_port()
        gateway = stack.enter_context(_csms("ws-gateway", port, "--bus", bus))
        names = {
            "gateway": [gateway], "router": [router], "relay": [relay], "endpoint": [endpoint],
            "rabbitmq": rabbitmq_pids, "redis": redis_pids,
        }  # fmt: skip
        yield System("webhook", _url(port), Processes(names), "gateway", asks=True)


@contextmanager
def aiohttp() -> Iterator[System]:
    with _endpoint() as (endpoint, at):
        names = {"endpoint": [endpoint]}
        yield System("aiohttp", f"http://{HOST}:{at}/ocpp", Processes(names), "endpoint", asks=True, http=True)


@contextmanager
def _endpoint() -> Iterator[tuple[int, int]]:
    """Pid and port of an operator's endpoint."""
    port = free_port()
    with python(listens, port, "-m", "bench.endpoint", str(port)) as pid:
        yield pid, port


@contextmanager
def baseline() -> Iterator[System]:
    port = free_port()
    with python(listens, port, "-m", "bench.baseline", str(port)) as pid:
        yield System("baseline", _url(port), Processes({"baseline": [pid]}), "baseline")


@contextmanager
def echo(shell: str) -> Iterator[System]:
    port = free_port()
    with python(listens, port, "-m", "bench.echo", shell, str(port)) as pid:
        yield System(f"echo-{shell}", _url(port), Processes({"echo": [pid]}), "echo", echo=True)


@contextmanager
def load() -> Iterator[System]:
    port = free_port()
    with python(listens, port, "-m", "bench.null", str(port)) as pid:
        yield System("load", _url(port), Processes({"null": [pid]}), "null", null=True)


SYSTEMS: dict[str, Callable[[], AbstractContextManager[System]]] = {
    "baseline": baseline,
    "all-in-one": all_in_one,
    "distributed": distributed,
    "webhook": webhook,
    "aiohttp": aiohttp,
    "echo-sansio": partial(echo, "sansio"),
    "echo-library": partial(echo, "library"),
    "load": load,
}


def _csms(command: str, port: int, *options: str) -> AbstractContextManager[int]:
    return python(answers_readyz, port, "-m", "csms", command, "--host", HOST, "--port", str(port), *options)


def _url(port: int) -> str:
    return f"ws://{HOST}:{port}/ocpp"
