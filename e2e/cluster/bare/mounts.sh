# shellcheck shell=bash
# unmount_below FOLDER: every mount under it, the last one first.

unmount_below() {
    awk -v folder="$1/" 'index($5 "/", folder) == 1 { print $5 }' /proc/self/mountinfo | tac | while read -r mount; do
        umount -l "$(printf '%b' "$mount")"
    done
}
