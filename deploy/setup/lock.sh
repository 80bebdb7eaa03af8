#!/bin/sh
# Writes the locks: every package with its hashes, and no registry's address. uv lives in build/ and nowhere else.
# requirements.lock is for development; deploy/requirements.lock is what the image runs, deploy/build.lock what builds it.
set -eu
cd "$(dirname "$0")/../.."
. deploy/setup/python.sh

python=$(find_python)
need_venv "$python"
[ -x build/uv/bin/python ] || "$python" -m venv build/uv
build/uv/bin/python -m pip --disable-pip-version-check install --quiet uv

# uv.lock is not committed: where it exists its versions are kept, where it does not the newest are taken.
export UV_PYTHON="$python" UV_PYTHON_DOWNLOADS=never
build/uv/bin/uv lock
build/uv/bin/uv export --quiet --all-packages --all-groups --no-emit-workspace --no-header --no-annotate \
    --output-file build/requirements.lock
build/uv/bin/uv export --quiet --package csms --extra otel --no-dev --no-emit-workspace --no-header --no-annotate \
    --output-file build/runtime.lock
echo hatchling | build/uv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
    --no-annotate --constraints build/requirements.lock --output-file build/build.lock -
if grep -n '://' build/requirements.lock build/runtime.lock build/build.lock; then
    fail "The locks would hold the addresses above; they are left as they were."
fi
mv build/requirements.lock requirements.lock
mv build/runtime.lock deploy/requirements.lock
mv build/build.lock deploy/build.lock
