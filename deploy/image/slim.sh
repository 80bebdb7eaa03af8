#!/bin/sh
# slim.sh ENVIRONMENT: takes out of a virtual environment what never runs. Half of it is symbols for debuggers.
set -eu

at="$1/lib"
find "$at" -type f -name '*.so' -exec strip --strip-unneeded {} +
find "$at" -type f \( -name '*.pyx' -o -name '*.pxd' -o -name '*.pxi' -o -name '*.pyi' -o -name '*.c' -o -name '*.h' \
    -o -name '*.proto' \) -delete
find "$at" -type d \( -name tests -o -name test \) -prune -exec rm -rf {} +
find "$at" -type d -path '*/jsonschema/benchmarks' -prune -exec rm -rf {} +
find "$at" -type f -name redoc.standalone.js -delete # the API shows Swagger UI
