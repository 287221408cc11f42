"""nginx and HAProxy: what their files say, and that the programs take them."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from skerry.errors import UsageError
from skerry.hosts.plan import Member, Proxy, ProxyTls
from tests.simulators.odd_hosts import alone, laid, listen, odd_files, odd_proxies

NGINX = "/etc/nginx/nginx.conf"
HAPROXY = "/etc/haproxy/haproxy.cfg"
TLS = ProxyTls(certificate="/etc/odd/tls.crt", key="/etc/odd/tls.key")
MUTUAL = replace(TLS, client_authority="/etc/odd/ca.crt")
MEMBERS = (Member(name="a", address="198.18.0.2", port=8787), Member(name="b", address="198.18.0.3", port=8787))


def proxy(**fields: Any) -> Proxy:
    given = {"name": "gate", "kind": "nginx", "listen": listen(8080), "members": MEMBERS}
    return Proxy(**{**given, **fields})


def lines(**fields: Any) -> list[str]:
    """Return the lines of a proxy's file, without their indents."""
    row = proxy(**fields)
    text = odd_files(**alone(proxies=(row,)))[NGINX if row.kind == "nginx" else HAPROXY].text
    return [line.strip() for line in text.splitlines()]


SAID: dict[str, tuple[Any, ...]] = {
    "nginx passes on to each member, and leaves one that fails": (
        {},
        ("least_conn;", "server 198.18.0.2:8787 max_fails=3 fail_timeout=10s;", "proxy_pass http://gate;"),
    ),
    "nginx asks the next member where one fails": (
        {},
        ("proxy_next_upstream error timeout http_502 http_503 http_504;", "proxy_next_upstream_tries 2;"),
    ),
    "nginx lets another protocol through, and sends events on at once": (
        {"idle_s": 3600},
        (
            "proxy_set_header Upgrade $http_upgrade;",
            "proxy_set_header Connection $connection_upgrade;",
            "proxy_buffering off;",
            "proxy_read_timeout 3600s;",
        ),
    ),
    "nginx in turn": ({"balance": "roundrobin"}, ("server 198.18.0.3:8787 max_fails=3 fail_timeout=10s;",)),
    "nginx by caller": ({"balance": "source"}, ("ip_hash;",)),
    "nginx speaks TLS 1.2 and 1.3": (
        {"tls": TLS},
        ("listen 0.0.0.0:8080 ssl;", "ssl_protocols TLSv1.2 TLSv1.3;", "ssl_certificate /etc/odd/tls.crt;"),
    ),
    "nginx asks callers for a certificate": (
        {"tls": MUTUAL},
        ("ssl_client_certificate /etc/odd/ca.crt;", "ssl_verify_client on;"),
    ),
    "nginx says who called, whatever the caller says": (
        {},
        ("proxy_set_header X-Client-Verify $ssl_client_verify;", "proxy_set_header X-Forwarded-Proto $scheme;"),
    ),
    "nginx limits requests of one caller": (
        {"requests_per_second": 20},
        (
            "limit_req_zone $binary_remote_addr zone=gate:10m rate=20r/s;",
            "limit_req zone=gate burst=40 nodelay;",
            "limit_req_status 429;",
        ),
    ),
    "nginx redirects only where asked": (
        {"tls": TLS, "listen": listen(443), "redirect": listen(80)},
        ("listen 0.0.0.0:80;", "return 308 https://$host$request_uri;"),
    ),
    "nginx redirects to another port": (
        {"tls": TLS, "listen": listen(8443), "redirect": listen(80)},
        ("return 308 https://$host:8443$request_uri;",),
    ),
    "nginx knows members by their authority": (
        {"members_tls": True, "member_identity": MUTUAL},
        ("proxy_pass https://gate;", "proxy_ssl_verify on;", "proxy_ssl_trusted_certificate /etc/odd/ca.crt;"),
    ),
    "nginx knows members by the name of their certificates": (
        {
            "members_tls": True,
            "member_identity": MUTUAL,
            "members": tuple(replace(row, certificate_name="mesh") for row in MEMBERS),
        },
        ("proxy_ssl_name mesh;",),
    ),
    "haproxy knows a member by its name": (
        {
            "kind": "haproxy",
            "members_tls": True,
            "member_identity": MUTUAL,
            "members": (replace(MEMBERS[0], certificate_name="one"),),
        },
        (
            "server a 198.18.0.2:8787 check inter 3s fall 3 rise 2 on-marked-down shutdown-sessions ssl verify "
            "required ca-file /etc/odd/ca.crt verifyhost one crt /etc/odd/tls.crt",
        ),
    ),
    "nginx keeps a spare member": (
        {"members": (*MEMBERS, Member(name="c", address="::1", port=1, backup=True))},
        ("server [::1]:1 max_fails=3 fail_timeout=10s backup;",),
    ),
    "nginx passes on gRPC": (
        {"listen": listen(8080, scheme="grpc")},
        ("listen 0.0.0.0:8080 http2;", "grpc_pass grpc://gate;", "grpc_read_timeout 60s;"),
    ),
    "nginx passes on UDP": (
        {"mode": "tcp", "listen": listen(4433, protocol="udp")},
        ("listen 0.0.0.0:4433 udp;", "proxy_timeout 60s;"),
    ),
    "nginx has no name and no port of its own": ({}, ("server_tokens off;",)),
    "haproxy asks each member for its health": (
        {"kind": "haproxy", "health_path": "/health"},
        (
            "option httpchk",
            "http-check send meth GET uri /health ver HTTP/1.1 hdr Host gate",
            "http-check expect status 200-299",
            "server a 198.18.0.2:8787 check inter 3s fall 3 rise 2 on-marked-down shutdown-sessions",
        ),
    ),
    "haproxy balances by fewest connections": ({"kind": "haproxy"}, ("balance leastconn", "mode http")),
    "haproxy asks a store for its role": (
        {"kind": "haproxy", "mode": "tcp", "health_send": "INFO replication", "health_expect": "role:master"},
        ("option tcp-check", 'tcp-check send "INFO replication\\r\\n"', "tcp-check expect string role:master"),
    ),
    "haproxy keeps a spare member": (
        {"kind": "haproxy", "members": (*MEMBERS, Member(name="c", address="198.18.0.4", port=1, backup=True))},
        ("server c 198.18.0.4:1 check inter 3s fall 3 rise 2 on-marked-down shutdown-sessions backup",),
    ),
    "haproxy starts though a name is not known yet": (
        {"kind": "haproxy", "members": (Member(name="c", address="replica1", port=8080),)},
        (
            "resolvers system",
            "server c replica1:8080 check inter 3s fall 3 rise 2 on-marked-down shutdown-sessions resolvers system "
            "init-addr last,libc,none",
        ),
    ),
    "haproxy asks callers for a certificate": (
        {"kind": "haproxy", "tls": MUTUAL},
        ("bind 0.0.0.0:8080 ssl crt /etc/odd/tls.crt ca-file /etc/odd/ca.crt verify required alpn h2,http/1.1",),
    ),
    "haproxy speaks TLS 1.2 and later": (
        {"kind": "haproxy"},
        ("ssl-default-bind-options ssl-min-ver TLSv1.2 no-tls-tickets",),
    ),
    "haproxy finds a key beside its certificate": ({"kind": "haproxy", "tls": TLS}, ("ssl-load-extra-del-ext",)),
    "haproxy finds the key that it shows members": (
        {"kind": "haproxy", "members_tls": True, "member_identity": MUTUAL},
        (
            "ssl-load-extra-del-ext",
            "server a 198.18.0.2:8787 check inter 3s fall 3 rise 2 on-marked-down shutdown-sessions ssl verify "
            "required ca-file /etc/odd/ca.crt verifyhost gate crt /etc/odd/tls.crt",
        ),
    ),
    "haproxy lets a quiet connection live": (
        {"kind": "haproxy", "idle_s": 900},
        ("timeout client 900s", "timeout server 900s", "timeout tunnel 900s"),
    ),
    "haproxy limits requests of one caller": (
        {"kind": "haproxy", "requests_per_second": 20},
        ("http-request deny deny_status 429 if { sc_http_req_rate(0) gt 20 }",),
    ),
}


