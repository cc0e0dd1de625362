# shellcheck shell=bash disable=SC2154
# A certificate authority and certificates per cluster, and kubeconfigs that hold them. By openssl alone; a key of an
# elliptic curve takes 10 ms.

ssl() {
    openssl "$@" 2>>"$logs/openssl.log" || fail "openssl $1 failed, see $logs/openssl.log"
}

make_authority() {
    ssl ecparam -name prime256v1 -genkey -noout -out "$pki/ca.key"
    ssl req -x509 -new -key "$pki/ca.key" -sha256 -days 30 -subj "/CN=$cluster-ca" -out "$pki/ca.crt" \
        -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign,digitalSignature
}

# make_certificate NAME SUBJECT clientAuth|serverAuth [ALTERNATIVE NAMES]
make_certificate() {
    local file=$pki/$1 subject=$2 usage=$3 names=${4:-}
    ssl ecparam -name prime256v1 -genkey -noout -out "$file.key"
    ssl req -new -key "$file.key" -subj "$subject" -out "$file.csr"
    {
        echo "basicConstraints=CA:FALSE"
        echo "keyUsage=digitalSignature,keyEncipherment"
        echo "extendedKeyUsage=$usage"
        if [ -n "$names" ]; then echo "subjectAltName=$names"; fi
    } >"$file.ext"
    ssl x509 -req -in "$file.csr" -CA "$pki/ca.crt" -CAkey "$pki/ca.key" -CAcreateserial -days 30 -sha256 \
        -extfile "$file.ext" -out "$file.crt"
    rm "$file.csr" "$file.ext"
}

make_pki() {
    local in_cluster="DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc"
    make_authority
    make_certificate apiserver "/CN=kube-apiserver" serverAuth \
        "DNS:localhost,$in_cluster,DNS:kubernetes.default.svc.cluster.local,IP:127.0.0.1,IP:$node_ip,IP:$api_ip"
    make_certificate admin "/O=system:masters/CN=admin" clientAuth
    make_certificate controllers "/CN=system:kube-controller-manager" clientAuth
    make_certificate scheduler "/CN=system:kube-scheduler" clientAuth
    make_certificate kubelet-client "/O=system:nodes/CN=system:node:$node" clientAuth
    make_certificate kubelet-server "/CN=$node" serverAuth "DNS:$node,IP:$node_ip,IP:127.0.0.1"
    make_certificate apiserver-kubelet "/O=system:masters/CN=kube-apiserver-kubelet-client" clientAuth
    ssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$pki/sa.key"
    ssl rsa -in "$pki/sa.key" -pubout -out "$pki/sa.pub"
    echo "$(openssl rand -hex 16),fleet-runner,fleet-runner,\"fleet:runners\"" >"$pki/tokens.csv"
    chmod 600 "$pki"/*.key "$pki/tokens.csv"
}

base64_of() {
    base64 -w0 <"$pki/$1"
}

certificate_of() {
    echo "{client-certificate-data: $(base64_of "$1.crt"), client-key-data: $(base64_of "$1.key")}"
}

# make_kubeconfig FILE USER CREDENTIAL
make_kubeconfig() {
    (umask 077 && cat >"$1") <<EOT
apiVersion: v1
kind: Config
current-context: $cluster
contexts:
- {name: $cluster, context: {cluster: $cluster, user: $2}}
clusters:
- name: $cluster
  cluster: {server: "$api", certificate-authority-data: $(base64_of ca.crt)}
users:
- {name: $2, user: $3}
EOT
}

make_kubeconfigs() {
    make_kubeconfig "$run/$cluster.conf" "$cluster-admin" "$(certificate_of admin)"
    make_kubeconfig "$run/$cluster-runner.conf" "$cluster-runner" "{token: $(cut -d, -f1 "$pki/tokens.csv")}"
    make_kubeconfig "$kubeconfigs/controllers.conf" controllers "$(certificate_of controllers)"
    make_kubeconfig "$kubeconfigs/scheduler.conf" scheduler "$(certificate_of scheduler)"
    make_kubeconfig "$kubeconfigs/kubelet.conf" kubelet "$(certificate_of kubelet-client)"
}
