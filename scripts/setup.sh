#!/bin/sh
# Everything kubus needs on Debian or Ubuntu: OS packages (where this is root or may sudo), a .venv, kubus in it.
# Fast when there is nothing to do: a stamp remembers what has been installed.
set -eu
cd "$(dirname "$0")/.."

packages="podman runc conmon netavark aardvark-dns iptables catatonit golang-github-containers-common nftables iproute2
    etcd-server busybox-static ca-certificates mmdebstrap python3-venv"
stamp=.venv/.kubus-setup
wanted=$(cat pyproject.toml scripts/setup.sh | sha256sum | cut -d' ' -f1)

say() { printf '· %s\n' "$*" >&2; }

missing_packages() {
    for package in $packages; do
        dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || printf '%s ' "$package"
    done
}

install_packages() {
    command -v apt-get >/dev/null 2>&1 || { say "no apt-get here: have these installed: $packages"; return; }
    missing=$(missing_packages)
    [ -n "$missing" ] || return 0
    if [ "$(id -u)" = 0 ]; then as_root=""
    elif sudo -n true 2>/dev/null; then as_root="sudo -n"
    else say "not root, and sudo asks for a password. Run:  sudo apt-get install -y $missing"; return; fi
    say "apt-get install $missing"
    $as_root apt-get update -qq
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
}

install_python() {
    python=${PYTHON:-python3}
    [ -x .venv/bin/python ] || { say "making .venv"; "$python" -m venv .venv; }
    say "installing kubus and its development tools into .venv"
    .venv/bin/python -m pip install -q --disable-pip-version-check 'pip>=25.1'  # the first that knows --group
    .venv/bin/python -m pip install -q --disable-pip-version-check -e . --group dev
}

install_packages
if [ "$(cat "$stamp" 2>/dev/null || true)" != "$wanted" ]; then
    install_python
    printf '%s\n' "$wanted" > "$stamp"
fi
