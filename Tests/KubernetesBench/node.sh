# shellcheck shell=bash disable=SC2154
# One node per cluster: containerd and the kubelet in mount and pid namespaces of their own, which end with one pid.

sysctls=(vm/overcommit_memory vm/panic_on_oom kernel/panic kernel/panic_on_oops net/ipv4/ip_forward)

write_containerd_config() {
    cat >"$dir/node/containerd.toml" <<EOT
version = 2
root = "$dir/containerd"
state = "/run/containerd"
disabled_plugins = ["io.containerd.internal.v1.opt", "io.containerd.snapshotter.v1.aufs",
  "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs",
  "io.containerd.tracing.processor.v1.otlp"]
[grpc]
  address = "$containerd_socket"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "$pause_image"
  stream_server_address = "127.0.0.1"
  stream_server_port = "0"
  # Where root lacks CAP_SYS_RESOURCE, lowering a container's score would fail every pod.
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "$cni_programs"
    conf_dir = "$dir/node/cni"
EOT
}

# Pods have routes to both clusters' pods and API servers, and no other: nothing leaves the machine.
write_cni_config() {
    cat >"$dir/node/cni/10-bridge.conflist" <<EOT
{"cniVersion": "0.4.0", "name": "kb-$cluster", "plugins": [{
  "type": "bridge", "bridge": "$bridge", "isGateway": true, "ipMasq": false, "hairpinMode": true,
  "ipam": {
    "type": "host-local", "dataDir": "/var/lib/cni/networks",
    "ranges": [[{"subnet": "$pod_network", "rangeStart": "10.201.$number.10"}]],
    "routes": [{"dst": "10.201.0.0/16"}, {"dst": "10.211.0.0/16"}]
  }
}]}
EOT
}

write_kubelet_config() {
    cat >"$dir/node/kubelet.yaml" <<EOT
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: $node_ip
port: $kubelet_port
readOnlyPort: 0
healthzBindAddress: 127.0.0.1
healthzPort: $kubelet_health_port
tlsCertFile: $pki/kubelet-server.crt
tlsPrivateKeyFile: $pki/kubelet-server.key
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: $pki/ca.crt}}
authorization: {mode: Webhook}
cgroupDriver: cgroupfs
cgroupRoot: $cgroup
cgroupsPerQOS: true
enforceNodeAllocatable: []
failSwapOn: false
makeIPTablesUtilChains: false
resolvConf: $dir/node/resolv.conf
evictionHard: {memory.available: 50Mi, nodefs.available: 1%, imagefs.available: 1%}
imageGCHighThresholdPercent: 100
syncFrequency: 5s
nodeStatusUpdateFrequency: 5s
serializeImagePulls: false
maxPods: 200
eventRecordQPS: 0
kubeAPIQPS: 50
kubeAPIBurst: 100
EOT
    : >"$dir/node/resolv.conf"
}

# The bridge and its two addresses: the node's and, as a Service's, the API server's.
make_network() {
    local sysctl
    if [ ! -f "$run/sysctls" ]; then
        for sysctl in "${sysctls[@]}"; do echo "$sysctl $(cat "/proc/sys/$sysctl")"; done >"$run/sysctls"
    fi
    # The bridges' own routes win; without a bridge, nothing may leave by the default route.
    ip route replace unreachable 10.201.0.0/16
    ip route replace unreachable 10.211.0.0/16
    ip link show "$bridge" >/dev/null 2>&1 || ip link add "$bridge" type bridge
    ip address replace "$node_ip/24" dev "$bridge"
    ip address replace "$api_ip/32" dev "$bridge"
    ip link set "$bridge" up
}

make_cgroups() {
    local hierarchy file
    for hierarchy in /sys/fs/cgroup/*/; do
        if [ "$hierarchy" = /sys/fs/cgroup/unified/ ]; then continue; fi
        mkdir -p "$hierarchy$cgroup"
        for file in cpuset.cpus cpuset.mems; do
            if [ -f "$hierarchy$cgroup/$file" ]; then cat "$hierarchy$file" >"$hierarchy$cgroup/$file"; fi
        done
    done
}

prepare_node() {
    mkdir -p "$dir"/{node/cni,containerd,kubelet,pod-logs,container-logs,cni}
    write_containerd_config
    write_cni_config
    write_kubelet_config
    make_network
    make_cgroups
    # Where the namespace mounts its own.
    mkdir -p /var/log/pods /var/log/containers /var/lib/cni /var/lib/kubelet /run/containerd /run/netns
}

start_node() {
    start node unshare --mount --pid --fork --kill-child=KILL --mount-proc --propagation private \
        "$bench/node-init" "$cluster" "$dir"
}

containerd_answers() {
    [ -S "$containerd_socket" ] && ctr -a "$containerd_socket" version >/dev/null 2>&1
}

import_images() {
    local image
    within 60 containerd_answers || fail "$cluster: containerd does not answer, see $logs/containerd.log"
    for image in pause postgres; do
        ctr -a "$containerd_socket" -n k8s.io images import "$1/$image.tar" >>"$logs/import.log" 2>&1 ||
            fail "$cluster: image $image was not imported, see $logs/import.log"
    done
}

node_is_ready() {
    kube get node "$node" -o 'jsonpath={.status.conditions[?(@.type=="Ready")].status}' 2>/dev/null | grep -qx True
}

kubelet_answers() {
    (exec 3<>"/dev/tcp/$node_ip/$kubelet_port") 2>/dev/null
}

# The kubelet first: what the API says of a node is some seconds old.
await_node() {
    { within 120 kubelet_answers && within 120 node_is_ready; } || {
        tail -n 30 "$logs/kubelet.log" >&2
        fail "$cluster: the node is not ready"
    }
}

processes_in_cgroup() {
    find /sys/fs/cgroup/*"$cgroup" -name cgroup.procs -exec cat {} + 2>/dev/null | sort -u
}

cgroup_is_empty() {
    [ -z "$(processes_in_cgroup)" ]
}

# KILL to unshare: its child, pid 1 of the namespace, is killed with it, and with that one every process of the node.
kill_node() {
    local pid
    pid=$(cat "$pids/node.pid" 2>/dev/null) || return 0
    if owns "$pid"; then kill -KILL "$pid"; fi
    rm "$pids/node.pid"
    within 10 cgroup_is_empty || echo "$cluster: still running: $(processes_in_cgroup | xargs)" >&2
}

# What kill_node leaves on the host.
remove_node() {
    local hierarchy sysctl value
    for hierarchy in /sys/fs/cgroup/*"$cgroup"; do
        if [ -d "$hierarchy" ]; then find "$hierarchy" -depth -type d -exec rmdir {} + 2>/dev/null; fi
    done
    ip link delete "$bridge" 2>/dev/null
    if ! ls "$run"/*/pids/node.pid >/dev/null 2>&1 && [ -f "$run/sysctls" ]; then
        ip route delete unreachable 10.201.0.0/16 2>/dev/null
        ip route delete unreachable 10.211.0.0/16 2>/dev/null
        while read -r sysctl value; do
            [ "$(cat "/proc/sys/$sysctl")" = "$value" ] || echo "$value" >"/proc/sys/$sysctl"
        done <"$run/sysctls"
        rm "$run/sysctls"
    fi
}
