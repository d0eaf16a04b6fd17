#!/usr/bin/env bash
# debian.sh PACKAGE COMMAND…: puts commands of a Debian package into the cache, without its service, and links them into its bin.
set -euo pipefail
source "$(dirname "$0")/places.sh"
source "$scripts/step.sh"

package=$1
shift

fetch_and_unpack() {
    local partial=$into.partial
    rm -rf "$partial"
    mkdir -p "$partial"
    cd "$partial"
    # As root apt fetches as another user, to whom the folder is closed.
    apt-get download -q -o APT::Sandbox::User=root "$package"
    dpkg-deb --extract ./*.deb unpacked
    rm -rf "$cache/tools/$package"-[0-9]*-debian # of this package, and of none whose name begins with its
    mkdir -p "$into"
    for command in "$@"; do
        mv "unpacked/usr/bin/$command" "$into/"
    done
    # What a command reads when it starts.
    [[ ! -d unpacked/usr/share/prometheus ]] || mv unpacked/usr/share/prometheus "$into/share"
    rm -rf "$partial"
}

candidate() {
    apt-cache policy "$package" | sed -n 's/^  Candidate: //p'
}

version=$(candidate)
if [[ -z $version || $version == "(none)" ]]; then
    step "Looking for the Debian package $package" apt-get update -q
    version=$(candidate)
fi
into=$cache/tools/$package-${version//[^A-Za-z0-9.]/-}-debian

mkdir -p "$cache/tools"
exec 7>"$cache/tools/debian.lock"
flock 7

for command in "$@"; do
    [[ -x $into/$command ]] || {
        step "Unpacking $* from the Debian package $package (once)" fetch_and_unpack "$@"
        break
    }
done
mkdir -p "$links"
for command in "$@"; do
    ln -sfn -t "$links" "$into/$command"
done
