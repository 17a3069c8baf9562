#!/bin/bash
# Builds the image and tries it for real, with Consul and a sample service as in compose.yaml: hardened, answering, healthy, draining.
#
#   docker/try.sh            as root, on Debian or Ubuntu; needs no Docker daemon and no registry
#
# Everything runs in network, mount and process namespaces of its own: a Docker daemon started for the purpose, base images made from
# the distribution's packages and a JDK 25 of this machine, and the clients. Nothing listens, is mounted or keeps running outside, and
# when the script ends, however it ends, the kernel takes the namespaces' processes along.
set -euo pipefail

REPOSITORY=$(cd "$(dirname "$0")/.." && pwd)
CACHE=$REPOSITORY/docker/target   # the base image's files, kept for the next run

say() { printf '\n== %s\n' "$*"; }
ok() { printf 'ok   %s\n' "$*"; }
fail() {
    printf 'FAIL %s\n' "$*" >&2
    exit 1
}

# --- outside: what needs the network or has effects that stay ---------------------------------------------------------------------

find_jdk() {
    local home
    for home in "${JAVA_HOME:-}" /usr/lib/jvm/* /opt/java/*; do
        if [ -x "$home/bin/jlink" ] && [ "$(sed -n 's/^JAVA_VERSION="\([0-9]*\).*/\1/p' "$home/release" 2>/dev/null)" = 25 ]; then
            readlink -f "$home"
            return
        fi
    done
    fail "no JDK 25 found (JAVA_HOME, /usr/lib/jvm, /opt/java)"
}

