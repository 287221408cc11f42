# What an apply script does with the machine that is described beneath (components/host/apply.py writes both together).
# Numbered steps, in this order; a run that ends early leaves its number in the state file, and the next run says so:
#   1 users and folders   2 checks of files that wait   3 files   4 checks of files in place   5 what is no longer wanted
#   6 commands            7 setup                        8 units   9 the end
# Every step does only what is not done yet, so that a second run changes nothing. Until step 4 is through, no unit is
# touched and the old files can come back; restarts that are due are written down first, so that none is forgotten.
# shellcheck shell=sh
set -u
umask 077
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C
export PATH LC_ALL

home=/var/lib/skerry
lock=/run/skerry.lock
units_folder=/etc/systemd/system
verb=apply run='' log='' step=0 doing='' changed=0 number=0 problems='' missing='' secrets='' lost='' current=no

usage() {
  cat <<'TEXT'
usage: apply.sh [--dry-run | --status | --remove] [--secrets FOLDER]
  without a word   makes the machine what its stack says; a second run changes nothing
  --dry-run        says what that would change, and changes nothing
  --status         says whether it was applied, and what differs since
  --remove         takes away files and units that this script laid down; data, users and logs stay
  --secrets        one file a secret, named like its key; left out: the folder `secrets` beside the script
exit: 0 done; 1 failed, or --status: not applied; 2 wrong use; 3 the machine is not ready, or another run is under way
TEXT
}

say() {
  printf '%s\n' "$*" 2>/dev/null || :
  [ -z "$log" ] || printf '%s\n' "$*" >> "$log"
}
complain() {
  printf 'skerry: %s: %s\n' "$machine" "$*" 2>/dev/null >&2 || :
  [ -z "$log" ] || printf 'skerry: %s: %s\n' "$machine" "$*" >> "$log"
}
die() { code=$1; shift; complain "$*"; exit "$code"; }
now() { date -u +%Y-%m-%dT%H:%M:%SZ; }
count() { changed=$((changed + 1)); say "$*"; }
changes() { [ "$verb" != dry-run ]; }

write_state() { # write_state STATE [REASON]
  {
    printf 'state=%s\nplan=%s\nstep=%s\ndoing=%s\nsince=%s\n' "$1" "$plan" "$step" "$doing" "$(now)"
    printf 'reason=%s\n' "$(printf '%s' "${2:-}" | tr '\n' ' ' | cut -c 1-500)"
  } > "$home/state.new" && mv -f "$home/state.new" "$home/state"
}
state_of() { [ ! -f "$home/state" ] || sed -n "s/^$1=//p" "$home/state"; }
begin() { step=$1; shift; doing=$*; ! changes || write_state "$going"; }
fail() { # ends the run at its step; the message says what to do
  ! changes || write_state failed "$*"
  die 1 "failed at step $step of 9 ($doing): $*"
}
stopped() {
  trap - INT TERM
  [ "$step" = 0 ] || ! changes || write_state failed 'it was ended by a signal'
  die 1 "was ended at step $step of 9 ($doing): run it again, it goes on from there"
}
command_runs() { sh -c "$1" sh "${2:-}" </dev/null >/dev/null 2>"$run/words" 9>&-; }
words() { head -n 12 "$run/words" | cut -c 1-300; }

