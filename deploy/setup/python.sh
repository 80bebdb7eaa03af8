# Sourced by the other scripts: finds a Python that the project can use. Installs nothing but the venv module.

fail() {
    echo "$*" >&2
    exit 1
}

usable() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

# Prints the interpreter to use: $PYTHON when set, else the first that is new enough.
find_python() {
    if [ -n "${PYTHON:-}" ]; then
        usable "$PYTHON" || fail "PYTHON=$PYTHON is not Python 3.11 or newer."
        command -v "$PYTHON"
        return
    fi
    for name in python3.13 python3.12 python3.11 python3; do
        if usable "$name"; then
            command -v "$name"
            return
        fi
    done
    fail "Python 3.11 or newer is needed and was not found. Install it, or name it: make PYTHON=/path/to/python3"
}

on_debian_as_root() {
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1
}

apt_install() {
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq && apt-get install -y -qq --no-install-recommends "$@"
}

# Debian and Ubuntu package the venv module apart from Python.
need_venv() {
    "$1" -c 'import ensurepip, venv' 2>/dev/null && return
    package="python$("$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])')-venv"
    on_debian_as_root || fail "$1 has no venv module. Install it (Debian and Ubuntu: apt-get install $package)."
    echo "Installing $package ..."
    apt_install "$package" >/dev/null || fail "apt-get could not install $package, which $1 needs."
    "$1" -c 'import ensurepip, venv' || fail "$1 has no venv module, although $package is installed."
}
