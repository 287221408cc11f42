# shellcheck shell=sh disable=SC2154,SC2034,SC1091 # one script of three parts and a description (components/host/apply.py)
# What an apply script does with the machine that is described beneath (components/host/apply.py writes both together).
# Numbered steps, in this order; a run that ends early leaves its number in the state file, and the next run says so:
#   1 users and folders   2 files that nothing checks   3 checks of files that wait   4 those files
#   5 checks in place     6 what is no longer wanted    7 commands   8 setup   9 units
# Every step does only what is not done yet, so that a second run changes nothing. Until step 5 is through, no unit is
# touched and the old files can come back; restarts that are due are written down first, so that none is forgotten.
set -u
umask 077
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C
export PATH LC_ALL

home=/var/lib/skerry
lock=/run/skerry.lock
units_folder=/etc/systemd/system
verb=apply going=applying ending=failed was='' run='' log='' step=0 doing='' changed=0 number=0 problems='' missing='' secrets='' lost=''
current=no resumed=no started=no fits=no

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
  printf 'skerry: %s: %s\n' "$machine" "$*" >&2 2>/dev/null || :
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
  ! changes || write_state "$ending" "$*"
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
    if getent group "$1" >/dev/null; then own_group="--gid $1"; else own_group=--user-group; fi
    # shellcheck disable=SC2086 # two words
    ! changes || useradd --system $own_group --home-dir "$2" --shell /usr/sbin/nologin --no-create-home "$1" ||
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
  [ -d "$1" ] || { make_folder "$(dirname "$1")"; mkdir -m 700 "$1" || fail "the folder $1 cannot be made"; }
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
  : > "$run/$number.checks"
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
check() { printf '%s\n' "$1" >> "$run/$number.checks"; }
check_placed() { printf '%s|%s|%s\n' "$current" "$path" "$1" >> "$run/checks.placed"; }
after() { [ "$current" = yes ] || printf 'after %s\n' "$1" >> "$run/due"; }
restarts() {
  for unit; do
    printf '%s %s\n' "$path" "$unit" >> "$run/restarts"
    [ "$current" = no ] || continue
    case $path in "$units_folder"/*) printf 'restart %s\n' "$unit" ;; *) printf 'reload %s\n' "$unit" ;; esac >> "$run/due"
  done
}
setup() { printf '%s\n' "$1" >> "$run/setup"; }
unit() { printf '%s\n' "$1" >> "$run/units"; }

# Before anything is touched. -------------------------------------------------------------------------------------
preflight() {
  for line in $systems; do
    if grep -q -x -E "ID=\"?$line\"?" /etc/os-release 2>/dev/null; then fits=yes; fi
  done
  [ "$fits" = yes ] || problem "it does not run any of: $systems: is this the machine $machine?"
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
    # shellcheck disable=SC2086 # one a line
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
    refused) complain "is as it was: the last run was refused at step $(state_of step) of 9 ($(state_of doing))" ;;
    failed) complain "is half applied: the last run failed at step $(state_of step) of 9 ($(state_of doing));" \
      'this run completes it' ;;
  esac
}
