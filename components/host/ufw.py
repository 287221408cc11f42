"""ufw: one idempotent script whose lines are those that people type, and which takes back what it allowed before.

Docker's published ports pass ufw by; a second script puts them behind the same sources in the chain DOCKER-USER.
Source: ufw(8) 0.36.2; docs.docker.com "Docker and ufw" (neither opened; the tests ask ufw itself)
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import Final

from components.host.compose import published
from components.host.places import COMPOSE_BRIDGE, HEAD, LIB, UNITS, has_firewall
from components.host.quoting import one_line
from components.host.rules import Rule, listens_of, rules_of
from skerry.config.host import FirewallKind, HostsSpec
from skerry.hosts.plan import HostFile, HostsPlan, Machine

SCRIPT: Final = f"{LIB}/firewall"
DOCKER_SCRIPT: Final = f"{LIB}/firewall-docker"
DOCKER_UNIT: Final = "skerry-firewall-docker.service"
APPLIED: Final = "/var/lib/skerry/ufw-rules"


def ufw_files(machine: Machine, plan: HostsPlan, hosts: HostsSpec) -> tuple[HostFile, ...]:
    """Return the script of a machine's rules, and what holds ports that Docker publishes.

    Raises:
        UsageError: a source is no address range, or a comment cannot be written.
    """
    if not has_firewall(machine, hosts, FirewallKind.UFW):
        return ()
    rules = rules_of(machine, plan, hosts)
    script = HostFile(
        path=SCRIPT, text=_script(machine, rules), mode="0755", commands=((SCRIPT,),), enables=("ufw.service",)
    )
    return (script, *_docker(machine, rules))


def _script(machine: Machine, rules: tuple[Rule, ...]) -> str:
    words = {" ".join(_words(rule)): rule.comment for rule in rules if not rule.forwarded}
    if any(row.scheme == "multicast" for row in listens_of(machine)):
        words["allow proto igmp from any to 224.0.0.0/4"] = "Who is in which group"
    allowed = "\n".join(f"ufw {line} comment {_comment(text)}" for line, text in words.items())
    return f"""\
#!/bin/sh
# {HEAD}
# Lets in what is listed and nothing else; may be run again at any time.
set -eu
applied={APPLIED}
wanted=$(cat <<'RULES'
{chr(10).join(words)}
RULES
)
mkdir -p "$(dirname "$applied")"
[ ! -e "$applied" ] || while IFS= read -r rule; do
  printf '%s\\n' "$wanted" | grep -qxF -e "$rule" && continue
  [ -z "$rule" ] || ufw --force delete $rule
done < "$applied"
ufw default deny incoming
ufw default allow outgoing
{allowed}
printf '%s\\n' "$wanted" > "$applied"
ufw --force enable
"""


def _words(rule: Rule) -> Iterator[str]:
    ports = str(rule.port) if rule.port == rule.last else f"{rule.port}:{rule.last}"
    yield "allow"
    if not rule.source and not rule.interface:
        yield f"{ports}/{rule.protocol}"
        return
    if rule.interface:
        yield f"in on {rule.interface}"
    if rule.source:
        yield f"from {rule.source}"
    yield f"to any port {ports} proto {rule.protocol}"


def _comment(text: str) -> str:
    """Return a comment as the shell reads it, between double quotes where nothing in it is of the shell's."""
    # ufw takes no single quote in a comment.
    plain = one_line(text, "a rule's comment").replace("'", "")
    return f'"{plain}"' if not set(plain) & set('"\\$`!') else shlex.quote(plain)


def _docker(machine: Machine, rules: tuple[Rule, ...]) -> tuple[HostFile, ...]:
    if not published(machine):
        return ()
    lines = "\n".join(_docker_lines(rules))
    text = f"""\
#!/bin/sh
# {HEAD}
# Ports that Docker publishes never pass ufw: the chain DOCKER-USER lets in the same sources, by the port before
# translation, and drops what else would reach a container. May be run again at any time.
set -eu
for tables in iptables ip6tables; do
  "$tables" --wait --new-chain DOCKER-USER 2>/dev/null || "$tables" --wait --flush DOCKER-USER
  "$tables" --wait --append DOCKER-USER --match conntrack --ctstate RELATED,ESTABLISHED --jump RETURN
  "$tables" --wait --append DOCKER-USER --in-interface docker0 --jump RETURN
  "$tables" --wait --append DOCKER-USER --in-interface {COMPOSE_BRIDGE} --jump RETURN
done
allow() {{
  tables=$1; shift
  "$tables" --wait --append DOCKER-USER --out-interface {COMPOSE_BRIDGE} "$@" --jump RETURN
}}
{lines}
for tables in iptables ip6tables; do
  "$tables" --wait --append DOCKER-USER --out-interface {COMPOSE_BRIDGE} --jump DROP
done
"""
    unit = f"""\
# {HEAD}
[Unit]
Description=Firewall of published ports
After=docker.service
PartOf=docker.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart={DOCKER_SCRIPT}
ExecReload={DOCKER_SCRIPT}

[Install]
WantedBy=docker.service
"""
    return (
        HostFile(path=DOCKER_SCRIPT, text=text, mode="0755", restarts=(DOCKER_UNIT,)),
        HostFile(
            path=f"{UNITS}/{DOCKER_UNIT}",
            text=unit,
            commands=(("systemctl", "daemon-reload"),),
            enables=(DOCKER_UNIT,),
            restarts=(DOCKER_UNIT,),
        ),
    )


def _docker_lines(rules: tuple[Rule, ...]) -> Iterator[str]:
    for rule in rules:
        if not rule.forwarded:
            continue
        ports = str(rule.port) if rule.port == rule.last else f"{rule.port}:{rule.last}"
        words = [f"--protocol {rule.protocol} --match conntrack --ctorigdstport {ports} --ctdir ORIGINAL"]
        if rule.interface:
            words.insert(0, f"--in-interface {rule.interface}")
        if rule.source:
            words.insert(0, f"--source {rule.source}")
        tables = ("ip6tables",) if ":" in rule.source else ("iptables",) if rule.source else ("iptables", "ip6tables")
        yield from (f"allow {name} {' '.join(words)}" for name in tables)