# What the description beneath may say. ---------------------------------------------------------------------------
need() { command -v "$1" >/dev/null 2>&1 || missing="$missing $2"; }
package() {
  [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ] || missing="$missing $1"
}
problem() { problems="$problems
  $*"; }
user() { # user NAME HOME GROUPS
  if ! id -u "$1" >/dev/null 2>&1; then
    count "user $1"
    ! changes || useradd --system --user-group --home-dir "$2" --shell /usr/sbin/nologin --no-create-home "$1" ||
      fail "the user $1 cannot be made"
  fi
  for group in $3; do
    case " $(id -nG "$1" 2>/dev/null) " in *" $group "*) continue ;; esac
    count "user $1 in group $group"
    ! changes || usermod --append --groups "$group" "$1" ||
      fail "the user $1 cannot be put in the group $group: install what brings that group, then run again"
  done
}
folder() { # folder PATH MODE OWNER GROUP
  [ "$(stat -c '%F %a %U %G' "$1" 2>/dev/null)" != "directory $2 $3 $4" ] || return 0
  count "folder $1"
  changes || return 0
  [ -d "$1" ] || make_folder "$1"
  { chown "$3:$4" "$1" && chmod "$2" "$1"; } || fail "the folder $1 cannot be made"
}
make_folder() {
  [ -d "$1" ] && return 0
  make_folder "$(dirname "$1")"
  mkdir -m 755 "$1" || fail "the folder $1 cannot be made"
  remember "dir $1"
}
begin_file() { # begin_file PATH MODE OWNER GROUP
  number=$((number + 1))
  mkdir "$run/$number"
  path=$1 mode=$2 owner=$3 group=$4 staged=$run/$number/${1##*/} shown=yes
}
end_file() {
  current=no
  if [ -f "$path" ] && [ ! -L "$path" ] && cmp -s "$staged" "$path" &&
    [ "$(stat -c '%a %U %G' "$path")" = "$mode $owner $group" ]; then
    current=yes
  fi
  printf '%s|%s|%s|%s|%s|%s|%s\n' "$current" "$number" "$path" "$mode" "$owner" "$group" "$shown" >> "$run/files"
}
text() { begin_file "$@"; cat > "$staged"; end_file; }
coded() { begin_file "$@"; base64 -d > "$staged"; end_file; }
secret() { # secret PATH MODE OWNER GROUP KEY: its value, with one line end
  begin_file "$1" "$2" "$3" "$4"; shown=no
  { secret_value "$5"; echo; } > "$staged"; end_file
}
variables() { # variables PATH MODE OWNER GROUP NAME=KEY...: a line for each, as systemd and Compose read it
  begin_file "$1" "$2" "$3" "$4"; shown=no
  shift 4
  for pair; do
    printf '%s="%s"\n' "${pair%%=*}" "$(secret_value "${pair#*=}" | sed 's/[\\"$]/\\&/g')"
  done > "$staged"
  end_file
}
secret_value() { printf '%s' "$(cat "$run/secret/$1" 2>/dev/null)"; }
secret_key() { # secret_key KEY: brings a value here, from what was sent or from the folder
  if given "$1" > "$run/secret/$1.sent" 2>/dev/null; then
    base64 -d "$run/secret/$1.sent" > "$run/secret/$1"; rm -f "$run/secret/$1.sent"
    return 0
  fi
  rm -f "$run/secret/$1.sent"
  if [ -n "$secrets" ] && [ -s "$secrets/$1" ]; then cat "$secrets/$1" > "$run/secret/$1"; else lost="$lost $1"; fi
}
given() { return 1; }
check() { printf '%s|%s|%s\n' "$current" "$number" "$1" >> "$run/checks"; }
check_placed() { printf '%s|%s|%s\n' "$current" "$path" "$1" >> "$run/checks.placed"; }
after() { [ "$current" = yes ] || printf 'after %s\n' "$1" >> "$run/due"; }
restarts() {
  for unit; do
    printf '%s %s\n' "$path" "$unit" >> "$run/restarts"
    [ "$current" = yes ] || [ "$path" = "$units_folder/$unit" ] || printf 'reload %s\n' "$unit" >> "$run/due"
    [ "$current" = yes ] || [ "$path" != "$units_folder/$unit" ] || printf 'restart %s\n' "$unit" >> "$run/due"
  done
}
setup() { printf '%s\n' "$1" >> "$run/setup"; }
unit() { printf '%s\n' "$1" >> "$run/units"; }

# Before anything is touched. -------------------------------------------------------------------------------------
preflight() {
  [ "$(id -u)" = 0 ] || die 3 'needs root: run it by sudo'
  for line in $systems; do
    if grep -q -x -E "ID(_LIKE)?=\"?([a-z ]* )?$line( [a-z ]*)?\"?" /etc/os-release 2>/dev/null; then fits=yes; fi
  done
  [ "${fits:-no}" = yes ] || problem "it does not run any of: $systems: is this the machine $machine?"
  case " $machines_arch " in *" $(uname -m) "*) ;; *)
    problem "its processor is $(uname -m), not $machines_arch: is this the machine $machine?" ;;
  esac
  [ -d /run/systemd/system ] ||
    problem 'systemd does not run here (inside Windows: systemd=true under [boot] in /etc/wsl.conf, then start anew)'
  for place in /etc /var/lib /run; do
    free=$(df -Pk "$place" | awk 'NR == 2 {print int($4 / 1024)}')
    [ "${free:-0}" -ge "$needed_mib" ] || problem "$place has ${free:-0} MiB free, and $needed_mib are needed"
  done
  needs_all
  [ -z "$missing" ] || {
    missing=$(printf '%s\n' $missing | sort -u | tr '\n' ' ' | sed 's/ $//')
    problem "not installed: $missing: apt-get install --yes $missing"
  }
  [ -z "$problems" ] || die 3 "is not ready, and nothing was changed:$problems"
}
bring_secrets() {
  mkdir "$run/secret"
  secrets_all
  [ -z "$lost" ] || die 3 "nothing was changed, since these secrets are missing:$lost: write each into a file of that" \
    "name in the folder ${secrets:-that --secrets names}"
}
one_run_at_a_time() {
  exec 9>>"$lock"
  flock -n 9 || die 3 "another run is under way ($(cat "$lock")): wait until it ends, then run again"
  printf 'process %s since %s' "$$" "$(now)" > "$lock"
}
tell_last_run() {
  was=$(state_of state)
  case $was in
    applying | removing) complain "is half applied: the last run stopped at step $(state_of step) of 9" \
      "($(state_of doing)) and never ended; this run completes it" ;;
    failed) complain "is half applied: the last run failed at step $(state_of step) of 9 ($(state_of doing));" \
      'this run completes it' ;;
  esac
}

