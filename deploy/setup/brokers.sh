#!/bin/sh
# Installs the brokers, the browser and the proxies that the tests would otherwise miss, on Debian and Ubuntu as root.
# Elsewhere it leaves the matter to the tests, which fail with a sentence that says what to install.
set -eu
cd "$(dirname "$0")/../.."
. deploy/setup/python.sh

missing=$(.venv/bin/python -m tests.support.missing)
[ -n "$missing" ] || exit 0
on_debian_as_root || exit 0

# invoke-rc.d asks this program before it starts a service. 101: not allowed. The tests start their own instances.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    trap 'exit 130' INT TERM
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod +x "$policy"
fi

echo "Installing for the tests:" $missing "..."
# shellcheck disable=SC2086 # a list of package names
apt_install $missing >/dev/null || echo "apt-get could not install $missing; tests that need them will fail." >&2
