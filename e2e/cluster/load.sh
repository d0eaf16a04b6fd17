# shellcheck shell=bash
# load_images: brings the images that were made to where the cluster's nodes find them.

names=(postgres s3 prometheus alertmanager collector receivers operator api-server)

# The image's name as the cluster knows it.
image_of() {
    local image
    read -r image _ <"$cache/images/made/$1"
    [[ $kind_of_cluster != existing ]] || image=${REGISTRY:-}/${image#docket.local/}
    echo "$image"
}

# To be asked before anything is built.
check_registry() {
    [[ $kind_of_cluster != existing || -n ${REGISTRY:-} ]] ||
        give_up "an existing cluster pulls images from a registry: say REGISTRY=host/folder, one that you are logged in to"
}

load_images() {
    local name image archive
    for name in "${names[@]}"; do
        read -r image archive <"$cache/images/made/$name"
        is_loaded "$image" || step "Loading $image" load "$image" "$archive"
    done
}

is_loaded() {
    case $kind_of_cluster in
    bare) [[ -n $(ctr --address "$socket" --namespace k8s.io images list --quiet "name==$1") ]] ;;
    kind) docker exec docket-control-plane ctr --namespace k8s.io images list --quiet "name==$1" | grep -q . ;;
    existing) false ;;
    esac
}

load() {
    case $kind_of_cluster in
    bare) ctr --address "$socket" --namespace k8s.io images import "$2" ;;
    kind) kind load image-archive "$2" --name docket ;;
    existing)
        docker load --input "$2"
        docker tag "$1" "$REGISTRY/${1#docket.local/}"
        docker push "$REGISTRY/${1#docket.local/}"
        ;;
    esac
}
