#!/bin/sh
# Locks what pyproject.toml asks for, with hashes: requirements/runtime.txt is what kubus needs, requirements/dev.txt that
# and its tests and tools. One lock serves every supported Python and platform. Neither file says where packages come
# from: an index is a matter of the machine.
set -eu
cd "$(dirname "$0")/.."

uv=.venv/lock/bin/uv
log=.venv/lock.log
if [ ! -x "$uv" ]; then
    tool=$(.venv/bin/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["dependency-groups"]["lock"])')
    { .venv/bin/python -m venv .venv/lock && .venv/lock/bin/python -m pip install "$tool"; } >"$log" 2>&1 || {
        tail -n 20 "$log" >&2
        exit 1
    }
fi

# lock FILE OPTION…
lock() {
    file=$1
    shift
    "$uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes --annotation-style line \
        --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" \
        --output-file "$file" "$@" pyproject.toml >/dev/null
    printf 'locked: %s, %s packages\n' "$file" "$(grep -c '^[a-z]' "$file")"
}

lock requirements/runtime.txt "$@"
lock requirements/dev.txt --constraint requirements/runtime.txt --group dev "$@"
