#!/usr/bin/env bash
# rootfs.sh ARCHIVE: Debian's smallest system with Postgres 15, less what a container never reads.
set -euo pipefail

unread=(
    '/usr/share/doc/*' '/usr/share/man/*' '/usr/share/info/*' '/usr/share/locale/*' '/usr/share/lintian/*' '/usr/share/i18n/*'
    # The just-in-time compiler: Postgres goes on without it when its module is not there.
    '*/libLLVM-*' '*/libz3.so*' '/usr/lib/postgresql/*/lib/bitcode/*' '/usr/lib/postgresql/*/lib/llvmjit*'
)

# Its own user gets a number that the chart can name, and no database is made while installing.
# shellcheck disable=SC2016 # the hooks' $1 is the folder that mmdebstrap installs into
mmdebstrap --variant=minbase --include=postgresql-15,openssl "${unread[@]/#/--dpkgopt=path-exclude=}" \
    --essential-hook='echo postgres:x:999:999::/var/lib/postgresql:/bin/bash >>"$1/etc/passwd"; echo postgres:x:999: >>"$1/etc/group"' \
    --essential-hook='mkdir -p "$1/etc/postgresql-common" && echo create_main_cluster = false >"$1/etc/postgresql-common/createcluster.conf"' \
    --customize-hook='rm -rf "$1"/usr/share/perl "$1"/usr/lib/*/perl "$1"/var/lib/apt/lists/* "$1"/var/cache/* "$1"/var/log/*' \
    bookworm "$1"
