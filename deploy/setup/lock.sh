#!/bin/sh
# Writes requirements.lock: every package with its hashes, and no registry's address. uv lives in build/ and nowhere else.
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
if grep -n '://' build/requirements.lock; then
    fail "The lock would hold the addresses above; requirements.lock is left as it was."
fi
mv build/requirements.lock requirements.lock
