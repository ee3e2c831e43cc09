#!/bin/sh
# Make the virtual environment .venv in the checkout root and install Mammoview and what it needs into it.
# Does nothing, quickly, when pyproject.toml is the one that was installed last.
# Set PYTHON to choose the interpreter; set MAMMOVIEW_NO_APT=1 to have packages named instead of installed.
set -eu
cd "$(dirname "$0")/.."
venv=.venv

say() { printf '%s\n' "mammoview: $*" >&2; }
stop() { say "$*"; exit 1; }

# Run apt-get as root where that needs no password; fail quietly where it does.
apt() {
    if [ "${MAMMOVIEW_NO_APT:-}" = 1 ] || ! command -v apt-get >/dev/null 2>&1; then return 1; fi
    if [ "$(id -u)" = 0 ]; then
        as_root=
    elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
        as_root='sudo -n'
    else
        return 1
    fi
    say "installing system packages: $*"
    log=$(mktemp)
    if {
        $as_root apt-get update -o Acquire::Retries=3 &&
        $as_root env DEBIAN_FRONTEND=noninteractive \
            apt-get install -y --no-install-recommends -o Acquire::Retries=3 "$@"
    } >"$log" 2>&1; then
        rm -f "$log"
    else
        tail -n 5 "$log" >&2
        rm -f "$log"
        return 1
    fi
}

# Print the first interpreter that is Python 3.11 or later.
find_python() {
    for candidate in ${PYTHON:-python3.11 python3 python3.12 python3.13 python3.14}; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
            command -v "$candidate"
            return 0
        fi
    done
    return 1
}

make_venv() {
    rm -rf "$venv"
    "$python" -m venv "$venv" >/dev/null 2>&1 && return 0
    # Debian's python3 comes without ensurepip.
    rm -rf "$venv"
    version=$("$python" -c 'import sys; print("python%d.%d" % sys.version_info[:2])')
    apt "$version-venv" && "$python" -m venv "$venv" >/dev/null 2>&1 && return 0
    rm -rf "$venv"
    stop "$python cannot make a virtual environment; install it with: apt-get install $version-venv"
}

system_libraries() {
    [ "$(uname -s)" = Linux ] || return 0
    missing=$("$venv/bin/python" scripts/system_libraries.py) && return 0
    # Word splitting is meant: one argument for each package.
    # shellcheck disable=SC2086
    apt $missing && return 0
    stop "Qt needs system libraries that are missing here; install them with: apt-get install $missing"
}

if ! [ -x "$venv/bin/python" ] || ! "$venv/bin/python" -c '' 2>/dev/null; then
    python=$(find_python) || stop "Python 3.11 or later is needed (looked for: ${PYTHON:-python3.11, python3});" \
        "install it with: apt-get install python3 python3-venv"
    make_venv
fi
system_libraries
if ! cmp -s pyproject.toml "$venv/installed-pyproject.toml"; then
    say "installing Python packages into $venv (several GB the first time)"
    # One call for everything, so that torch and torchvision are chosen to match.
    # A terminal gets pip's progress; a log does not need it.
    quiet=--quiet
    [ -t 2 ] && quiet=--progress-bar=on
    "$venv/bin/python" -m pip install --disable-pip-version-check --no-input "$quiet" -e '.[dev]' ||
        stop "the Python packages could not be installed; what pip said is above"
    cp pyproject.toml "$venv/installed-pyproject.toml"
fi
