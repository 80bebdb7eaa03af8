#!/bin/sh
# Makes .venv: the locked packages, checked by hash, then the workspace's members as editable installs.
set -eu
cd "$(dirname "$0")/../.."
. deploy/setup/python.sh

here=$(pwd -P)
stamp=.venv/.installed
started=.venv/.started

# An environment that was made elsewhere, or whose Python is gone, cannot be mended by pip.
if ! grep -qF "$here/.venv" .venv/pyvenv.cfg 2>/dev/null || ! .venv/bin/python -c 'import pip' 2>/dev/null; then
    python=$(find_python)
    need_venv "$python"
    echo "Creating .venv with $python ..."
    rm -rf .venv
    "$python" -m venv .venv
fi
# The stamp gets the time at which this began: an edit made meanwhile counts as newer.
: >"$started"
rm -f "$stamp"

pip() {
    .venv/bin/python -m pip --disable-pip-version-check "$@"
}

echo "Installing the locked packages ..."
pip install --quiet --require-hashes -r requirements.lock

set --
for member in libs/*/pyproject.toml services/*/pyproject.toml; do
    set -- "$@" -e "${member%/pyproject.toml}"
done
pip install --quiet --no-deps --no-build-isolation "$@"

printf '%s\n' "$here" >"$stamp"
touch -r "$started" "$stamp"
rm -f "$started"
