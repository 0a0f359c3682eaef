#!/usr/bin/env bash
# Print the MUJOCO_GL back end for rendering without a display.
# A graphics card renders through EGL; without one OSMesa is the fastest that works everywhere.
set -euo pipefail

has_library() { { ldconfig -p || /sbin/ldconfig -p; } 2>/dev/null | grep -q "$1"; }

if [ -e /dev/nvidiactl ] || [ -e /dev/dri/renderD128 ] || ! has_library libOSMesa.so; then
  echo egl
else
  echo osmesa
fi
