# shellcheck shell=sh disable=SC2154,SC2034,SC1091 # one script of three parts and a description (components/host/apply.py)
# The verbs. ------------------------------------------------------------------------------------------------------
apply() {
  if changes; then
    { mkdir -p "$home" && chmod 700 "$home" && touch "$home/due" "$home/manifest"; } || die 3 "$home cannot be written"
    log=$home/last-run.log
    : > "$log"
  fi
  tell_last_run
  preflight
  bring_secrets
  begin 1 'users and folders'; users_all; folders_all; files_all
  ! changes || write_down
  begin 2 'files that nothing checks'; place_files unchecked
  begin 3 'checks of files that wait'; check_waiting
  begin 4 'files that are checked'; place_files checked
  if changes; then
    begin 5 'checks in place'; check_in_place; rm -rf "$home/previous"
    begin 6 'what is no longer wanted'; remove_unwanted
    begin 7 'commands'; run_commands
    begin 8 'setup'; setup_all; run_setup
    begin 9 'units'; bring_units
    prune_manifest; sync; doing=''; write_state applied
    say "changed: $changed"
  else
    remove_unwanted
    home=$run; bring_units
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
    refused) was='refused, and as it was' ;;
  esac
  say "state: $was"
  say "plan: $(state_of plan)$([ "$(state_of plan)" = "$plan" ] || printf ' (not that of this script: %s)' "$plan")"
  say "step: $(state_of step) of 9 ($(state_of doing)), $(state_of since)"
  [ -z "$(state_of reason)" ] || say "reason: $(state_of reason)"
  [ "$was" = applied ] || { [ "$was" != 'half applied' ] || say 'remedy: run the script again, it completes what is left'; exit 1; }
  mkdir "$run/secret"; files_all
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
  log=$home/last-run.log
  begin 6 'what is no longer wanted'; remove_unwanted
  systemctl daemon-reload
  begin 9 'units'; bring_units
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
      --plan) shift; [ "${1:-}" = "$plan" ] || die 2 "was asked for the plan ${1:-}, and this script makes $plan" ;;
      *) usage >&2; exit 2 ;;
    esac
    shift
  done
  case $0 in */*) [ -n "$secrets" ] || secrets=$(cd "$(dirname "$0")" && pwd)/secrets ;; esac
  [ "$(id -u)" = 0 ] || die 3 'needs root: run it by sudo'
  run=$(mktemp -d /run/skerry.XXXXXX) || die 3 '/run cannot be written'
  trap 'rm -rf "$run"' EXIT
  : > "$run/files"; : > "$run/restarts"; : > "$run/units"; : > "$run/due"
  # A connection that is cut ends nothing halfway: the run goes on, and last-run.log holds what it said.
  trap '' HUP PIPE
  trap stopped INT TERM
  case $verb in
    status) exec 9>>"$lock"; units_all; status ;;
    dry-run) units_all; apply ;;
    remove) one_run_at_a_time; remove ;;
    apply) one_run_at_a_time; units_all; apply ;;
  esac
}
