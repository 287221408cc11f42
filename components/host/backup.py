"""Backups: a script, a timer and the way back; encrypted by age before anything touches a disk.

Source: age(1) 1.1.1, tar(1) 1.34, sftp(1) (not opened; the tests run the programs themselves)
"""

from __future__ import annotations

import re
import shlex
from typing import Final
from urllib.parse import urlsplit

from components.host.places import ETC, HEAD, LIB, UNITS, bracketed, is_linux
from components.host.quoting import one_line, shell, unit_word
from components.host.timers import timer_units
from skerry.config.host import HostBackupSpec, HostsSpec
from skerry.errors import UsageError
from skerry.hosts.plan import HostBackup, HostFile, HostsPlan, Machine, Timer

RECIPIENTS: Final = f"{ETC}/backup/recipients"
KNOWN_HOSTS: Final = f"{ETC}/backup/known_hosts"
CREDENTIAL: Final = f"{ETC}/backup/credential"
_NAME: Final = re.compile(r"^[a-z0-9]([a-z0-9-]{0,50}[a-z0-9])?$")


def backup_files(machine: Machine, plan: HostsPlan, hosts: HostsSpec) -> tuple[HostFile, ...]:
    """Return the scripts and timers of the machine's backups.

    Raises:
        UsageError: a name or a path cannot be written.
    """
    spec = hosts.backup
    if spec is None or not machine.backups or not is_linux(machine):
        return ()
    files = list(_shared(spec))
    for row in machine.backups:
        if not _NAME.match(row.name):
            raise UsageError(f"{machine.name}: '{row.name}' is no name of a backup: use small letters, digits, hyphens")
        files += [
            HostFile(path=backup_script(row.name), text=_script(machine, row, spec), mode="0700"),
            HostFile(path=restore_script(row.name), text=_restore(row.name), mode="0700"),
            *_timer(row, spec),
        ]
    return tuple(files)


def backup_script(name: str) -> str:
    """Return where the script of a backup stands."""
    return f"{LIB}/backup-{name}"


def restore_script(name: str) -> str:
    """Return where the script of the way back stands."""
    return f"{LIB}/restore-{name}"


def _shared(spec: HostBackupSpec) -> list[HostFile]:
    found = []
    if spec.recipients:
        found.append(HostFile(path=RECIPIENTS, text="".join(f"{key}\n" for key in spec.recipients), mode="0600"))
    if spec.off_host_secret is not None:
        found.append(HostFile(path=CREDENTIAL, secret=spec.off_host_secret, mode="0600"))
    if spec.off_host_key is not None and spec.off_host is not None:
        url = urlsplit(spec.off_host)
        name = f"[{url.hostname}]:{url.port}" if url.port not in (None, 22) else str(url.hostname)
        found.append(HostFile(path=KNOWN_HOSTS, text=f"{name} {spec.off_host_key}\n", mode="0600"))
    return found


def _timer(row: HostBackup, spec: HostBackupSpec) -> tuple[HostFile, HostFile]:
    timer = Timer(
        name=f"skerry-backup-{row.name}",
        command=(backup_script(row.name),),
        calendar=spec.schedule,
        writable=(spec.folder,),
    )
    service, clock = timer_units(timer, description=f"Backup {row.name}", spread_s=900)
    # Commands before it may write beside what they copy, and a medium may be mounted anywhere.
    text = service.text.replace("ProtectSystem=strict\n", "ProtectSystem=full\n")
    text = text.replace(f"ReadWritePaths={unit_word(spec.folder, variables=False)}\n", "")
    return (HostFile(path=f"{UNITS}/{timer.name}.service", text=text, commands=service.commands), clock)


def _words(paths: tuple[str, ...]) -> str:
    for path in paths:
        if not one_line(path, "a path of a backup").startswith("/") or path.rstrip("/") == "":
            raise UsageError(f"a backup's path '{path}' is no full path of a file or folder: begin it with /")
    return shell([path.rstrip("/") for path in paths])


