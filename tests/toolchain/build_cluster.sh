#!/bin/sh
# Builds what a Kubernetes cluster without containers is made of, for the tests in tests/admission; does nothing when
# it was built before: etcd, the API server, the controller manager, the scheduler, KWOK, and the operators KubeRay
# and CloudNativePG, each from its Go module; and fetches the CRDs of images/crds.yaml.
# usage: tests/toolchain/build_cluster.sh [GROUP...]; the last line on stdout is the folder of the cache.
# The first build takes about 20 CPU minutes and 2 GB under Go's caches; with these warm, seconds.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
cache=${SKERRY_TOOLCHAIN:-${XDG_CACHE_HOME:-$HOME/.cache}/skerry/toolchain}
if command -v sha256sum >/dev/null; then sum="sha256sum"; else sum="shasum -a 256"; fi
say() { printf 'cluster tools: %s\n' "$*" >&2; }
fail() { say "$*"; exit 3; }

# One group a set of pins (cluster/<group>.go.mod and .go.sum): name, then `command=package` pairs.
groups="kubernetes kwok kuberay cloudnative-pg"
packages() {
  case $1 in
    kubernetes) echo "etcd=go.etcd.io/etcd/server/v3 kube-apiserver=k8s.io/kubernetes/cmd/kube-apiserver" \
      "kube-controller-manager=k8s.io/kubernetes/cmd/kube-controller-manager kube-scheduler=k8s.io/kubernetes/cmd/kube-scheduler" ;;
    kwok) echo "kwok=sigs.k8s.io/kwok/cmd/kwok" ;;
    kuberay) echo "ray-operator=github.com/ray-project/kuberay/ray-operator" ;;
    cloudnative-pg) echo "postgres-operator=github.com/cloudnative-pg/cloudnative-pg/cmd/manager" ;;
    *) fail "no group '$1': there are $groups" ;;
  esac
}
# The programs read their own version from these; without them they call themselves v0.0.0.
version() { sed -n 's/^[[:space:]]*k8s.io\/kubernetes \(v[0-9.]*\).*/\1/p' "$here/cluster/kubernetes.go.mod"; }
flags() {
  [ "$1" = kubernetes ] || return 0
  v=$(version); minor=${v#v1.}; minor=${minor%%.*}
  for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
    printf -- '-X %s.gitVersion=%s -X %s.gitMajor=1 -X %s.gitMinor=%s ' "$package" "$v" "$package" "$package" "$minor"
  done
}
key() { cat "$here/cluster/$1.go.mod" "$here/cluster/$1.go.sum" "$here/build_cluster.sh" | $sum | cut -c1-16; }

work=""
build=""
finish() {
  [ -z "$build" ] || kill "$build" 2>/dev/null || true
  [ -z "$work" ] || { chmod -R u+w "$work" 2>/dev/null || true; rm -rf "$work"; }
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

build_group() {
  group=$1
  out=$cache/$group-$(key "$group")
  missing=""
  for pair in $(packages "$group"); do
    [ -x "$out/${pair%%=*}" ] || missing="$missing $pair"
  done
  [ -n "$missing" ] || return 0
  command -v go >/dev/null || fail "Go is not on the PATH: install Go 1.26 or later (https://go.dev/dl)"
  mkdir -p "$out" || fail "cannot write to $cache: set SKERRY_TOOLCHAIN to a folder that can be written"
  work=$(mktemp -d "$out/build.XXXXXX")
  cp "$here/cluster/$group.go.mod" "$work/go.mod"
  cp "$here/cluster/$group.go.sum" "$work/go.sum"
  {
    printf '//go:build tools\n\npackage tools\n\nimport (\n'
    for pair in $(packages "$group"); do printf '\t_ "%s"\n' "${pair#*=}"; done
    printf ')\n'
  } > "$work/tools.go"
  began=$(date +%s)
  for pair in $missing; do
    name=${pair%%=*}
    say "building $name into $out"
    (cd "$work" && exec env CGO_ENABLED=0 GOWORK=off nice -n 3 go build -mod=readonly -p 2 -trimpath \
      -ldflags "-s -w $(flags "$group")" -o "$work/$name" "${pair#*=}") >"$work/build.log" 2>&1 &
    build=$!
    if ! wait "$build"; then
      build=""
      tail -n 20 "$work/build.log" >&2
      fail "the build of $name failed; it needs the Go module proxy (GOPROXY=$(go env GOPROXY)) and about 4 GB of disk"
    fi
    build=""
    # A rename is whole or not there, also when two builds run at once.
    mv "$work/$name" "$out/$name"
  done
  rm -rf "$work"
  work=""
  say "built $group in $(($(date +%s) - began)) s"
}

for group in ${*:-$groups}; do build_group "$group"; done
"${PYTHON:-$root/.venv/bin/python}" "$here/fetch_crds.py" "$cache"
printf '%s\n' "$cache"
