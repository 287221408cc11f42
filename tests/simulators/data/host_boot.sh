#!/bin/sh
# Makes a simulated machine's disk and devices, then is its PID 1.
# shellcheck disable=SC2154 # its words come from tests/simulators/hosts.py as its environment
set -eu
root=$BASE/root
mount -t overlay overlay -o "lowerdir=/,upperdir=$BASE/upper,workdir=$BASE/work" "$root"
mount -t proc proc "$root/proc"
mount --bind "$root/proc/sys" "$root/proc/sys"
mount --bind "$root/proc/sys/net" "$root/proc/sys/net"
mount -o remount,bind,ro "$root/proc/sys"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for node in null zero full random urandom tty; do
  : > "$root/dev/$node"; mount --bind "/dev/$node" "$root/dev/$node"
done
mkdir "$root/dev/pts" "$root/dev/shm" "$root/dev/net"
[ ! -c /dev/net/tun ] || { : > "$root/dev/net/tun"; mount --bind /dev/net/tun "$root/dev/net/tun"; }
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts "$root/dev/pts"
mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
ln -s pts/ptmx "$root/dev/ptmx"; ln -s /proc/self/fd "$root/dev/fd"
for row in 0:stdin 1:stdout 2:stderr; do ln -s "/proc/self/fd/${row%%:*}" "$root/dev/${row##*:}"; done
mount -t tmpfs -o mode=755 tmpfs "$root/run"
for folder in tmp root var/lib/skerry etc/systemd/system etc/ssh; do
  mkdir -p "$root/$folder"; mount -t tmpfs -o mode=755 tmpfs "$root/$folder"
done
chmod 1777 "$root/tmp"; chmod 700 "$root/root"
printf '%s' "$BINDS" | while IFS='|' read -r from to; do
  mkdir -p "$root$to"; mount --bind "$from" "$root$to"; mount -o remount,bind,ro "$root$to"
done
cp -R "$SEED/." "$root/"
[ "$LOGIN" = root ] || {
  chroot "$root" useradd --create-home --shell /bin/sh --password '*' "$LOGIN"
  mkdir "$root/home/$LOGIN/.ssh"; mv "$root/root/.ssh/authorized_keys" "$root/home/$LOGIN/.ssh/"
  chroot "$root" chown -R "$LOGIN" "/home/$LOGIN/.ssh"
  printf '%s ALL=(ALL) NOPASSWD: ALL\n' "$LOGIN" > "$root/etc/sudoers.d/$LOGIN"
}
hostname "$NAME"; ip link set lo up
: > "$root/etc/machine-id"
rm -f "$root/run/nologin"
mkdir -p "$root/run/skerry-old"
cd "$root"; pivot_root . run/skerry-old; umount -l /run/skerry-old; rmdir /run/skerry-old
exec env -i container=skerry PATH="$PATH" setpriv --bounding-set=-sys_time,-sys_module,-syslog \
  /lib/systemd/systemd --system --unit=simulated.target --show-status=0 --log-target=console --log-level=warning