def _script(machine: Machine, row: HostBackup, spec: HostBackupSpec) -> str:
    encrypted = bool(spec.recipients)
    seals = f"age --encrypt --recipients-file {RECIPIENTS}" if encrypted else "cat"
    refusal = ""
    if row.holds_keys and not encrypted:
        refusal = (
            "fail 'private keys are among what it copies, and nobody is named who could read an encrypted copy: '\\\n"
            "  'name age public keys in hosts.backup.recipients'\n"
        )
    return f"""\
#!/bin/bash
# {HEAD}
# Copies what {machine.name} keeps into one {"encrypted " if encrypted else ""}archive.
# It has its name only once it is whole.
set -euo pipefail
umask 077
name={row.name} folder={shlex.quote(spec.folder)} days={spec.retention_days}
paths=({_words(row.paths)})
optional=({_words(row.optional)})
fail() {{ echo "backup $name: $*" >&2; exit 1; }}
{refusal}for path in "${{paths[@]}}"; do
  [ -e "$path" ] || fail "$path is missing: nothing was copied; make it, or take it out of the backup"
done
for path in "${{optional[@]}}"; do
  [ ! -e "$path" ] || paths+=("$path")
done
{_around(row)}mkdir -p "$folder"
chmod 0700 "$folder"
final="$folder/$name-$(date -u +%Y%m%dT%H%M%SZ).tar.gz{".age" if encrypted else ""}"
partial="$final.partial"
trap 'rm -f "$partial"{"; afterwards" if row.after else ""}' EXIT
set +e
tar --create --gzip --directory=/ --exclude="${{folder#/}}" -- "${{paths[@]#/}}" | {seals} > "$partial"
codes=("${{PIPESTATUS[@]}}")
set -e
[ "${{codes[1]}}" = 0 ] || fail "{seals.split()[0]} ended with ${{codes[1]}}: the archive was thrown away"
{"afterwards" + chr(10) if row.after else ""}case ${{codes[0]}} in
  0) ;;
  1) echo "backup $name: a file changed while it was read; it is in the archive as far as it was" >&2 ;;
  *) fail "tar ended with ${{codes[0]}}: the archive was thrown away" ;;
esac
sync "$partial"
mv "$partial" "$final"
find "$folder" -maxdepth 1 -type f -name "$name-*.tar.gz*" ! -path "$final" -mmin "+$((days * 1440))" -delete
{_second_copy(spec)}echo "backup $name: $final, $(stat --format=%s "$final") bytes"
"""


def _around(row: HostBackup) -> str:
    """Return the commands before, and what undoes them: once, whether or not a copy could be made."""
    if not row.after:
        return "".join(f"{line}\n" for line in row.before)
    undo = "; ".join(row.after)
    begun = f"afterwards() {{ trap 'rm -f \"${{partial:-}}\"' EXIT; {undo}; }}\ntrap afterwards EXIT\n"
    return begun + "".join(f"{line}\n" for line in row.before)


