# shellcheck shell=bash
# make_postgres_rootfs: the file system of the Postgres image, made once; sets $postgres_rootfs.

make_postgres_rootfs() {
    local recipe=$repository/images/postgres/rootfs.sh
    postgres_rootfs=$cache/postgres/rootfs-$(sha256sum "$recipe" | cut -c1-12).tar
    [[ ! -e $postgres_rootfs ]] || return 0
    command -v mmdebstrap >/dev/null || give_up "mmdebstrap is missing: install it, it makes the Postgres image's file system"
    rm -rf "$cache/postgres"
    mkdir -p "$cache/postgres"
    step "Installing Postgres from Debian's packages into an image (once)" "$recipe" "$cache/postgres/partial.tar"
    mv "$cache/postgres/partial.tar" "$postgres_rootfs"
}
