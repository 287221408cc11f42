#!/bin/sh
# Builds the real Pulumi CLI from its Go module for the tests; does nothing when it was built before.
# usage: tests/toolchain/build.sh; the last line on stdout is the path of the command.
# The first build takes about 14 CPU minutes and 1 GB under Go's caches; with these warm, seconds.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cache=${SKERRY_TOOLCHAIN:-${XDG_CACHE_HOME:-$HOME/.cache}/skerry/toolchain}
if command -v sha256sum >/dev/null; then sum="sha256sum"; else sum="shasum -a 256"; fi
# This script is part of the key: the build flags stand in it.
key=$(cat "$here/cli.go.mod" "$here/cli.go.sum" "$here/build.sh" | $sum | cut -c1-16)
out=$cache/$key/pulumi
say() { printf 'toolchain: %s\n' "$*" >&2; }
fail() { say "$*"; exit 3; }

if [ -x "$out" ]; then
  printf '%s\n' "$out"
  exit 0
fi

needed=$(sed -n 's/^go \([0-9]*\.[0-9]*\).*/\1/p' "$here/cli.go.mod")
version=$(sed -n 's/^require github.com\/pulumi\/pulumi\/pkg\/v3 \(v.*\)$/\1/p' "$here/cli.go.mod")
command -v go >/dev/null || fail "Go is not on the PATH: install Go $needed or later (https://go.dev/dl)"

mkdir -p "$cache/$key" || fail "cannot write to $cache: set SKERRY_TOOLCHAIN to a folder that can be written"
work=$(mktemp -d "$cache/$key/build.XXXXXX")
build=""
finish() {
  [ -z "$build" ] || kill "$build" 2>/dev/null || true
  chmod -R u+w "$work" 2>/dev/null || true
  rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

cp "$here/cli.go.mod" "$work/go.mod"
cp "$here/cli.go.sum" "$work/go.sum"
printf '//go:build tools\n\npackage tools\n\nimport _ "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"\n' > "$work/tools.go"
cd "$work"
# `go version` inside the module fetches the toolchain that go.mod asks for, where the user's Go is set up to do so.
found=$(go version 2>"$work/version.log" | sed -n 's/^go version go\([0-9]*\.[0-9]*\).*/\1/p') || found=""
older=$(printf '%s\n%s\n' "$needed" "${found:-0.0}" | sort -t. -k1,1n -k2,2n | head -n 1)
if [ "$older" != "$needed" ]; then
  fail "Go ${found:-of an unknown version} is too old: install Go $needed or later (https://go.dev/dl)"
fi

say "building the Pulumi CLI $version into $out"
CGO_ENABLED=0 GOWORK=off go build -mod=readonly -p 2 -trimpath \
  -ldflags "-s -w -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=$version" \
  -o "$work/pulumi" github.com/pulumi/pulumi/pkg/v3/cmd/pulumi >"$work/build.log" 2>&1 &
build=$!
seconds=0
while kill -0 "$build" 2>/dev/null; do
  sleep 1
  seconds=$((seconds + 1))
  [ $((seconds % 60)) -ne 0 ] || say "still building after $((seconds / 60)) min"
done
if ! wait "$build"; then
  build=""
  tail -n 20 "$work/build.log" >&2
  fail "the build failed; it needs the Go module proxy (GOPROXY=$(go env GOPROXY)) and about 2 GB of disk"
fi
build=""
# A rename is whole or not there, also when two builds run at once.
mv "$work/pulumi" "$out"
say "built in $seconds s"
printf '%s\n' "$out"
