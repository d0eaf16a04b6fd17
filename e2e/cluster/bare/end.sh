# shellcheck shell=bash
# Ends all that a reboot would end; what is stored stays.

end_what_runs() {
    kill_processes_of_cluster
    unmount_below "$run"
    unmount_below "$state"
    remove_network
    remove_cgroups
    restore_sysctls
}