@pytest.mark.parametrize("sentence", SAID)
def test_what_a_proxy_says(sentence: str) -> None:
    fields, expected = SAID[sentence]
    found = lines(**fields)
    assert list(expected) == [line for line in expected if line in found]


def test_nothing_plain_is_offered_beside_tls_unless_asked() -> None:
    for kind in ("nginx", "haproxy"):
        heads = ("listen ", "bind ")
        assert len([line for line in lines(kind=kind, tls=TLS) if line.startswith(heads)]) == 1


REFUSED: dict[str, tuple[Any, ...]] = {
    "a program that nobody knows": (
        {"kind": "traefik"},
        "proxy gate: kind 'traefik' is not known: use nginx or haproxy",
    ),
    "a balance that nobody knows": ({"balance": "random"}, "balance 'random' is not known: use leastconn"),
    "no member": ({"members": ()}, "proxy gate has no member"),
    "a redirect to what is plain": ({"redirect": listen(80)}, "proxy gate: callers are redirected to TLS, and it has"),
    "requests counted in a stream": ({"mode": "tcp", "requests_per_second": 1}, "requests are counted in mode http"),
    "UDP through haproxy": (
        {"kind": "haproxy", "mode": "tcp", "listen": listen(1, protocol="udp")},
        "haproxy does not balance UDP: use nginx in mode tcp",
    ),
    "health that nginx does not ask": ({"mode": "tcp", "health_send": "PING"}, "nginx asks no member for its health"),
    "a range of ports": ({"listen": listen(80, last=90)}, "proxy gate listens on one port: 80-90 are several"),
    "UDP under TLS": (
        {"mode": "tcp", "tls": TLS, "listen": listen(1, protocol="udp")},
        "UDP is passed on as it is, in mode tcp and without tls",
    ),
    "a spare member by caller": (
        {"balance": "source", "members": (Member(name="a", address="h", port=1, backup=True),)},
        "nginx keeps no backup member by source: use leastconn, or haproxy",
    ),
    "members by several names through nginx": (
        {
            "members_tls": True,
            "member_identity": MUTUAL,
            "members": tuple(replace(row, certificate_name=row.name) for row in MEMBERS),
        },
        "nginx knows all its members by one name of their certificates, and these have a, b",
    ),
    "a dollar sign in nginx": ({"tls": replace(TLS, key="/a$b")}, "nginx has no way to write '/a$b'"),
    "a key that haproxy does not find": (
        {"kind": "haproxy", "tls": replace(TLS, key="/etc/odd/other.pem")},
        "haproxy finds no key '/etc/odd/other.pem' for '/etc/odd/tls.crt'",
    ),
}


