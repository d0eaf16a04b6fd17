# shellcheck shell=bash
# The control plane's images from the commands in the cache; kubeadm expects each version as the tag.

import_control_plane_images() {
    local folder command tag
    folder=$(mktemp -d "$cache/control-plane.XXXX")
    for command in kube-apiserver kube-controller-manager kube-scheduler etcd coredns pause; do
        case $command in
        etcd) tag=$etcd_version ;;
        coredns) tag=$coredns_version ;;
        pause) tag=1 ;;
        *) tag=$kubernetes_version ;;
        esac
        mkdir -p "$folder/$command/command"
        case $command in
        coredns)
            cp "$links/coredns" "$folder/coredns/"
            make_image coredns "$folder/coredns" "$tag"
            ;;
        pause)
            gcc -Os -static -s -o "$folder/pause/pause" "$repository/images/pause/pause.c"
            make_image pause "$folder/pause" "$tag"
            ;;
        *)
            cp "$links/$command" "$folder/$command/command/"
            make_image "$command" "$folder/$command" "$tag" control-plane
            ;;
        esac
        import_image "$image" "$archive"
    done
    rm -rf "$folder"
}

# import_image NAME ARCHIVE: into the node's containerd unless it is there.
import_image() {
    local ctr=(ctr --address "$socket" --namespace k8s.io)
    [[ -z $("${ctr[@]}" images list --quiet "name==$1") ]] || return 0
    "${ctr[@]}" images import "$2"
}
