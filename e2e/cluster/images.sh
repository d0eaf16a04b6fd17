#!/usr/bin/env bash
# images.sh [NAME…]: makes the named images, or all, and notes in the cache what each is called and where it lies.
set -euo pipefail
source "$(dirname "$0")/places.sh"
source "$scripts/step.sh"
source "$scripts/image.sh"
source "$scripts/postgres.sh"
source "$scripts/lanes.sh"

authorities=/etc/ssl/certs/ca-certificates.crt

compile() {
    step "Compiling $*" cargo build --workspace --locked --profile "${PROFILE:-dev}" "${@/#/--bin=}"
}

# What the other images are made of.
bring() {
    local name
    for name; do
        case $name in
        collector) "$scripts/collector.sh" ;;
        s3) "$scripts/tools.sh" s3 ;;
        prometheus) "$scripts/debian.sh" prometheus prometheus promtool ;;
        alertmanager) "$scripts/debian.sh" prometheus-alertmanager prometheus-alertmanager amtool ;;
        postgres) make_postgres_rootfs ;;
        esac
    done
}

# What goes into each image, put into a folder.
fill() {
    local name=$1 folder=$2 binary
    case $name in
    operator | api-server | receivers)
        # Without line tables it is a fraction of the size, and backtraces still name their functions.
        strip --strip-debug -o "$folder/docket-$name" "$BINARIES/docket-$name"
        [[ $name == receivers ]] || cp "$authorities" "$folder/"
        ;;
    collector) cp "$links/otelcol" "$authorities" "$folder/" ;;
    s3) cp "$links/versitygw" "$folder/" ;;
    postgres)
        make_postgres_rootfs
        ln "$postgres_rootfs" "$folder/rootfs.tar"
        ;;
    prometheus) copy_with_libraries "$(readlink -f "$links/prometheus")" "$folder" ;;
    alertmanager)
        binary=$(readlink -f "$links/prometheus-alertmanager")
        copy_with_libraries "$binary" "$folder"
        mkdir -p "$folder/usr/share/prometheus/alertmanager"
        cp "${binary%/*}"/share/alertmanager/*.tmpl "$folder/usr/share/prometheus/alertmanager/"
        ;;
    esac
}

# A Debian binary, and this Debian's libraries that it is linked with, where it looks for them.
copy_with_libraries() {
    local binary=$1 folder=$2 libraries
    mapfile -t libraries < <(ldd "$binary" | grep -o '/[^ ]*')
    mkdir -p "$folder/usr/bin"
    cp "$binary" "$folder/usr/bin/"
    cp --dereference --parents "${libraries[@]}" "$folder/"
}

[[ $# -gt 0 ]] || set -- postgres s3 prometheus alertmanager collector receivers operator api-server
mkdir -p "$cache/images/made"
folder=$(mktemp -d "$cache/image.XXXX")
trap 'end_lanes; rm -rf "$folder"' EXIT

programs=() others=()
for name; do
    case $name in
    operator | api-server | receivers) programs+=("docket-$name") ;;
    *) others+=("$name") ;;
    esac
done
# Rust and Go wait for different things.
if [[ ${#programs[@]} -gt 0 && ${#others[@]} -gt 0 ]]; then
    export STEPS_SIDE_BY_SIDE=yes
    lane compile "${programs[@]}"
    lane bring "${others[@]}"
    join_lanes
elif [[ ${#programs[@]} -gt 0 ]]; then
    compile "${programs[@]}"
else
    bring "${others[@]}"
fi

for name; do
    mkdir "$folder/$name"
    fill "$name" "$folder/$name"
    make_image "$name" "$folder/$name"
    printf '%s %s\n' "$image" "$archive" >"$cache/images/made/$name"
done
