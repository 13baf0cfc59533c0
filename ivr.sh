#!/bin/sh
# `./ivr.sh ARGS` is `ivr ARGS` in the environment that make builds.
root="$(cd "$(dirname "$0")" && pwd)"
"$root/scripts/setup" || exit 1
exec "$root/.venv/bin/ivr" "$@"
