# shellcheck shell=bash
# install_from_debian PACKAGE…: installs Debian packages, with no Postgres server of Debian's own.

install_from_debian() {
    apt-get update -q
    # The tests start servers of their own: Debian's default one must not be made.
    mkdir -p /etc/postgresql-common
    [[ -e /etc/postgresql-common/createcluster.conf ]] || echo "create_main_cluster = false" >/etc/postgresql-common/createcluster.conf
    DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends -o Dpkg::Options::=--force-confold "$@"
}
