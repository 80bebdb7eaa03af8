"""Imports every module of csms, so that Python keeps the bytecode of all that the services use, and of nothing else.

Raises what an import raises: an image in which a service cannot start is not built.
"""

import importlib
import importlib.util
import pkgutil
import sys

PACKAGES = (
    "csms",
    "csms_api",
    "csms_emulator",
    "csms_ocpp",
    "csms_platform",
    "csms_router",
    "csms_soap_gateway",
    "csms_webhook_relay",
    "csms_ws_gateway",
)
# For users' own tests, with their own pytest.
NOT_HERE = ("csms_emulator.pytest_plugin",)
# Only where traces are on: that they load is all that matters.
SELDOM = ("opentelemetry.sdk.trace.export", "opentelemetry.exporter.otlp.proto.http.trace_exporter")


def main() -> None:
    """Every module, in the order of its name."""
    sys.dont_write_bytecode = False
    for name in PACKAGES:
        package = importlib.import_module(name)
        for found in pkgutil.walk_packages(package.__path__, f"{name}."):
            if found.name not in NOT_HERE:
                importlib.import_module(found.name)
    sys.dont_write_bytecode = True
    for name in SELDOM:
        importlib.import_module(name)


if __name__ == "__main__":
    main()