@pytest.mark.parametrize("sentence", REFUSED)
def test_what_a_proxy_cannot_do_is_refused(sentence: str) -> None:
    fields, expected = REFUSED[sentence]
    with pytest.raises(UsageError) as caught:
        lines(**fields)
    assert expected in str(caught.value)


def test_keys_in_two_ways_are_refused() -> None:
    other = ProxyTls(certificate="/etc/odd/b.pem", key="/etc/odd/b.pem.key")
    rows = (proxy(kind="haproxy", tls=TLS), proxy(name="other", kind="haproxy", listen=listen(2), tls=other))
    with pytest.raises(UsageError) as caught:
        odd_files(**alone(proxies=rows))
    assert "haproxy finds the keys of all its certificates in one way" in str(caught.value)


def test_a_proxy_waits_for_the_overlay_and_is_started_again() -> None:
    text = odd_files(**alone(proxies=(proxy(),)))["/etc/systemd/system/nginx.service.d/skerry.conf"].text
    assert "After=network-online.target wg-quick@agent_net.service\n" in text
    assert "Restart=on-failure\n" in text


@pytest.fixture
def asked(tmp_path: Path, need_tool: Callable[[str], str]) -> Callable[[tuple[Proxy, ...], str], str]:
    """Return what gives proxies' files to their program and returns its refusal."""
    words = {"nginx": (NGINX, "-t", "-q", "-c"), "haproxy": (HAPROXY, "-c", "-f")}

    def ask(proxies: tuple[Proxy, ...], kind: str) -> str:
        files = odd_files(**alone(proxies=proxies))
        laid(files, tmp_path, ("/etc/odd/", "/run/nginx.pid", "/var/log/nginx/"))
        (tmp_path / "run").mkdir(exist_ok=True)
        (tmp_path / "var/log/nginx").mkdir(parents=True, exist_ok=True)
        _certificate(need_tool("openssl"), tmp_path / "etc/odd")
        path, *options = words[kind]
        # A network of its own: nginx binds its ports even when it is only asked.
        command = ["unshare", "--net", need_tool(kind), *options, f"{tmp_path}{path}"]
        if os.geteuid() != 0:
            pytest.skip("a network of its own needs root")
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return f"{done.returncode} {done.stderr}" if done.returncode else ""

    return ask


def _certificate(openssl: str, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    new = ("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2")
    files = ("-keyout", folder / "tls.key", "-out", folder / "tls.crt", "-subj", "/CN=odd")
    subprocess.run([openssl, *new, *files], capture_output=True, check=True)
    (folder / "ca.crt").write_bytes((folder / "tls.crt").read_bytes())


@pytest.mark.parametrize("kind", ["nginx", "haproxy"])
def test_the_program_takes_odd_proxies(kind: str, asked: Callable[[tuple[Proxy, ...], str], str]) -> None:
    rows = tuple(replace(row, listen=replace(row.listen, bind="127.0.0.1")) for row in odd_proxies())
    assert asked(rows, kind) == ""


def test_nginx_is_asked_though_the_overlay_is_not_up(tmp_path: Path, need_tool: Callable[[str], str]) -> None:
    if os.geteuid() != 0:
        pytest.skip("a network of its own needs root")
    rows = (proxy(listen=listen(8787, bind="10.77.0.1")), proxy(name="b", listen=listen(8788, bind="10.77.0.1")))
    file = odd_files(**alone(proxies=rows))[NGINX]
    waiting = tmp_path / "nginx.conf"
    waiting.write_text(file.text)
    words = [word.replace("{path}", f"{waiting}") for word in file.check]
    need_tool("nginx")
    network = ["unshare", "--net", "sh", "-c", 'ip link set lo up; exec "$@"', "sh"]
    assert subprocess.run([*network, *words], capture_output=True, text=True, check=False).stderr == ""
    assert [path.name for path in tmp_path.iterdir()] == ["nginx.conf"]
    waiting.write_text(file.text.replace("least_conn;", "least_con;"))
    done = subprocess.run([*network, *words], capture_output=True, text=True, check=False)
    assert (done.returncode, 'unknown directive "least_con"' in done.stderr) == (1, True)