# The steps. ------------------------------------------------------------------------------------------------------
remember() { grep -q -x -F -- "$1" "$home/manifest" 2>/dev/null || printf '%s\n' "$1" >> "$home/manifest"; }
due() { grep -q -x -F -- "$1" "$home/due" 2>/dev/null; }
done_with() {
  grep -v -x -F -- "$1" "$home/due" > "$home/due.new" || :
  mv -f "$home/due.new" "$home/due"
}
unchecked() { [ -d "$home/previous" ]; }
refused() { # refused PATH SHOWN WHAT
  if [ "$2" = yes ]; then tail=$(words); else tail='(what it says is not shown, since the file holds secrets)'; fi
  printf '%s refuses %s: %s' "$3" "$1" "$tail"
}

check_waiting() {
  [ -f "$run/checks" ] || return 0
  while IFS='|' read -r same at what; do
    [ "$same" = no ] || unchecked || continue
    IFS='|' read -r _ _ path _ _ _ shown <<LINE
$(grep "^[a-z]*|$at|" "$run/files")
LINE
    command_runs "$what" "$run/$at/${path##*/}" ||
      fail "$(refused "$path" "$shown" "${what%% *}")
nothing was replaced or restarted: mend it in the stack's configuration, then run again"
  done < "$run/checks"
}
write_down() { # what is due, what is ours: before the first file changes
  sort -u "$home/due" "$run/due" 2>/dev/null > "$home/due.new" || :
  mv -f "$home/due.new" "$home/due"
  [ -d "$home/previous" ] || { mkdir "$home/previous"; cp "$home/due" "$home/previous/due"; }
  while IFS='|' read -r _ _ path _; do
    if [ -e "$path" ] && ! grep -q -x -F -- "file $path" "$home/manifest" 2>/dev/null; then
      mkdir -p "$home/originals${path%/*}" && cp -p "$path" "$home/originals$path" || fail "$path cannot be kept"
    fi
    remember "file $path"
  done < "$run/files"
  while read -r line; do remember "restarts $line"; done < "$run/restarts"
  while read -r line; do
    grep -q -E "^unit $line (ours|theirs)\$" "$home/manifest" && continue
    if systemctl is-enabled -q "$line" 2>/dev/null; then remember "unit $line theirs"; else remember "unit $line ours"; fi
  done < "$run/units"
}
place_files() {
  while IFS='|' read -r same at path mode owner group _; do
    [ "$same" = no ] || continue
    count "file $path"
    changes || continue
    make_folder "${path%/*}"
    if ! grep -q -E "^(had|none) $path\$" "$home/previous/list" 2>/dev/null; then
      kept=none
      [ ! -e "$path" ] || { cp -p "$path" "$home/previous/$at" && kept=had; } || fail "$path cannot be kept"
      printf '%s %s %s\n' "$kept" "$path" "$at" >> "$home/previous/names"
      printf '%s %s\n' "$kept" "$path" >> "$home/previous/list"
    fi
    waiting=${path%/*}/.${path##*/}.skerry
    { cp "$run/$at/${path##*/}" "$waiting" && chown "$owner:$group" "$waiting" && chmod "$mode" "$waiting" &&
      mv -fT "$waiting" "$path"; } || fail "$path cannot be written"
  done < "$run/files"
}
put_back() {
  while read -r kept path at; do
    if [ "$kept" = had ]; then mv -f "$home/previous/$at" "$path"; else rm -f "$path"; fi
  done < "$home/previous/names"
  mv -f "$home/previous/due" "$home/due"
  rm -rf "$home/previous"
  systemctl daemon-reload
}
check_in_place() {
  [ -f "$run/checks.placed" ] || return 0
  : > "$run/checked"
  while IFS='|' read -r same path what; do
    [ "$same" = no ] || unchecked || continue
    grep -q -x -F -- "$what" "$run/checked" && continue
    printf '%s\n' "$what" >> "$run/checked"
    command_runs "$what" && continue
    shown=$(grep -F "|$path|" "$run/files" | cut -d '|' -f 7)
    [ ! -f "$home/previous/names" ] || put_back
    fail "$(refused "$path" "$shown" "${what%% *}")
the files from before are back, and no unit was touched: mend it in the stack's configuration, then run again"
  done < "$run/checks.placed"
}
wanted() { grep -q -F -- "|$1|" "$run/files"; }
remove_unwanted() {
  [ -f "$home/manifest" ] || return 0
  sed -n 's/^unit \([^ ]*\) .*/\1/p' "$home/manifest" | sed '1!G;h;$!d' > "$run/known"
  while read -r line; do
    grep -q -x -F -- "$line" "$run/units" && continue
    grep -q -x -F -- "unit $line ours" "$home/manifest" || continue
    count "unit $line is no longer wanted"
    ! changes || systemctl disable --now -q "$line" 2>"$run/words" || systemctl stop "$line" 2>>"$run/words" ||
      ! systemctl is-active -q "$line" || fail "$line cannot be stopped: $(words)"
  done < "$run/known"
  sed -n 's/^file //p' "$home/manifest" > "$run/known"
  while read -r path; do
    wanted "$path" && continue
    count "file $path is no longer wanted"
    changes || continue
    sed -n "s|^restarts $path |reload |p" "$home/manifest" >> "$home/due"
    if [ -e "$home/originals$path" ]; then mv -f "$home/originals$path" "$path"; else rm -f "$path"; fi
    forget "$path"
  done < "$run/known"
}
forget() {
  grep -v -x -F -- "file $1" "$home/manifest" | grep -v -E "^restarts $1 " > "$home/manifest.new"
  mv -f "$home/manifest.new" "$home/manifest"
}
prune_manifest() {
  while read -r kind name rest; do
    case $kind in
      unit) grep -q -x -F -- "$name" "$run/units" || continue ;;
      restarts) grep -q -x -F -- "$name $rest" "$run/restarts" || continue ;;
      dir) [ -d "$name" ] || continue ;;
    esac
    printf '%s\n' "$kind $name${rest:+ $rest}"
  done < "$home/manifest" > "$home/manifest.new"
  mv -f "$home/manifest.new" "$home/manifest"
}
run_commands() {
  sed -n 's/^after //p' "$home/due" > "$run/known"
  while read -r what; do
    command_runs "$what" || fail "'$what' failed: $(words)
the files are in place: mend what it says, then run again"
    done_with "after $what"
  done < "$run/known"
}
run_setup() {
  [ -f "$run/setup" ] || return 0
  while read -r what; do
    command_runs "$what" || fail "'$what' failed: $(words)
the files are in place and units were not started: mend what it says, then run again"
  done < "$run/setup"
}
well() { # a unit runs, or is one that ends and did so well
  systemctl show -p Type -p ActiveState -p SubState -p Result -p RemainAfterExit -p ExecMainExitTimestampMonotonic "$1" \
    > "$run/shown"
  grep -q -x 'ActiveState=active' "$run/shown" && return 0
  grep -q -x 'Type=oneshot' "$run/shown" && grep -q -x 'RemainAfterExit=no' "$run/shown" &&
    grep -q -x 'Result=success' "$run/shown" && ! grep -q -x 'ExecMainExitTimestampMonotonic=0' "$run/shown"
}
becomes_well() { # systemd starts again what fails at first
  tries=0
  until well "$1"; do
    tries=$((tries + 1))
    [ $tries -le "$settle_s" ] || return 1
    sleep 1
  done
}
ill() {
  fail "$1 is not well ($(systemctl show -P ActiveState "$1"), $(systemctl show -P Result "$1")): see journalctl -u $1;
files are in place, and units after it were not started: mend the cause, then run again"
}
bring_unit() {
  if ! systemctl is-enabled -q "$1" 2>/dev/null; then
    count "unit $1 enabled"
    ! changes || systemctl enable -q "$1" 2>"$run/words" || fail "$1 cannot be enabled: $(words)"
  fi
  how=''
  if ! well "$1"; then how=start; elif due "restart $1"; then how=restart; elif due "reload $1"; then how=reload-or-restart; fi
  if [ -n "$how" ]; then
    count "unit $1: $how"
    changes || return 0
    systemctl reset-failed "$1" 2>/dev/null || :
    systemctl "$how" "$1" </dev/null 2>"$run/words" 9>&- || becomes_well "$1" || ill "$1"
    started=yes
  fi
  ! changes || { done_with "restart $1"; done_with "reload $1"; }
}
bring_units() {
  changes || cp "$run/due" "$run/due.all"
  while read -r line; do bring_unit "$line"; done < "$run/units"
  changes || return 0
  sed -n 's/^\(reload\|restart\) //p' "$home/due" | sort -u > "$run/known"
  while read -r line; do
    if systemctl is-active -q "$line"; then
      count "unit $line: reload-or-restart"
      systemctl reload-or-restart "$line" </dev/null 2>"$run/words" || fail "$line cannot be reloaded: $(words)"
    fi
    done_with "restart $line"; done_with "reload $line"
  done < "$run/known"
  # One that ends soon after its start was well for a moment.
  [ "${started:-no}" = no ] || sleep 1
  while read -r line; do becomes_well "$line" || ill "$line"; done < "$run/units"
}

