#!/usr/bin/env bash
# Check what pip can't install, and get it through apt where this user may.
#
# Usage: system.sh COMMAND...     COMMAND is the Python to build on, or candidates for it.
# Prints the name of the Python that was chosen, and nothing else, to standard output.
set -euo pipefail

fail() { echo "set-up: $*" >&2; exit 1; }

choose_python() {
  for candidate in "$@"; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info[:2] not in ((3, 11), (3, 12)))' \
        2>/dev/null; then
      echo "$candidate"
      return
    fi
  done
  fail "needs Python 3.11 or 3.12, tried: $*. Name one with: make PYTHON=/path/to/python3.12"
}

# Look for the thing itself, not for the package: other systems name it otherwise.
has_library() { { ldconfig -p || /sbin/ldconfig -p; } 2>/dev/null | grep -q "$1"; }

missing_packages() {
  "$python" -c 'import ensurepip, venv' 2>/dev/null || echo python3-venv
  "$python" -c 'import pathlib, sysconfig
assert pathlib.Path(sysconfig.get_path("include"), "Python.h").exists()' 2>/dev/null ||
    echo python3-dev
  command -v g++ >/dev/null || echo g++
  command -v cmake >/dev/null || echo cmake
  # A backend chosen by hand is the user's own affair.
  if [ -z "${MUJOCO_GL:-}" ] && ! has_library libOSMesa.so && ! has_library libEGL.so; then
    echo libosmesa6
  fi
}

install_packages() {
  local sudo=()
  command -v apt-get >/dev/null || return 1
  if [ "$(id -u)" != 0 ]; then
    sudo -n true 2>/dev/null || return 1
    sudo=(sudo -n)
  fi
  echo "Installing system packages: $* (about a minute)" >&2
  "${sudo[@]}" apt-get update -qq >&2 &&
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive \
      apt-get install -y -qq --no-install-recommends "$@" >&2
}

python=$(choose_python "$@")
mapfile -t missing < <(missing_packages)
if [ ${#missing[@]} -gt 0 ]; then
  install_packages "${missing[@]}" ||
    fail "missing system packages, please run: sudo apt-get install -y ${missing[*]}"
fi
echo "$python"
