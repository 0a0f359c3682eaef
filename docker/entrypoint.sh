#!/usr/bin/env bash
# Run a command in the built workspace.
set -e
source /chef/install/setup.bash
exec "$@"
