#!/bin/sh
# Builds the linter of GitHub workflows as a command, for the test of the workflow that builds images; does
# nothing when it was built before. The last line on stdout is its path. The first build takes 10 CPU seconds.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cache=${SKERRY_TOOLCHAIN:-${XDG_CACHE_HOME:-$HOME/.cache}/skerry/toolchain}
if command -v sha256sum >/dev/null; then sum="sha256sum"; else sum="shasum -a 256"; fi
key=$(cat "$here/actionlint/go.mod" "$here/actionlint/go.sum" "$here/actionlint/main.go" "$here/build_actionlint.sh" | $sum | cut -c1-16)
out=$cache/actionlint-$key/actionlint
fail() { printf 'actionlint: %s\n' "$*" >&2; exit 3; }
if [ ! -x "$out" ]; then
  command -v go >/dev/null || fail "Go is not on the PATH: install Go 1.23 or later (https://go.dev/dl)"
  mkdir -p "${out%/*}" || fail "cannot write to $cache: set SKERRY_TOOLCHAIN to a folder that can be written"
  (cd "$here/actionlint" && CGO_ENABLED=0 GOWORK=off GOFLAGS='' nice -n 3 go build -mod=readonly -p 1 -trimpath \
    -ldflags '-s -w' -o "$out.part" .) || fail "the build failed: see above"
  mv "$out.part" "$out"
fi
printf '%s\n' "$out"
