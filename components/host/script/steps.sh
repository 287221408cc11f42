# shellcheck shell=sh disable=SC2154,SC2034,SC1091 # one script of three parts and a description (components/host/apply.py)
# The steps. ------------------------------------------------------------------------------------------------------
remember() { grep -q -x -F -- "$1" "$home/manifest" 2>/dev/null || printf '%s\n' "$1" >> "$home/manifest"; }
due() { grep -q -x -F -- "$1" "$home/due" 2>/dev/null; }
done_with() {
  grep -v -x -F -- "$1" "$home/due" > "$home/due.new" || :
  mv -f "$home/due.new" "$home/due"
}
check_waiting() {
  while IFS='|' read -r same at path _ _ _ shown; do
    [ "$same" = no ] || [ "$resumed" = yes ] || continue
    while read -r what; do
      command_runs "$what" "$run/$at/${path##*/}" || refused "$path" "$shown" "${what%% *}"
    done < "$run/$at.checks"
  done < "$run/files"
}
refused() { # refused PATH SHOWN PROGRAM
  if [ "$2" = yes ]; then tail=$(words); else tail='(what it says is not shown, since the file holds secrets)'; fi
  back='nothing was changed'
  ! changes || { put_back; back='the files from before are back, and no unit was touched'; }
  case $was in '' | applied | refused) ending=refused ;; esac
  fail "$3 refuses $1: $tail
$back: mend it in the stack's configuration, then run again"
}
write_down() { # what is due, what is ours: before the first file changes
  if [ -d "$home/previous" ]; then resumed=yes; else mkdir "$home/previous" && cp "$home/due" "$home/previous/due"; fi
  touch "$home/previous/names"
  ! grep -q "^no|[0-9]*|$units_folder/" "$run/files" || echo daemon-reload >> "$run/due"
  awk '!seen[$0]++' "$home/due" "$run/due" > "$home/due.new" && mv -f "$home/due.new" "$home/due"
  while IFS='|' read -r _ _ path _; do
    if [ -e "$path" ] && ! grep -q -x -F -- "file $path" "$home/manifest" 2>/dev/null; then
      { mkdir -p "$home/originals${path%/*}" && cp -p "$path" "$home/originals$path"; } || fail "$path cannot be kept"
    fi
    remember "file $path"
  done < "$run/files"
  while read -r line; do remember "restarts $line"; done < "$run/restarts"
  while read -r line; do
    grep -q -E "^unit $line (ours|theirs)\$" "$home/manifest" && continue
    if systemctl is-enabled -q "$line" 2>/dev/null; then remember "unit $line theirs"; else remember "unit $line ours"; fi
  done < "$run/units"
}
place_files() { # place_files unchecked|checked
  while IFS='|' read -r same at path mode owner group _; do
    [ "$same" = no ] || continue
    if [ -s "$run/$at.checks" ]; then sort=checked; else sort=unchecked; fi
    [ "$sort" = "$1" ] || continue
    count "file $path"
    ! changes || place_file
  done < "$run/files"
}
place_file() {
  make_folder "${path%/*}"
  if ! cut -d ' ' -f 2 "$home/previous/names" | grep -q -x -F -- "$path"; then
    kept=none
    [ ! -e "$path" ] || { cp -p "$path" "$home/previous/$at" && kept=had; } || fail "$path cannot be kept"
    printf '%s %s %s\n' "$kept" "$path" "$at" >> "$home/previous/names"
  fi
  waiting=${path%/*}/.${path##*/}.skerry
  { cp "$run/$at/${path##*/}" "$waiting" && chown "$owner:$group" "$waiting" && chmod "$mode" "$waiting" &&
    mv -fT "$waiting" "$path"; } || fail "$path cannot be written"
}
put_back() {
  while read -r kept old at; do
    if [ "$kept" = had ]; then mv -f "$home/previous/$at" "$old"; else rm -f "$old"; fi
  done < "$home/previous/names"
  mv -f "$home/previous/due" "$home/due"
  rm -rf "$home/previous"
  systemctl daemon-reload
}
check_in_place() {
  [ -f "$run/checks.placed" ] || return 0
  : > "$run/checked"
  while IFS='|' read -r same path what; do
    [ "$same" = no ] || [ "$resumed" = yes ] || continue
    grep -q -x -F -- "$what" "$run/checked" && continue
    printf '%s\n' "$what" >> "$run/checked"
    command_runs "$what" || refused "$path" "$(grep -F "|$path|" "$run/files" | cut -d '|' -f 7)" "${what%% *}"
  done < "$run/checks.placed"
}
wanted() { grep -q -F -- "|$1|" "$run/files"; }
remove_unwanted() {
  [ -f "$home/manifest" ] || return 0
  sed -n 's/^unit \([^ ]*\) .*/\1/p' "$home/manifest" | tac > "$run/known"
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
    if [ ! -e "$path" ] && [ ! -e "$home/originals$path" ]; then
      ! changes || forget "$path"
      continue
    fi
    count "file $path is no longer wanted"
    changes || continue
    sed -n "s|^restarts $path |reload |p" "$home/manifest" >> "$home/due"
    case $path in "$units_folder"/*) echo daemon-reload >> "$home/due" ;; esac
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
  if due daemon-reload; then
    systemctl daemon-reload || fail 'systemctl daemon-reload failed'
    done_with daemon-reload
  fi
  sed -n 's/^after //p' "$home/due" > "$run/known"
  while read -r what; do
    command_runs "$what" || fail "'$what' failed: $(words)
the files are in place: mend what it says, then run again"
    done_with "after $what"
  done < "$run/known"
}
run_setup() { # what it makes is for those whom services run as, too: secrets are in place by now
  [ -f "$run/setup" ] || return 0
  umask 022
  while read -r what; do
    command_runs "$what" || fail "'$what' failed: $(words)
the files are in place and units were not started: mend what it says, then run again"
  done < "$run/setup"
  umask 077
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
    # What has failed for good is not started again; what will be is `activating` meanwhile.
    ! grep -q -x 'ActiveState=failed' "$run/shown" || return 1
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
  [ "$started" = no ] || sleep 1
  while read -r line; do becomes_well "$line" || ill "$line"; done < "$run/units"
}