# The verbs. ------------------------------------------------------------------------------------------------------
apply() {
  going=applying
  if changes; then
    mkdir -p "$home" && chmod 700 "$home" && touch "$home/due" "$home/manifest" || die 3 "$home cannot be written"
    log=$home/last-run.log
    : > "$log"
  fi
  tell_last_run
  preflight
  bring_secrets
  begin 1 'users and folders'; users_all; folders_all; files_all
  begin 2 'checks of files that wait'; check_waiting
  if changes; then
    begin 3 'files'; write_down; place_files
    begin 4 'checks of files in place'; check_in_place; rm -rf "$home/previous"
    begin 5 'what is no longer wanted'; remove_unwanted
    begin 6 'commands'; systemctl daemon-reload || fail 'systemctl daemon-reload failed'; run_commands
    begin 7 'setup'; setup_all; run_setup
    begin 8 'units'; bring_units
    step=9 doing='the end'; prune_manifest; sync; write_state applied
    say "changed: $changed"
  else
    place_files; remove_unwanted
    home_due=$home; home=$run; bring_units; home=$home_due
    say "would change: $changed"
  fi
}
status() {
  if [ ! -f "$home/state" ]; then say 'state: never applied'; exit 1; fi
  was=$(state_of state)
  case $was in
    applying | removing)
      if flock -n 9; then was='half applied'; else was='under way'; fi ;;
    failed) was='half applied' ;;
  esac
  say "state: $was"
  say "plan: $(state_of plan)$([ "$(state_of plan)" = "$plan" ] || printf ' (not that of this script: %s)' "$plan")"
  say "step: $(state_of step) of 9 ($(state_of doing)), $(state_of since)"
  [ -z "$(state_of reason)" ] || say "reason: $(state_of reason)"
  [ "$was" = applied ] || { [ "$was" != 'half applied' ] || say 'remedy: run the script again, it completes what is left'; exit 1; }
  secrets_held=yes; files_all
  differs=0
  while IFS='|' read -r same _ path _ _ _ shown; do
    [ "$same" = yes ] || [ "$shown" = no ] || { differs=$((differs + 1)); say "differs: $path"; }
  done < "$run/files"
  while read -r line; do well "$line" || { differs=$((differs + 1)); say "not well: $line"; }; done < "$run/units"
  [ $differs = 0 ] && [ "$(state_of plan)" = "$plan" ]
}
remove() {
  going=removing
  [ -f "$home/manifest" ] || { say 'removed: 0'; return 0; }
  tell_last_run
  [ "$(id -u)" = 0 ] || die 3 'needs root: run it by sudo'
  log=$home/last-run.log
  : > "$run/units"
  begin 5 'what is no longer wanted'; remove_unwanted
  systemctl daemon-reload
  begin 8 'units'; bring_units
  sed -n 's/^dir //p' "$home/manifest" | sort -r > "$run/known"
  while read -r line; do rmdir "$line" 2>/dev/null || :; done < "$run/known"
  log=''
  rm -rf "$home/manifest" "$home/state" "$home/due" "$home/originals" "$home/previous" "$home/last-run.log"
  rmdir "$home" 2>/dev/null || :
  say "removed: $changed; data, users and logs stay"
}
main() {
  while [ $# -gt 0 ]; do
    case $1 in
      --dry-run | --status | --remove) verb=${1#--} ;;
      --secrets) shift; secrets=${1:-} ;;
      --plan) shift ;;
      *) usage >&2; exit 2 ;;
    esac
    shift
  done
  case $0 in */*) [ -n "$secrets" ] || secrets=$(cd "$(dirname "$0")" && pwd)/secrets ;; esac
  run=$(mktemp -d /run/skerry.XXXXXX 2>/dev/null || mktemp -d)
  trap 'rm -rf "$run"' EXIT
  : > "$run/files"; : > "$run/restarts"; : > "$run/units"; : > "$run/due"
  # A connection that is cut ends nothing halfway: the run goes on, and last-run.log holds what it said.
  trap '' HUP PIPE
  trap stopped INT TERM
  case $verb in
    status) exec 9>>"$lock" 2>/dev/null || die 3 'needs root: run it by sudo'; units_all; status ;;
    dry-run) units_all; apply ;;
    *) [ "$(id -u)" = 0 ] || die 3 'needs root: run it by sudo'
       one_run_at_a_time
       if [ "$verb" = remove ]; then remove; else units_all; apply; fi ;;
  esac
}
