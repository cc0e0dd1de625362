# shellcheck shell=bash disable=SC2154
# The four daemons of a control plane, each of which can be stopped and started by itself.

start_etcd() {
    local url=http://127.0.0.1:$etcd_port peer=http://127.0.0.1:$etcd_peer_port
    # Long timeouts: one member has nobody to vote against, and a stopped one must find itself leader when it wakes.
    # A bench outlives no power cut, so that nothing waits for the disk.
    start etcd etcd --name "$cluster" --data-dir "$dir/etcd" --log-level warn --logger zap --unsafe-no-fsync \
        --listen-client-urls "$url" --advertise-client-urls "$url" \
        --listen-peer-urls "$peer" --initial-advertise-peer-urls "$peer" --initial-cluster "$cluster=$peer" \
        --heartbeat-interval 500 --election-timeout 5000 --initial-election-tick-advance
}

start_apiserver() {
    start apiserver "$programs/kube-apiserver" --etcd-servers "http://127.0.0.1:$etcd_port" \
        --bind-address "$api_ip" --secure-port 443 --insecure-port 0 \
        --advertise-address "$node_ip" --endpoint-reconciler-type none --service-cluster-ip-range "$service_network" \
        --tls-cert-file "$pki/apiserver.crt" --tls-private-key-file "$pki/apiserver.key" \
        --client-ca-file "$pki/ca.crt" --token-auth-file "$pki/tokens.csv" --anonymous-auth=false \
        --authorization-mode Node,RBAC --enable-admission-plugins NodeRestriction --allow-privileged \
        --service-account-issuer https://kubernetes.default.svc --service-account-key-file "$pki/sa.pub" \
        --service-account-signing-key-file "$pki/sa.key" \
        --kubelet-client-certificate "$pki/apiserver-kubelet.crt" \
        --kubelet-client-key "$pki/apiserver-kubelet.key" --kubelet-certificate-authority "$pki/ca.crt" \
        --kubelet-preferred-address-types InternalIP --profiling=false --v 1
}

# start_component NAME PORT FLAG…: what the controller manager and the scheduler have in common.
start_component() {
    local name=$1 port=$2 config=$kubeconfigs/$1.conf
    shift 2
    start "$name" "$@" --kubeconfig "$config" --authentication-kubeconfig "$config" \
        --authorization-kubeconfig "$config" --bind-address 127.0.0.1 --secure-port "$port" --port 0 \
        --cert-dir "$dir/$name-certificates" --leader-elect=false --profiling=false --v 1
}

start_controllers() {
    start_component controllers "$controllers_port" "$programs/kube-controller-manager" \
        --use-service-account-credentials --root-ca-file "$pki/ca.crt" \
        --service-account-private-key-file "$pki/sa.key" --enable-hostpath-provisioner --pvclaimbinder-sync-period 5s \
        --horizontal-pod-autoscaler-sync-period 2s --kube-api-qps 100 --kube-api-burst 200
}

start_scheduler() {
    start_component scheduler "$scheduler_port" "$programs/kube-scheduler" --kube-api-qps 100 --kube-api-burst 200
}

api_answers() {
    kube --request-timeout 5s get --raw /readyz >/dev/null 2>&1
}

# await_api: until the API server answers; tells what died when it never will.
await_api() {
    local daemon deadline=$((SECONDS + 120))
    until api_answers; do
        for daemon in etcd apiserver; do
            runs $daemon || { tail -n 20 "$logs/$daemon.log" >&2 && fail "$cluster: $daemon has ended"; }
        done
        if [ $SECONDS -ge $deadline ]; then
            tail -n 20 "$logs/apiserver.log" >&2
            fail "$cluster: the API server does not answer"
        fi
        sleep 0.2
    done
}

default_account_is_there() {
    kube get -n default serviceaccount default -o 'jsonpath={.secrets[0].name}' 2>/dev/null | grep -q .
}

await_controllers() {
    within 120 default_account_is_there || {
        tail -n 20 "$logs/controllers.log" >&2
        fail "$cluster: the controllers make no ServiceAccount"
    }
}