require() {
    local pair missing=()
    for pair in "$@"; do
        command -v "${pair%%=*}" >/dev/null || missing+=("${pair#*=}")
    done
    if ((${#missing[@]})); then
        fail "missing tools; on Debian: apt-get install --no-install-recommends ${missing[*]}"
    fi
}

outside() {
    [ "$(id -u)" = 0 ] || fail "needs root, for a Docker daemon of its own"
    export PATH=$PATH:/usr/sbin:/sbin
    require dockerd=docker.io docker=docker.io debootstrap=debootstrap unshare=util-linux ip=iproute2 iptables=iptables curl=curl \
        dig=bind9-dnsutils openssl=openssl
    docker compose version >/dev/null 2>&1 || require docker-compose=docker-compose

    JDK=$(find_jdk)
    if [ ! -e "$REPOSITORY/gateway/target/gatepost.jar" ]; then
        say "building Gatepost"
        require mvn=maven
        (cd "$REPOSITORY" && mvn -B -q -DskipTests package)
    fi
    CONSUL=$("$REPOSITORY/gateway/src/test/bin/obtain-consul")
    mkdir -p "$CACHE"
    if [ ! -e "$CACHE/debian.tar" ]; then
        say "making the files of debian:bookworm-slim (once)"
        local root
        root=$(mktemp -d)
        debootstrap --variant=minbase bookworm "$root" >"$CACHE/debootstrap.log" 2>&1 || fail "debootstrap: $(tail -n 3 "$CACHE/debootstrap.log")"
        rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/* "$root"/usr/share/{doc,man,locale}/*
        tar -C "$root" -c . >"$CACHE/debian.tar.new"
        mv "$CACHE/debian.tar.new" "$CACHE/debian.tar"
        rm -rf "$root"
    fi

    WORK=$(mktemp -d /tmp/gatepost-try.XXXX)
    local cgroups status=0
    cgroups=$(ls -d /sys/fs/cgroup/*/docker /sys/fs/cgroup/docker 2>/dev/null || true)
    trap '' INT TERM
    export REPOSITORY CACHE WORK JDK CONSUL
    unshare --mount --net --pid --fork --kill-child --mount-proc "$REPOSITORY/docker/try.sh" inside || status=$?
    rm -rf "$WORK"
    # The daemon's empty control groups are the one thing that outlives the namespaces.
    local group
    for group in /sys/fs/cgroup/*/docker /sys/fs/cgroup/docker; do
        if [ -d "$group" ] && ! grep -qxF "$group" <<<"$cgroups"; then
            find "$group" -depth -type d -exec rmdir {} + 2>/dev/null || true
        fi
    done
    exit "$status"
}

# --- inside the namespaces --------------------------------------------------------------------------------------------------------

compose() {
    if docker compose version >/dev/null 2>&1; then
        docker compose -p gatepost "$@"
    else
        docker-compose --no-ansi -p gatepost "$@" 2>/dev/null
    fi
}

# await SECONDS WHAT COMMAND...: until the command succeeds; says how long it took.
await() {
    local seconds=$1 what=$2 start=$EPOCHREALTIME now
    shift 2
    until "$@" >/dev/null 2>&1; do
        now=$EPOCHREALTIME
        if ((${now/./} - ${start/./} > seconds * 1000000)); then
            docker ps -a --format '{{.Names}}: {{.Status}}'
            docker logs "$GATEPOST" 2>&1 | tail -n 5
            "$@" || echo "exit code $?: $*"
            fail "$what: not within $seconds s"
        fi
        sleep 0.05
    done
    now=$EPOCHREALTIME
    ok "$what ($(((${now/./} - ${start/./}) / 1000)) ms)"
}

# The certificate is our own, so it is checked against itself.
fetch() { curl -sS --fail --max-time 10 --cacert "$WORK/compose/etc/tls/edge.pem" --resolve "*:8443:127.0.0.1" "$@"; }
status() { curl -sS --max-time 10 -o /dev/null -w '%{http_code}' -k --resolve "*:8443:127.0.0.1" "$1"; }
status_is() { [ "$(status "$2")" = "$1" ]; }
ask() { dig @127.0.0.1 -p 8053 +short +time=2 +tries=1 "$@"; }
answers() { [ "$(ask "$1" A)" = "$2" ]; }
rcode_is() { dig @127.0.0.1 -p 8053 +time=2 +tries=1 "$2" A | grep -q "status: $1"; }
health_is() { [ "$(docker inspect -f '{{.State.Health.Status}}' "$GATEPOST")" = "$1" ]; }
on_consul() { curl -sS --fail --max-time 10 -X PUT -d "${2:-}" "http://127.0.0.1:8500/v1/agent/service/$1"; }

start_daemon() {
    say "a Docker daemon of its own"
    ip link set lo up
    mount -t tmpfs tmpfs /run
    # No IPv6 NAT, everything published on loopback by default, short paths for the sockets.
    dockerd --data-root "$WORK/data" --exec-root "$WORK/exec" -H "unix://$WORK/docker.sock" --pidfile "$WORK/docker.pid" \
        --ip6tables=false --ip 127.0.0.1 --storage-driver overlay2 --log-level warn >"$WORK/dockerd.log" 2>&1 &
    DAEMON=$!
    export DOCKER_HOST=unix://$WORK/docker.sock DOCKER_BUILDKIT=0 DOCKER_CONFIG=$WORK/client DOCKER_CLI_HINTS=false
    trap stop_daemon EXIT
    trap 'exit 130' INT TERM
    local _
    for _ in $(seq 100); do
        docker info >/dev/null 2>&1 && break
        kill -0 "$DAEMON" 2>/dev/null || fail "dockerd ended: $(tail -n 3 "$WORK/dockerd.log")"
        sleep 0.1
    done
    ok "dockerd $(docker version -f '{{.Server.Version}}')"
}

stop_daemon() {
    local status=$? ids
    trap - EXIT
    ids=$(docker ps -aq)
    [ -z "$ids" ] || docker rm -f $ids >/dev/null 2>&1 || true
    kill "$DAEMON" 2>/dev/null || true
    wait "$DAEMON" 2>/dev/null || true
    exit "$status"
}

make_base_images() {
    say "base images, made here instead of pulled"
    docker import - debian:bookworm-slim <"$CACHE/debian.tar" >/dev/null
    printf '%s\n' 'FROM debian:bookworm-slim' 'COPY . /opt/java/openjdk' 'ENV JAVA_HOME=/opt/java/openjdk PATH=/opt/java/openjdk/bin:$PATH' >"$WORK/temurin"
    # Links followed: a distribution's JDK keeps its certificates elsewhere.
    tar --dereference -c -C "$JDK" . -C "$WORK" temurin | docker build -q -t eclipse-temurin:25-jdk -f temurin - >/dev/null 2>&1 || fail "eclipse-temurin:25-jdk does not build"
    mkdir "$WORK/consul" && cp "$CONSUL" "$WORK/consul/consul"
    printf '%s\n' 'FROM debian:bookworm-slim' 'COPY consul /bin/consul' >"$WORK/consul/Dockerfile"
    docker build -q -t consul:local "$WORK/consul" >/dev/null 2>&1 || fail "consul:local does not build"
    export CONSUL_IMAGE=consul:local
    ok "debian:bookworm-slim, eclipse-temurin:25-jdk, $(docker run --rm consul:local consul version | sed -n 1p)"
}

build_image() {
    say "docker build -f docker/Dockerfile -t gatepost ."
    local start=$SECONDS
    docker build -f "$REPOSITORY/docker/Dockerfile" -t gatepost "$REPOSITORY" >"$WORK/build.log" 2>&1 || {
        tail -n 40 "$WORK/build.log" >&2
        fail "docker build"
    }
    grep '^training:' "$WORK/build.log" || fail "no training run in the build"
    ok "built in $((SECONDS - start)) s, $(docker image inspect -f '{{.Size}}' gatepost | awk '{ printf "%.0f MB", $1 / 1e6 }')"
    [ "$(docker image inspect -f '{{index .Config.Labels "SERVICE_IGNORE"}}' gatepost)" = true ] || fail "LABEL SERVICE_IGNORE is not true"
    docker run --rm --network none --read-only --cap-drop ALL gatepost version
    docker run --rm --network none --read-only --cap-drop ALL gatepost check --config /etc/gatepost/gatepost.yaml || fail "the image's own configuration"
}

start_fleet() {
    say "compose.yaml: Consul, Gatepost, a sample service"
    cp -r "$REPOSITORY/docker" "$WORK/compose" && rm -rf "$WORK/compose/target"
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=shop.example.com \
        -addext "subjectAltName=DNS:shop.example.com,DNS:orders.example.com" \
        -keyout "$WORK/compose/etc/tls/edge.key" -out "$WORK/compose/etc/tls/edge.pem" 2>/dev/null
    chmod 644 "$WORK/compose/etc/tls/edge.key"
    head -c 50000000 /dev/urandom >"$WORK/compose/web/large"
    chmod -R a+rX "$WORK/compose" && chmod 755 "$WORK"
    cd "$WORK/compose"
    compose up -d || fail "compose up"
    GATEPOST=$(docker ps -q --filter "ancestor=gatepost")
    [ -n "$GATEPOST" ] || fail "Gatepost is not running"
    await 40 "Docker calls Gatepost healthy" health_is healthy
}

check_answers() {
    say "answers"
    await 5 "HTTPS reaches the sample service" fetch https://shop.example.com:8443/
    [ "$(fetch --http2 -o /dev/null -w '%{http_version}' https://shop.example.com:8443/)" = 2 ] || fail "no HTTP/2 by ALPN"
    [ "$(fetch --http1.1 -o /dev/null -w '%{http_version}' https://shop.example.com:8443/)" = 1.1 ] || fail "no HTTP/1.1 over TLS"
    ok "h2 and http/1.1 over TLS"
    await 5 "DNS A over UDP" answers web.service.consul 172.31.53.20
    [ "$(ask +tcp web.service.consul SRV | awk '{ print $3 }')" = 8080 ] || fail "DNS SRV over TCP"
    ok "DNS SRV over TCP: $(ask +tcp web.service.consul SRV)"

    on_consul register '{"ID":"orders-1","Name":"orders","Address":"172.31.53.20","Port":8080,"Tags":["gatepost.route=orders.example.com/"]}'
    await 5 "a service registered in Consul is proxied to" status_is 200 https://orders.example.com:8443/
    await 5 "and resolved" answers orders.service.consul 172.31.53.20
    on_consul deregister/orders-1
    await 5 "deregistered: 404" status_is 404 https://orders.example.com:8443/
    await 5 "deregistered: NXDOMAIN" rcode_is NXDOMAIN orders.service.consul
    docker logs "$GATEPOST" 2>/dev/null | grep '"status_code":404' | tail -n 1 | grep -q orders.example.com || fail "the 404 left no JSON line"
    ok "the access log is on standard output"
    docker exec "$GATEPOST" gatepost explain https://shop.example.com/ || fail "gatepost explain"
}

check_hardening() {
    say "hardening"
    [ "$(docker exec "$GATEPOST" id -u)" = 65532 ] || fail "not user 65532"
    ! docker exec "$GATEPOST" touch /opt/gatepost/x 2>/dev/null || fail "the root file system is writable"
    ! docker exec "$GATEPOST" touch /tmp/x 2>/dev/null || fail "/tmp is writable"
    ok "user 65532, read-only root, no tmpfs, $(docker exec "$GATEPOST" grep CapBnd /proc/1/status | tr -s '\t' ' ') (0x400 is NET_BIND_SERVICE)"
    local library
    for library in libnetty_transport_native_epoll libnetty_tcnative; do
        docker exec "$GATEPOST" grep -q "/opt/gatepost/native/$library" /proc/1/maps || fail "$library is not loaded"
    done
    ok "epoll and BoringSSL are loaded from /opt/gatepost/native"
    docker exec "$GATEPOST" grep -q /opt/gatepost/lib/gatepost.aot /proc/1/maps || fail "the AOT cache made in the build is not used"
    ok "the AOT cache made in the build is used"
    docker exec "$GATEPOST" cat /proc/1/cmdline | tr '\0' ' ' | grep -q '^/opt/gatepost/runtime/bin/java' || fail "process 1 is not the JVM"
    ok "process 1 is the JVM, RSS $(docker exec "$GATEPOST" awk '/VmRSS/ { printf "%.0f MiB", $2 / 1024 }' /proc/1/status)"
}

check_missing_natives() {
    say "natives that do not load"
    local output code=0
    output=$(timeout 20 docker run --rm --read-only --tmpfs /opt/gatepost/native gatepost version 2>&1) || code=$?
    echo "$output"
    grep -qi 'nio' <<<"$output" || fail "version does not tell that the natives are missing (exit code $code)"
    ok "version tells"
}

check_drain() {
    say "docker stop"
    local version downloads=() start=$EPOCHREALTIME now
    for version in ${DRAIN_WITH:-1.1 2}; do
        fetch --http"$version" --limit-rate 12M -o "$WORK/large-$version" https://shop.example.com:8443/large &
        downloads+=("$version:$!")
        await 5 "a slow download over HTTP/$version is under way" test -s "$WORK/large-$version"
    done
    docker stop -t 40 "$GATEPOST" >/dev/null
    now=$EPOCHREALTIME
    local download
    for download in "${downloads[@]}"; do
        version=${download%:*}
        wait "${download#*:}" || fail "the download over HTTP/$version was cut at $(stat -c %s "$WORK/large-$version") bytes"
        cmp "$WORK/large-$version" "$WORK/compose/web/large" || fail "the download over HTTP/$version is not what the service sent"
    done
    [ "$(docker inspect -f '{{.State.ExitCode}}' "$GATEPOST")" = 0 ] || fail "exit code $(docker inspect -f '{{.State.ExitCode}}' "$GATEPOST")"
    ok "the downloads ended whole, the process ended with 0, $(((${now/./} - ${start/./}) / 1000)) ms after they began"
    docker logs "$GATEPOST" 2>&1 | grep -v '"event"' | tail -n 4
    compose down >/dev/null || fail "compose down"
}

# try_ports WHAT FLAGS...: HTTP on 80 and DNS on 53 of the host's network, which here is the namespace's.
try_ports() {
    local what=$1 id
    shift
    id=$(docker run -d --network host --read-only --cap-drop ALL --security-opt no-new-privileges:true -v "$WORK/ports:/etc/gatepost:ro" "$@" gatepost)
    local _ code=
    for _ in $(seq 200); do
        code=$(curl -s --max-time 1 -o /dev/null -w '%{http_code}' http://127.0.0.1:80/) || true
        [ "$(docker inspect -f '{{.State.Running}}' "$id")" = true ] || break
        [ "$code" != 404 ] || break
        sleep 0.1
    done
    if [ "$code" = 404 ] && dig @127.0.0.1 +short +time=2 +tries=1 consul SOA >/dev/null; then
        ok "$what: serves 80 and 53"
    else
        echo "     $what: $(docker logs "$id" 2>&1 | grep -v '"event"' | tail -n 1); exit code $(docker inspect -f '{{.State.ExitCode}}' "$id")"
        [ "$(docker inspect -f '{{.State.ExitCode}}' "$id")" != 0 ] || fail "$what: neither served nor ended with an error"
        code=none
    fi
    docker rm -f "$id" >/dev/null
    [ "$code" = 404 ]
}

check_port_recipes() {
    say "low ports"
    mkdir "$WORK/ports"
    printf '%s\n' 'http: { address: "127.0.0.1:80" }' 'dns: { address: "127.0.0.1:53" }' 'admin: { address: "127.0.0.1:9090" }' \
        'catalog: { file: services.yaml }' >"$WORK/ports/gatepost.yaml"
    echo 'services: []' >"$WORK/ports/services.yaml"
    sysctl -q -w net.ipv4.ip_unprivileged_port_start=1024
    try_ports "host network, root with NET_BIND_SERVICE alone" --user 0:0 --cap-add NET_BIND_SERVICE || fail "recipe"
    ! try_ports "host network, user 65532 with NET_BIND_SERVICE (Docker gives a non-root user no ambient capability)" --cap-add NET_BIND_SERVICE ||
        echo "     this Docker does give it; better than documented"
    sysctl -q -w net.ipv4.ip_unprivileged_port_start=53
    try_ports "host network, user 65532, net.ipv4.ip_unprivileged_port_start=53" || fail "recipe"
}

inside() {
    start_daemon
    make_base_images
    build_image
    start_fleet
    check_answers
    check_hardening
    check_missing_natives
    check_drain
    check_port_recipes
    say "all of it works"
}

if [ "${1:-}" = inside ] && [ -n "${WORK:-}" ]; then
    inside
else
    outside
fi
