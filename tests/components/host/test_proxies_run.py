"""nginx and HAProxy at work on a machine: members that fail, callers without certificates, headers that lie."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from skerry.hosts.plan import Member, Proxy, ProxyTls
from tests.simulators.hosts import SimulatedHost
from tests.simulators.odd_hosts import alone, listen, odd_files

MEMBER = """#!/usr/bin/python3
import http.server, json, sys
class Answer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        shown = {name.lower(): text for name, text in self.headers.items()}
        body = json.dumps({"member": sys.argv[1], **shown}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_): pass
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2])), Answer).serve_forever()
"""
KEYS = """
set -e
mkdir -p /etc/odd && cd /etc/odd
new="openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
$new -keyout ca.key -out ca.crt -subj /CN=authority
$new -keyout stranger.key -out stranger.crt -subj /CN=stranger
for name in tls caller; do
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout $name.key -out $name.csr -subj /CN=$name
  openssl x509 -req -in $name.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -out $name.crt
done
"""
TLS = ProxyTls(certificate="/etc/odd/tls.crt", key="/etc/odd/tls.key", client_authority="/etc/odd/ca.crt")
MEMBERS = (Member(name="a", address="127.0.0.1", port=9101), Member(name="b", address="127.0.0.1", port=9102))
SPARE = Member(name="spare", address="127.0.0.1", port=9103, backup=True)
FIRST = {"nginx": 9200, "haproxy": 9300}


def proxies(kind: str) -> tuple[Proxy, ...]:
    """Return a plain one, one with certificates and one with a limit."""
    first = FIRST[kind]
    members, here = (*MEMBERS, SPARE), listen(first, bind="127.0.0.1")
    plain = Proxy(name=f"{kind}-plain", kind=kind, listen=here, members=members, health_path="/")
    mutual = replace(
        plain,
        name=f"{kind}-mutual",
        listen=listen(first + 1, bind="127.0.0.1"),
        tls=TLS,
        redirect=listen(first + 2, bind="127.0.0.1"),
    )
    limited = replace(plain, name=f"{kind}-limited", listen=listen(first + 3, bind="127.0.0.1"), requests_per_second=5)
    return plain, mutual, limited


@pytest.fixture(scope="module")
def serving(machine: SimulatedHost) -> SimulatedHost:
    """Return a machine on which both proxies stand before three members."""
    machine.run(KEYS)
    machine.write("/opt/member", MEMBER, "0755")
    for member in (*MEMBERS, SPARE):
        machine.run(f"systemd-run --quiet --unit=member-{member.name} /opt/member {member.name} {member.port}")
    files = odd_files(hosts={"overlay": None}, **alone(proxies=(*proxies("nginx"), *proxies("haproxy"))))
    for path, file in files.items():
        if "nginx" in path or "haproxy" in path:
            machine.write(path, file.text, file.mode)
    machine.run("systemctl daemon-reload; systemctl restart nginx.service haproxy.service")
    print(
        machine.run("systemctl status haproxy; haproxy -Ws -f /etc/haproxy/haproxy.cfg & sleep 3; kill $!", check=False)
    )
    for first in FIRST.values():
        machine.wait_for(f"curl -fsS -o /dev/null http://127.0.0.1:{first}/")
    return machine


def asked(machine: SimulatedHost, words: str) -> str:
    """Return what a call answers, or its status."""
    return machine.run(f"curl -sk -m 5 -w '%{{http_code}}' {words}", check=False).stdout


kinds = pytest.mark.parametrize("kind", sorted(FIRST))


@kinds
def test_a_caller_shows_a_certificate_of_the_authority(serving: SimulatedHost, kind: str) -> None:
    url = f"https://127.0.0.1:{FIRST[kind] + 1}/"
    assert asked(serving, url)[-3:] in ("000", "400")
    assert asked(serving, f"--cert /etc/odd/stranger.crt --key /etc/odd/stranger.key {url}")[-3:] in ("000", "400")
    assert asked(serving, f"--cert /etc/odd/caller.crt --key /etc/odd/caller.key {url}")[-3:] == "200"
    assert asked(serving, f"--tls-max 1.1 --cert /etc/odd/caller.crt --key /etc/odd/caller.key {url}")[-3:] == "000"


@kinds
def test_a_member_hears_who_called_from_the_proxy_alone(serving: SimulatedHost, kind: str) -> None:
    lie = "-H 'X-Client-Verify: SUCCESS' -H 'X-Client-Subject: CN=boss' -H 'X-Forwarded-Proto: https'"
    plain = json.loads(asked(serving, f"{lie} http://127.0.0.1:{FIRST[kind]}/")[:-3])
    assert (plain.get("x-client-verify", "").replace("NONE", ""), plain["x-forwarded-proto"]) == ("", "http")
    assert "boss" not in plain.get("x-client-subject", "")
    url = f"--cert /etc/odd/caller.crt --key /etc/odd/caller.key https://127.0.0.1:{FIRST[kind] + 1}/"
    known = json.loads(asked(serving, f"{lie} {url}")[:-3])
    assert (
        known["x-client-verify"],
        known["x-forwarded-proto"],
        "caller" in known["x-client-subject"],
    ) == ("SUCCESS", "https", True)


@kinds
def test_the_plain_port_sends_callers_on(serving: SimulatedHost, kind: str) -> None:
    shown = asked(serving, f"-D - -o /dev/null http://127.0.0.1:{FIRST[kind] + 2}/a?b=c")
    assert f"location: https://127.0.0.1:{FIRST[kind] + 1}/a?b=c" in shown.lower()
    assert shown.endswith("308")


@kinds
def test_a_caller_that_asks_too_often_is_told(serving: SimulatedHost, kind: str) -> None:
    url = f"http://127.0.0.1:{FIRST[kind] + 3}/"
    shown = serving.run(
        f"curl -s -o /dev/null -w '%{{http_code}}\\n' $(for i in $(seq 40); do echo {url}; done)"
    ).stdout
    codes = {code for code in shown.split() if len(code) == 3 and code.isdigit()}
    assert "429" in codes
    assert "200" in {asked(serving, f"http://127.0.0.1:{FIRST[kind]}/")[-3:]}


@kinds
def test_callers_go_on_while_members_fail_and_come_back(serving: SimulatedHost, kind: str) -> None:
    url = f"http://127.0.0.1:{FIRST[kind]}/"

    def members(times: int = 12) -> set[str]:
        return {json.loads(asked(serving, url)[:-3])["member"] for _ in range(times)}

    assert members() == {"a", "b"}
    serving.run("systemctl stop member-a")
    assert members() == {"b"}
    serving.run("systemctl stop member-b")
    serving.wait_for(f"curl -fsS {url} | grep -q spare")
    assert members() == {"spare"}
    for member in MEMBERS:
        serving.run(f"systemd-run --quiet --unit=member-{member.name} /opt/member {member.name} {member.port}")
    serving.wait_for(f"curl -fsS {url} | grep -q '\"a\"'", 40)
    serving.wait_for(f"curl -fsS {url} | grep -q '\"b\"'", 40)
