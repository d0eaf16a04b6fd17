#!/usr/bin/env bash
# python.sh NAME REQUIREMENTS: prints the path of a Python that has just what REQUIREMENTS pins; made once, in the cache.
set -euo pipefail
source "$(dirname "$0")/places.sh"

name=$1 requirements=$2
key=$(sha256sum "$requirements" | cut -c1-12)
into=$cache/tools/$name-$key

mkdir -p "$cache/tools"
exec 7>"$cache/tools/python.lock"
flock 7

if [[ ! -x $into/bin/python ]]; then
    rm -rf "$cache/tools/$name"-*
    python3 -m venv "$into.partial"
    "$into.partial/bin/pip" install --quiet --disable-pip-version-check --no-deps --requirement "$requirements" >&2
    mv "$into.partial" "$into"
fi
echo "$into/bin/python"
