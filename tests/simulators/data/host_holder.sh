#!/bin/sh
# Holds a simulated machine until its standard input ends, then takes away what is left of it.
# shellcheck disable=SC2154 # its words come from tests/simulators/hosts.py as its environment
set -eu
mount --make-rprivate /
mount -t tmpfs -o "mode=755,size=${SIZE}g" skerry "$BASE"
mkdir "$BASE/cgroup" "$BASE/upper" "$BASE/work" "$BASE/root"
mount -t cgroup2 cgroup2 "$BASE/cgroup"
mkdir "$BASE/cgroup/$CGROUP"
(
  sh -c 'echo "$PPID" > "$1/cgroup.procs"' sh "$BASE/cgroup/$CGROUP"
  exec unshare --fork --kill-child --mount --pid --net --uts --ipc --cgroup sh "$BOOT" </dev/null
) &
child=$!
cat >/dev/null
# Its first process, so that unshare waits for it and ends; all others die with it.
# shellcheck disable=SC2046
kill -9 $(cat "/proc/$child/task/$child/children") 2>/dev/null || kill -9 "$child" 2>/dev/null || :
wait "$child" 2>/dev/null || :
echo 1 > "$BASE/cgroup/$CGROUP/cgroup.kill" 2>/dev/null || :
for _ in 1 2 3 4 5 6 7 8 9 10; do
  find "$BASE/cgroup/$CGROUP" -depth -type d -exec rmdir {} + 2>/dev/null || :
  [ -d "$BASE/cgroup/$CGROUP" ] || break
  sleep 0.1
done
