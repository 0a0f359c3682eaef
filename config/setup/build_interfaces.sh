#!/usr/bin/env bash
# Build one package of ROS 2 interfaces into a virtual environment.
#
# Usage: build_interfaces.sh VENV SOURCE
# Installed there, the messages import without sourcing anything.
set -euo pipefail

venv=$(realpath "$1")
source=$2
build=$venv/build/$(basename "$source")
log=$build/build.log
mkdir -p "$build"

trap 'exit 130' INT
export PATH=$venv/bin:$PATH AMENT_PREFIX_PATH=$venv
if ! {
  cmake -S "$source" -B "$build" -DPython3_EXECUTABLE="$venv/bin/python" \
    -DCMAKE_PREFIX_PATH="$venv" -DCMAKE_INSTALL_PREFIX="$venv" &&
    cmake --build "$build" --parallel "$(nproc)" &&
    cmake --install "$build"
} >"$log" 2>&1; then
  tail -n 40 "$log" >&2
  echo "set-up: building $source failed, all of it is in $log" >&2
  exit 1
fi
