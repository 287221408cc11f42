"""The script that asks until something answers: nothing orders starts across machines."""

from __future__ import annotations

from typing import Final

from components.host.places import HEAD, WAIT, is_linux
from skerry.config.host import HostsSpec
from skerry.hosts.plan import HostFile, HostsPlan, Machine, Supervisor

SCRIPT: Final = f"""\
#!/bin/bash
# {HEAD}
# usage: wait-for SECONDS URL... | wait-for SECONDS -- COMMAND [ARGUMENT...]
# Asks every 2 s until each URL answers or the command succeeds; after SECONDS it fails and says what did not answer.
# http and https: any status under 500 is an answer, since a refused caller reached a living server. Others, such as
# tcp://host:port or grpc://host:port: a connection. No certificate is checked: nothing is sent, and nothing believed.
set -uo pipefail
end=$((SECONDS + $1)); shift
answers() {{
  local url=$1 status host port rest
  case $url in
    http://*|https://*)
      status=$(curl --silent --insecure --globoff --max-time 5 --output /dev/null \\
        --write-out '%{{http_code}}' -- "$url")
      case $status in 2??|3??|4??) return 0 ;; *) return 1 ;; esac ;;
  esac
  rest=${{url#*://}}; rest=${{rest%%/*}}; port=${{rest##*:}}; host=${{rest%:*}}; host=${{host#[}}; host=${{host%]}}
  timeout 5 bash -c 'exec 3<>"/dev/tcp/$0/$1"' "$host" "$port" 2>/dev/null
}}
wait_until() {{
  local what=$1; shift
  until "$@"; do
    if [ "$SECONDS" -ge "$end" ]; then
      echo "wait-for: no answer in time from $what: start it, or open its port on the way" >&2
      exit 1
    fi
    sleep 2
  done
}}
if [ "${{1:-}}" = -- ]; then
  shift
  wait_until "$*" "$@"
  exit 0
fi
for url in "$@"; do wait_until "$url" answers "$url"; done
"""


def wait_files(machine: Machine, plan: HostsPlan, hosts: HostsSpec) -> tuple[HostFile, ...]:
    """Return the script where a service waits for another machine or is asked whether it is well."""
    asked = any(
        service.waits_for or (service.health is not None and service.supervisor == Supervisor.SYSTEMD)
        for service in machine.services
    )
    return (HostFile(path=WAIT, text=SCRIPT, mode="0755"),) if asked and is_linux(machine) else ()
