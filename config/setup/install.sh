#!/usr/bin/env bash
# Install the packages of a lock file into a virtual environment, showing progress.
#
# Usage: install.sh VENV LOCK
set -euo pipefail

venv=$1
lock=$2
log=$venv/install-$(basename "$lock" .txt).log
unfinished=$log.unfinished
total=$(grep -c '==' "$lock")

# One growing line on a terminal, nothing but the end elsewhere.
show() {
  local line found=0
  while read -r line; do
    case $line in
      Collecting*) found=$((found + 1)); line="$found of $total fetched: ${line#Collecting }" ;;
      Installing*) line="installing $total packages" ;;
      *) continue ;;
    esac
    if [ -t 1 ]; then printf '\r\033[K  %s' "${line%% (from *}"; fi
  done
  if [ -t 1 ]; then printf '\r\033[K'; fi
}

# After an interruption a package may look installed to pip and lack half of its files.
again=()
if [ -e "$unfinished" ]; then again=(--ignore-installed); fi
touch "$unfinished"

trap 'exit 130' INT
export PYTHONUNBUFFERED=1 PIP_DISABLE_PIP_VERSION_CHECK=1
if ! "$venv/bin/python" -m pip install --no-deps "${again[@]}" -r "$lock" 2>&1 |
    tee "$log" | show; then
  grep -v '^WARNING' "$log" | tail -n 20 >&2
  echo "set-up: installing $lock failed, all of it is in $log" >&2
  exit 1
fi
rm "$unfinished"
