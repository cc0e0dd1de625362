# shellcheck shell=bash disable=SC2034
# Names, places and addresses of the two clusters. Sourced by every script here; needs nothing of the environment.

bench=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
image_tools=$(cd "$bench/../../deploy/kubernetes/image" && pwd)
cache=${FLEET_KUBERNETES_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/fleet/kubernetes}
run=$cache/run
cluster_names=(dev prod)
pause_image=docker.io/fleet-test/pause:1
cni_programs=/usr/lib/cni

# hash_of FILE…: twelve digits that change with any of them.
hash_of() {
    cat "$@" | sha256sum | cut -c1-12
}

# Binaries are kept by what builds them, so that checkouts share them and a changed script builds anew.
build_dir=$cache/build-$(hash_of "$bench/build")
programs=$build_dir/bin

# The newest server among Debian's packages on this machine: the one in the postgres image.
postgres_major=
for version in 13 14 15 16 17 18; do
    if [ -x "/usr/lib/postgresql/$version/bin/postgres" ] && dpkg-query -W "postgresql-$version" >/dev/null 2>&1; then
        postgres_major=$version
    fi
done
postgres_image=docker.io/fleet-test/postgres:$postgres_major
postgres_packages=(
    bash coreutils util-linux tar gzip grep sed findutils mawk procps hostname libc-bin busybox-static pgbackrest
    "postgresql-$postgres_major" "postgresql-client-$postgres_major"
)

# Images change with their scripts and with the packages that they are made of.
images_dir() {
    local versions
    versions=$(dpkg-query -W -f '${Package} ${Version}\n' "${postgres_packages[@]}" libc6 libpq5 2>/dev/null)
    echo "$cache/images-$(hash_of "$bench/images" "$bench/rootfs.py" "$bench/pause.c" "$image_tools/archive.py" \
        - <<<"$versions")"
}

# What a running bench must have been started with to serve this checkout. Raise the number with every change that a test
# could tell.
bench_version() {
    echo "1-$(basename "$build_dir")-postgres$postgres_major"
}

say() {
    local us=${EPOCHREALTIME/[.,]/}
    printf '%6d.%d s  %s\n' $(((us - began) / 1000000)) $(((us - began) / 100000 % 10)) "$*" >&2
}
began=${EPOCHREALTIME/[.,]/}

fail() {
    printf '%s: %s\n' "$(basename "$0")" "$*" >&2
    exit 1
}

# use_cluster NAME: sets the variables below for it.
use_cluster() {
    cluster=$1
    case $cluster in
        dev) number=1 first_port=16440 ;;
        prod) number=2 first_port=17440 ;;
        *) fail "no such cluster: $cluster; there are dev and prod" ;;
    esac
    dir=$run/$cluster pki=$run/$cluster/pki logs=$run/$cluster/log pids=$run/$cluster/pids
    kubeconfigs=$run/$cluster/kubeconfig
    containerd_socket=$run/$cluster/containerd.sock
    etcd_port=$((first_port + 1)) etcd_peer_port=$((first_port + 2))
    controllers_port=$((first_port + 4)) scheduler_port=$((first_port + 5))
    kubelet_port=$((first_port + 6)) kubelet_health_port=$((first_port + 7))
    node=$cluster-node bridge=kb-$cluster cgroup=/kb-$cluster
    # The node's address is its bridge's: a kubelet takes no loopback address.
    node_ip=10.201.$number.1 pod_network=10.201.$number.0/24
    # The first Service address is the API server's own: pods find it where every client looks for it in a cluster.
    api_ip=10.211.$number.1 service_network=10.211.$number.0/24
    api=https://$api_ip:443
}

kube() {
    "$programs/kubectl" --kubeconfig "$run/$cluster.conf" "$@"
}

# owns PID: whether the process belongs to this cluster's directory, and the number is not another's by now.
owns() {
    [ -r "/proc/$1/cmdline" ] && tr '\0' ' ' <"/proc/$1/cmdline" | grep -qF "$dir"
}

# start NAME COMMAND…: a daemon with a pid file. It holds no descriptor of ours, or a lock would live as long as it.
start() {
    local name=$1 descriptor
    shift
    (
        for descriptor in /proc/"$BASHPID"/fd/*; do
            descriptor=${descriptor##*/}
            if [ "$descriptor" -gt 2 ]; then eval "exec $descriptor>&-"; fi
        done
        exec setsid "$@" </dev/null >>"$logs/$name.log" 2>&1
    ) &
    echo $! >"$pids/$name.pid"
}

runs() {
    local pid
    pid=$(cat "$pids/$1.pid" 2>/dev/null) && owns "$pid"
}

# within SECONDS COMMAND…: until it succeeds; false when it has not by then.
within() {
    local deadline=$((SECONDS + $1))
    shift
    until "$@"; do
        if [ $SECONDS -ge "$deadline" ]; then return 1; fi
        sleep 0.2
    done
}
