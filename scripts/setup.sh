#!/usr/bin/env bash
# Sets up all that `make demo` and `make run` need, and nothing that is there already:
#   1. programs, as Debian packages (needs root or sudo, once)
#   2. the Python environment .venv, exactly as requirements.lock says
#   3. an Asterisk: one on PATH that is new enough, else a private root of Debian packages in a cache folder
# With --tests also what only `make test` needs: a browser.
# A second run finds the stamp and its programs, and is done.
set -euo pipefail
cd "$(dirname "$0")/.."

case "${1:-}" in
    "") FOR_TESTS= ;;
    --tests) FOR_TESTS=yes ;;
    *) printf 'setup: knows --tests and nothing else\n' >&2; exit 2 ;;
esac

STAMP=.venv/callcenter-setup
say() { printf 'setup: %s\n' "$*"; }
fail() { printf 'setup: %s\n' "$*" >&2; exit 1; }
has() { command -v "$1" >/dev/null 2>&1 || [ -x "/usr/sbin/$1" ]; }

# --- 1. programs ---------------------------------------------------------------------------------

python_for_us() {
    local name
    for name in python3 python3.13 python3.12 python3.11; do
        if has "$name" && "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$name"
            return
        fi
    done
}

asterisk_on_path_will_do() {
    has asterisk || return 1
    local version
    version=$(asterisk -V 2>/dev/null | sed -n 's/^Asterisk \([0-9]*\.[0-9]*\.[0-9]*\).*/\1/p')
    [ -n "$version" ] && [ "$(printf '%s\n' 22.10.1 "$version" | sort -V | head -n 1)" = 22.10.1 ]
}

missing_packages() {
    local python
    python=$(python_for_us)
    if [ -z "$python" ] || ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then echo python3-venv; fi
    has sipp || echo sip-tester
    has espeak-ng || echo espeak-ng
    has openssl || echo openssl
    has setpriv || echo util-linux
    if ! asterisk_on_path_will_do; then
        has bwrap || echo bubblewrap
        has mmdebstrap || echo mmdebstrap
        if [ "$(id -u)" -ne 0 ] && ! has newuidmap; then echo uidmap; fi
    fi
    # Needed by tests/browser only; the center runs without it.
    if [ -n "$FOR_TESTS" ]; then has chromium || echo chromium; fi
    return 0
}

install_packages() {
    local missing as_root=()
    missing=$(missing_packages | tr '\n' ' ')
    [ -n "${missing// /}" ] || return 0
    has apt-get || fail "these Debian packages (or what your system calls them) are missing: $missing- install them, and an Asterisk 22.10.1 or newer on PATH; or use compose.yaml"
    if [ "$(id -u)" -ne 0 ]; then
        has sudo || fail "needs root once, to install: $missing- run 'make setup' as root, install sudo, or have somebody run: apt-get install $missing"
        as_root=(sudo)
        say "asks for your password to install: $missing"
    fi
    say "installs $missing"
    "${as_root[@]}" apt-get update -qq || fail "'apt-get update' failed (see above); the packages missing are: $missing"
    # shellcheck disable=SC2086
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null ||
        fail "apt-get could not install: $missing(see above)"
    [ -n "$(python_for_us)" ] || fail "needs Python 3.11 or newer; Debian 12 and 13 have it"
}

# --- 2. Python -----------------------------------------------------------------------------------

make_environment() {
    if [ -d .venv ] && ! .venv/bin/python -c '' 2>/dev/null; then rm -rf .venv; fi
    if [ ! -x .venv/bin/pip ]; then
        say "makes .venv"
        "$(python_for_us)" -m venv .venv
    fi
    say "installs what requirements.lock says"
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock ||
        fail "pip could not install requirements.lock (see above)"
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable . ||
        fail "pip could not install this package (see above)"
}

# --- 3. Asterisk ---------------------------------------------------------------------------------

asterisk_is_there() { .venv/bin/python -m callcenter.runtime.asterisk_root --find >/dev/null 2>&1; }

provide_asterisk() {
    # The mirror is read from apt's own lists, which a fresh machine does not have yet.
    if has apt-get && ! apt-get indextargets 'Created-By: Packages' 'Origin: Debian' 2>/dev/null | grep -q .; then
        if [ "$(id -u)" -eq 0 ]; then apt-get update -qq; elif has sudo; then sudo apt-get update -qq; fi
    fi
    say "builds the private root for Asterisk (once; half a minute)"
    .venv/bin/python -m callcenter.runtime.asterisk_root
}

# --- what is not there already -------------------------------------------------------------------

# The stamp tells that .venv is as these files say; programs and Asterisk are looked for each time, as they are not in this folder.
fingerprint() { cat requirements.lock pyproject.toml scripts/setup.sh callcenter/runtime/asterisk_root.py | sha256sum | cut -d ' ' -f 1; }
environment_is_right() { [ "$(cat "$STAMP" 2>/dev/null)" = "$(fingerprint)" ] && .venv/bin/python -c '' 2>/dev/null; }

did=
if [ -n "$(missing_packages)" ]; then install_packages; did=yes; fi
if ! environment_is_right; then
    make_environment
    fingerprint > "$STAMP"
    did=yes
fi
if ! asterisk_is_there; then provide_asterisk; did=yes; fi
if [ -n "$did" ]; then say "done"; fi
