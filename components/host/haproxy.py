"""HAProxy: the whole configuration of a machine's proxies, with health asked of each member.

Source: HAProxy 2.6 configuration manual, "bind", "server", "option httpchk", "tcp-check" and "quoting"
(not opened; the tests ask HAProxy 2.6 itself)
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from typing import Final

from components.host.places import HEAD, bracketed, is_linux
from components.host.proxies import proxies_of, proxy_drop_in
from components.host.quoting import one_line
from skerry.config.host import HostsSpec
from skerry.errors import UsageError
from skerry.hosts.plan import HostFile, HostsPlan, Machine, Member, Proxy, ProxyTls

UNIT: Final = "haproxy.service"
PATH: Final = "/etc/haproxy/haproxy.cfg"
_PLAIN: Final = re.compile(r"^[A-Za-z0-9_./:@,+=\[\]-]+$")
_CRT: Final = ".crt"


def haproxy_files(machine: Machine, plan: HostsPlan, hosts: HostsSpec) -> tuple[HostFile, ...]:
    """Return HAProxy's configuration, and what its unit waits for.

    Raises:
        UsageError: HAProxy cannot do what a proxy asks, or find its key.
    """
    proxies = proxies_of(machine, "haproxy")
    if not proxies:
        return ()
    units = (UNIT,) if is_linux(machine) else ()
    lines = [f"# {HEAD}", *_global(proxies), *(line for proxy in proxies for line in _proxy(proxy))]
    # Not with -q, which keeps what it says against a file to itself.
    check = ("haproxy", "-c", "-f", "{path}")
    conf = HostFile(path=PATH, text="\n".join(lines) + "\n", check=check, enables=units, restarts=units)
    return (conf, *proxy_drop_in(machine, plan, UNIT))


def quoted(text: str) -> str:
    """Return a word as HAProxy reads it back.

    Raises:
        UsageError: it holds a control character.
    """
    one_line(text, "a value of haproxy")
    return text if _PLAIN.match(text) else "'" + text.replace("'", "'\\''") + "'"


def _global(proxies: tuple[Proxy, ...]) -> Iterator[str]:
    yield from (
        "global",
        "  log /dev/log local0",
        "  chroot /var/lib/haproxy",
        "  user haproxy",
        "  group haproxy",
        "  maxconn 4096",
        "  ssl-default-bind-options ssl-min-ver TLSv1.2 no-tls-tickets",
        "  ssl-default-server-options ssl-min-ver TLSv1.2",
    )
    if _by_stem(proxies):
        yield "  ssl-load-extra-del-ext"
    yield from (
        "",
        "defaults",
        "  log global",
        "  option dontlognull",
        "  option redispatch 1",
        "  retries 2",
        "  timeout connect 5s",
        "  timeout client 60s",
        "  timeout server 60s",
        "  timeout http-request 15s",
        "  timeout check 5s",
        "",
    )
    if any(_is_name(member) for proxy in proxies for member in proxy.members):
        yield from ("resolvers system", "  parse-resolv-conf", "  hold valid 10s", "")


def _is_name(member: Member) -> bool:
    try:
        ipaddress.ip_address(member.address)
    except ValueError:
        return True
    return False


def _by_stem(proxies: tuple[Proxy, ...]) -> bool:
    """Return whether HAProxy finds keys by `x.crt` and `x.key`, and not by `x.pem` and `x.pem.key`."""
    pairs = [proxy.tls for proxy in proxies if proxy.tls is not None]
    pairs += [proxy.member_identity for proxy in proxies if proxy.members_tls and proxy.member_identity is not None]
    stems = {_stem(pair) for pair in pairs} - {None}
    if len(stems) > 1:
        raise UsageError(
            "haproxy finds the keys of all its certificates in one way: name all x.crt with x.key, or all x with x.key"
        )
    return stems == {True}


def _stem(tls: ProxyTls) -> bool | None:
    if tls.key == tls.certificate:
        return None
    if tls.certificate.endswith(_CRT) and tls.key == f"{tls.certificate.removesuffix(_CRT)}.key":
        return True
    if tls.key == f"{tls.certificate}.key":
        return False
    raise UsageError(
        f"haproxy finds no key '{tls.key}' for '{tls.certificate}': name them x.crt and x.key, x and x.key, or put "
        "both into one file"
    )


def _proxy(proxy: Proxy) -> Iterator[str]:
    yield f"frontend {quoted(proxy.name)}"
    yield f"  mode {proxy.mode}"
    yield f"  option {'httplog' if proxy.mode == 'http' else 'tcplog'}"
    yield f"  timeout client {proxy.idle_s}s"
    yield f"  bind {bracketed(proxy.listen.bind)}:{proxy.listen.port}{_bind_tls(proxy)}"
    if proxy.redirect is not None:
        yield f"  bind {bracketed(proxy.redirect.bind)}:{proxy.redirect.port}"
        port = "" if proxy.listen.port == 443 else f":{proxy.listen.port}"
        where = f"https://%[req.hdr(host),field(1,:)]{port}%[capture.req.uri]"
        yield f"  http-request redirect code 308 location {where} unless {{ ssl_fc }}"
    if proxy.mode == "http":
        yield from _headers(proxy)
    yield f"  default_backend {quoted(proxy.name)}"
    yield ""
    yield f"backend {quoted(proxy.name)}"
    yield f"  mode {proxy.mode}"
    yield f"  balance {proxy.balance}"
    if proxy.mode == "http":
        # A call over a kept connection to a machine that lost its power is lost; a new one goes to the next member.
        yield "  http-reuse never"
    yield f"  timeout server {proxy.idle_s}s"
    yield f"  timeout tunnel {proxy.idle_s}s"
    yield from _check(proxy)
    yield from (f"  {_server(proxy, member)}" for member in proxy.members)
    yield ""


def _bind_tls(proxy: Proxy) -> str:
    tls = proxy.tls
    if tls is None:
        return ""
    asked = f" ca-file {quoted(tls.client_authority)} verify required" if tls.client_authority else ""
    protocols = " alpn h2,http/1.1" if proxy.mode == "http" else ""
    return f" ssl crt {quoted(tls.certificate)}{asked}{protocols}"


def _headers(proxy: Proxy) -> Iterator[str]:
    if proxy.requests_per_second:
        yield "  stick-table type ipv6 size 100k expire 60s store http_req_rate(1s)"
        yield "  http-request track-sc0 src"
        yield f"  http-request deny deny_status 429 if {{ sc_http_req_rate(0) gt {proxy.requests_per_second} }}"
    yield "  option forwardfor"
    yield f"  http-request set-header X-Forwarded-Proto {'https' if proxy.tls else 'http'}"
    # Set in any case: what a caller writes there itself never reaches a member.
    yield "  http-request del-header X-Client-Verify"
    yield "  http-request del-header X-Client-Subject"
    if proxy.tls is not None and proxy.tls.client_authority:
        yield "  http-request set-header X-Client-Verify SUCCESS"
        yield "  http-request set-header X-Client-Subject %{+Q}[ssl_c_s_dn]"


def _check(proxy: Proxy) -> Iterator[str]:
    if proxy.health_path:
        yield "  option httpchk"
        host = quoted(proxy.name)
        yield f"  http-check send meth GET uri {quoted(proxy.health_path)} ver HTTP/1.1 hdr Host {host}"
        yield "  http-check expect status 200-299"
    elif proxy.health_send or proxy.health_expect:
        yield "  option tcp-check"
        yield "  tcp-check connect default"
        if proxy.health_send:
            one_line(proxy.health_send, f"health_send of proxy {proxy.name}")
            sent = re.sub(r'([\\"$])', r"\\\1", proxy.health_send)
            yield f'  tcp-check send "{sent}\\r\\n"'
        if proxy.health_expect:
            yield f"  tcp-check expect string {quoted(proxy.health_expect)}"


def _server(proxy: Proxy, member: Member) -> str:
    words = ["server", quoted(member.name), f"{bracketed(member.address)}:{member.port}"]
    words.append("check inter 3s fall 3 rise 2 on-marked-down shutdown-sessions")
    if member.backup:
        words.append("backup")
    if _is_name(member):
        words.append("resolvers system init-addr last,libc,none")
    if proxy.members_tls:
        words.append(_member_tls(proxy, member))
    return " ".join(words)


def _member_tls(proxy: Proxy, member: Member) -> str:
    identity = proxy.member_identity
    if identity is None:
        return "ssl verify none"
    shown = f" crt {quoted(identity.certificate)}"
    if not identity.client_authority:
        return f"ssl verify none{shown}"
    # HAProxy looks for names of hosts in a certificate, and for no addresses.
    name = quoted(member.certificate_name or (member.address if _is_name(member) else proxy.name))
    return f"ssl verify required ca-file {quoted(identity.client_authority)} verifyhost {name}{shown}"
