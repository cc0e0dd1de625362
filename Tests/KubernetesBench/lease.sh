# shellcheck shell=bash disable=SC2154
# The clusters for the length of a test run. Runs at the same time share them, whatever checkout they are of; the last
# one takes them down, unless they were started by hand.
#
# Each run holds a shared lock on one file. Whoever gets it exclusively is alone.

. "$(dirname "${BASH_SOURCE[0]}")/settings.sh"

# lease_clusters: brings them up if need be. Fails as `up` does.
lease_clusters() {
    mkdir -p "$cache"
    exec {lease}>>"$cache/users.lock"
    # Alone, and transient clusters are here: their run was killed. They may be of other scripts than ours.
    if flock -n -x "$lease" && [ -f "$run/transient" ] && ! grep -qsx "version=$(bench_version)" "$run/bench"; then
        "$bench/down" {lease}>&-
    fi
    flock -s "$lease"
    "$bench/up" --transient {lease}>&-
}

# return_clusters: to call once the tests are over, however they ended.
return_clusters() {
    if [ -z "${lease:-}" ]; then return; fi
    if flock -n -x "$lease" && [ -f "$run/transient" ]; then "$bench/down" {lease}>&-; fi
    exec {lease}>&-
    lease=
}