def _second_copy(spec: HostBackupSpec) -> str:
    if spec.off_host is None:
        return ""
    url = urlsplit(spec.off_host)
    path = url.path.rstrip("/")
    if url.scheme == "file":
        medium = shlex.quote(path or "/")
        return f"""\
medium={medium}
[ -d "$medium" ] || fail "$medium is not there, so that there is no second copy: mount the medium"
[ "$(stat --format=%d "$medium")" != "$(stat --format=%d "$folder")" ] ||
  fail "$medium is on the same disk as $folder, so that there is no second copy: mount the medium"
cp "$final" "$medium/${{final##*/}}.partial"
sync "$medium/${{final##*/}}.partial"
mv "$medium/${{final##*/}}.partial" "$medium/${{final##*/}}"
find "$medium" -maxdepth 1 -type f -name "$name-*.tar.gz*" ! -name "${{final##*/}}" -mmin "+$((days * 1440))" -delete
"""
    needed = (
        f'[ -s {CREDENTIAL} ] || fail "{CREDENTIAL} is missing, so that there is no second copy: set off_host_secret"\n'
    )
    if url.scheme == "s3":
        endpoint = f" RCLONE_S3_ENDPOINT={shlex.quote(spec.off_host_endpoint)}" if spec.off_host_endpoint else ""
        provider = "Other" if spec.off_host_endpoint else "AWS"
        target = shlex.quote(f":s3:{url.netloc}{path}/")
        return needed + (
            f"AWS_SHARED_CREDENTIALS_FILE={CREDENTIAL} RCLONE_CONFIG=/dev/null RCLONE_S3_ENV_AUTH=true "
            f"RCLONE_S3_PROVIDER={provider}{endpoint} \\\n"
            f'  rclone copyto --s3-no-check-bucket "$final" {target}"${{final##*/}}" ||\n'
            f"  fail {shlex.quote(f'no second copy reached {spec.off_host}: see what rclone says above')}\n"
        )
    if spec.off_host_key is None:
        return f"fail {shlex.quote(f'no second copy is sent to {spec.off_host}: name its host key in off_host_key')}\n"
    account = shlex.quote(f"{url.username or 'backup'}@{bracketed(str(url.hostname))}")
    return f"""\
{needed}remote={shlex.quote(path or ".")}/${{final##*/}}
sftp -q -b - -i {CREDENTIAL} -P {url.port or 22} -o BatchMode=yes -o IdentitiesOnly=yes -o StrictHostKeyChecking=yes \\
  -o UserKnownHostsFile={KNOWN_HOSTS} -o ConnectTimeout=20 {account} >/dev/null <<SFTP ||
put "$final" "$remote.partial"
rename "$remote.partial" "$remote"
SFTP
  fail {shlex.quote(f"no second copy reached {spec.off_host}: see what sftp says above")}
"""


def _restore(name: str) -> str:
    return f"""\
#!/bin/bash
# {HEAD}
# usage: restore-{name} ARCHIVE IDENTITY DESTINATION [--overwrite]
# IDENTITY is a file with an age private key, or - for an archive that is not encrypted. DESTINATION is / for the old
# places. The whole archive is read and checked before the first file is written.
set -euo pipefail
fail() {{ echo "restore {name}: $*" >&2; exit 1; }}
[ $# -ge 3 ] || fail "usage: restore-{name} ARCHIVE IDENTITY DESTINATION [--overwrite]"
archive=$1 identity=$2 destination=${{3%/}}/ overwrite=${{4:-}}
[ -r "$archive" ] || fail "$archive cannot be read: name an archive"
[ -d "$destination" ] || fail "$destination is no folder: make it, or use /"
[ -z "$overwrite" ] || [ "$overwrite" = --overwrite ] || fail "'$overwrite' is not known: use --overwrite, or nothing"
opened() {{
  if [ "$identity" = - ]; then cat -- "$archive"; else age --decrypt --identity "$identity" -- "$archive"; fi
}}
list=$(mktemp)
trap 'rm -f "$list"' EXIT
opened | tar --list --gzip --quoting-style=literal > "$list" ||
  fail "$archive cannot be read whole: nothing was restored; it is cut short, damaged, or sealed for another key"
[ -s "$list" ] || fail "$archive is empty: nothing was restored"
if [ "$overwrite" != --overwrite ]; then
  while IFS= read -r path; do
    case $path in */) continue ;; esac
    [ ! -e "$destination$path" ] ||
      fail "$destination$path is there already: nothing was restored; add --overwrite, or restore elsewhere"
  done < "$list"
fi
opened | tar --extract --gzip --preserve-permissions --no-overwrite-dir --directory="$destination" ||
  fail "writing into $destination failed: it is restored in part; free space, then restore with --overwrite"
echo "restore {name}: $(grep -cv '/$' "$list") files in $destination"
"""
