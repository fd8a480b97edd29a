#!/bin/sh
# Everything kubus needs on Debian or Ubuntu: OS packages (where this is root or may sudo), and a .venv with kubus, its
# tests' tools and kubectl in it, in the versions that requirements/dev.txt locks.
# Fast when there is nothing to do: a stamp remembers what has been installed. One line a step is shown; the output of
# apt and pip goes to .venv/setup.log, and its end is shown where a step fails.
set -eu
cd "$(dirname "$0")/.."

# To run a cluster, then to test it. kubectl is among the locked packages: Debian 12 has 1.20.
packages="podman runc conmon netavark aardvark-dns iptables catatonit golang-github-containers-common nftables iproute2
    etcd-server etcd-client busybox-static ca-certificates mount python3-venv
    docker-registry mmdebstrap procps"
stamp=.venv/.kubus-setup
log=.venv/setup.log
logged=""
wanted=$(cat pyproject.toml requirements/dev.txt scripts/setup.sh | sha256sum | cut -d' ' -f1)

say() { printf '· %s\n' "$*" >&2; }

# quietly WHAT COMMAND…: run a step, and show the end of its output if it fails.
quietly() {
    say "$1"
    shift
    mkdir -p .venv
    [ -n "$logged" ] || : >"$log"
    logged=yes
    "$@" </dev/null >>"$log" 2>&1 || {
        say "failed: $*"
        tail -n 20 "$log" >&2
        say "all of it is in $log"
        exit 1
    }
}

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
    quietly "apt-get update" $as_root apt-get update
    quietly "apt-get install $missing" \
        $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing
}

install_python() {
    [ -x .venv/bin/python ] || quietly "making .venv" "${PYTHON:-python3}" -m venv .venv
    pip="env PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore .venv/bin/python -m pip"
    quietly "installing what requirements/dev.txt locks into .venv" $pip install --require-hashes -r requirements/dev.txt
    quietly "installing kubus into .venv" $pip install --no-deps --no-build-isolation -e .
}

install_packages
if [ "$(cat "$stamp" 2>/dev/null || true)" != "$wanted" ]; then
    install_python
    printf '%s\n' "$wanted" > "$stamp"
fi
