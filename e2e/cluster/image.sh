# shellcheck shell=bash
# make_image NAME FOLDER [TAG [DOCKERFILE]]: an image docket.local/NAME from the files of FOLDER, unless the very same
# one is cached. Sets $image (its name) and $archive (its file). The tag tells what is inside.

make_image() {
    local name=$1 folder=$2 dockerfile=$repository/images/${4:-$1}/Dockerfile hash
    hash=$({ cat "$dockerfile"; cd "$folder" && find . -type f -print0 | sort -z | xargs -0 sha256sum; } | sha256sum | cut -c1-12)
    image=docket.local/$name:${3:-$hash}
    archive=$cache/images/$name-$hash.tar
    mkdir -p "$cache/images"
    if [[ ! -e $archive ]]; then
        if docker info >/dev/null 2>&1; then
            step "Making image $image" with_docker
        else
            step "Making image $image" with_buildah
        fi
        printf '    %s: %s\n' "$image" "$(du -h "$archive" | cut -f1)"
        # The three newest of a name are kept.
        find "$cache/images" -name "$name-????????????.tar" -printf '%T@ %p\n' | sort -rn | tail -n +4 | cut -d' ' -f2- | xargs -r rm
    fi
    touch "$archive" # in use: it is among the newest
}

with_docker() {
    docker build -q -t "$image" -f "$dockerfile" "$folder"
    docker save -o "$archive.partial" "$image"
    mv "$archive.partial" "$archive"
}

with_buildah() {
    local storage=$cache/buildah stray strays=()
    exec 8>"$cache/buildah.lock" # given back when the step ends
    flock 8
    local buildah=(buildah --storage-driver vfs --root "$storage/root" --runroot "$storage/run")
    # buildah writes to these places whatever it is told: what was not there goes again.
    for stray in /etc/cni /var/lib/containers /run/containers; do
        [[ -e $stray ]] || strays+=("$stray")
    done
    rm -rf "$archive.partial" "$storage"
    "${buildah[@]}" bud --isolation chroot -t "$image" -f "$dockerfile" "$folder"
    "${buildah[@]}" push "$image" "docker-archive:$archive.partial:$image"
    mv "$archive.partial" "$archive"
    rm -rf "$storage" "${strays[@]}"
}
