#!/usr/bin/env bash
# start.sh --SETTING=VALUE…: makes the database when the data folder is empty, then becomes the server.
set -euo pipefail

made=$PGDATA.partial

make_database() {
    # A start that was cut short leaves a partial folder: it is made anew.
    rm -rf "$made"
    initdb --pgdata="$made" --username=postgres --auth=peer --encoding=UTF8 --locale=C.UTF-8 --data-checksums
    # Nobody sees the server until it is whole: its socket is in the data folder, and it has no port.
    pg_ctl start --pgdata="$made" --wait --silent --options="-c listen_addresses= -k $made"
    psql --host="$made" --username=postgres --dbname=postgres --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --file=/etc/postgres/database.sql
    pg_ctl stop --pgdata="$made" --wait --mode=fast --silent
    mv "$made" "$PGDATA"
}

[[ -s $PGDATA/PG_VERSION ]] || make_database
exec postgres -c config_file=/etc/postgres/postgresql.conf "$@"
