# shellcheck shell=bash
# What the bare machine must have, and the Debian packages that we install on it.

packages=(
    containerd runc containernetworking-plugins nftables conntrack iproute2 kmod procps # the node
    buildah mmdebstrap                                                                  # the images
    gcc libc6-dev binutils bsdextrautils ca-certificates curl gettext-base              # the builds and these scripts
    shellcheck python3-venv                                                             # the lints
    postgresql-15                                                                       # the API server's tests
)

check_machine() {
    [[ $(id -u) == 0 ]] || give_up "the bare cluster needs root: run make as root, or start a Docker daemon to use kind"
    command -v go >/dev/null || give_up "Go is missing: install the version that e2e/cluster/tools/kubernetes/go.mod names"
    command -v cargo >/dev/null || give_up "cargo is missing: install Rust"
    command -v apt-get >/dev/null || give_up "this is no Debian: start a Docker daemon to use kind"
    [[ -n $(cgroup_of_membership) ]] || give_up "the cgroup layout is unknown: mount cgroup v2 on /sys/fs/cgroup, or v1 with the pids hierarchy"
    local folder free
    for folder in /etc/kubernetes /var/lib/kubelet; do
        [[ ! -e $folder || $(readlink "$folder") == "$state"/* ]] ||
            give_up "$folder belongs to another cluster: remove that one, or name it with KUBECONFIG and CLUSTER=existing"
    done
    mkdir -p "$cache"
    free=$(df --output=avail -BG "$cache" | tail -n 1 | tr -dc 0-9)
    [[ $free -ge 10 ]] || give_up "only $free GiB are free for $cache: make room for 10"
}

install_packages() {
    local missing
    mapfile -t missing < <(comm -23 <(printf '%s\n' "${packages[@]}" | sort) \
        <(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "${packages[@]}" 2>/dev/null | sed -n 's/^installed //p' | sort))
    [[ ${#missing[@]} -gt 0 ]] || return 0
    step "Installing Debian packages: ${missing[*]}" install_from_debian "${missing[@]}"
}
