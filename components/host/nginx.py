"""nginx: the whole configuration of a machine's proxies, so that no site of the distribution stands beside them.

Source: nginx.org ngx_http_upstream_module, ngx_http_proxy_module, ngx_http_ssl_module, ngx_http_limit_req_module,
ngx_stream_core_module (not opened; the tests ask nginx 1.22 itself)
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from components.host.places import HEAD, bracketed, is_linux
from components.host.proxies import checked_proxy, proxies_of, proxy_drop_in
from skerry.config.host import HostsSpec
from skerry.errors import UsageError
from skerry.hosts.plan import HostFile, HostsPlan, Machine, Proxy

UNIT: Final = "nginx.service"
PATH: Final = "/etc/nginx/nginx.conf"
MAX_FAILS: Final = 3
FAIL_S: Final = 10
BODY: Final = "100m"
"""The largest request body."""
_PLAIN: Final = re.compile(r"^[A-Za-z0-9_./:@,+=\[\]-]+$")


def nginx_files(machine: Machine, plan: HostsPlan, hosts: HostsSpec) -> tuple[HostFile, ...]:
    """Return nginx's configuration, and what its unit waits for.

    Raises:
        UsageError: nginx cannot do what a proxy asks, or cannot hold one of its values.
    """
    proxies = proxies_of(machine, "nginx")
    if not proxies:
        return ()
    units = (UNIT,) if is_linux(machine) else ()
    text = "\n".join([f"# {HEAD}", *_main(proxies)]) + "\n"
    conf = HostFile(path=PATH, text=text, check=_check(machine, proxies), enables=units, restarts=units)
    return (conf, *proxy_drop_in(machine, plan, UNIT))


def _check(machine: Machine, proxies: tuple[Proxy, ...]) -> tuple[str, ...]:
    """Return what asks nginx, which binds addresses even then: that of an overlay is not there at the first time."""
    asks = ("nginx", "-t", "-q", "-c", "{path}")
    own = machine.spec.overlay.address if machine.spec.overlay is not None else ""
    if own not in {proxy.listen.bind for proxy in proxies}:
        return asks
    moved = f"s/listen {re.escape(own)}:/listen 127.0.0.1:/"
    script = f'sed \'{moved}\' "$0" > "$0.asked" && nginx -t -q -c "$0.asked"; code=$?; rm -f "$0.asked"; exit $code'
    return ("sh", "-c", script, "{path}")


def quoted(text: str) -> str:
    """Return a word as nginx reads it back.

    Raises:
        UsageError: it holds a dollar sign, for which nginx has no escape, or a control character.
    """
    if "$" in text or any(ord(char) < 32 for char in text):
        raise UsageError(f"nginx has no way to write {text!r}: take out the dollar sign or the control character")
    if _PLAIN.match(text):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _main(proxies: tuple[Proxy, ...]) -> Iterator[str]:
    web = [proxy for proxy in proxies if proxy.mode == "http"]
    streams = [proxy for proxy in proxies if proxy.mode != "http"]
    yield from ("user www-data;", "worker_processes auto;", "pid /run/nginx.pid;")
    yield "error_log /var/log/nginx/error.log warn;"
    if streams:
        yield "include /etc/nginx/modules-enabled/*.conf;"
    yield from _block("events", ["worker_connections 4096;"])
    if web:
        yield from _block("http", _http(web))
    if streams:
        yield from _block("stream", [line for proxy in streams for line in _stream(proxy)])


def _block(head: str, lines: Iterable[str]) -> Iterator[str]:
    yield f"{head} {{"
    yield from (f"  {line}" for line in lines)
    yield "}"


def _http(proxies: list[Proxy]) -> Iterator[str]:
    yield from (
        "server_tokens off;",
        "access_log /var/log/nginx/access.log;",
        f"client_max_body_size {BODY};",
        "client_header_timeout 15s;",
        "client_body_timeout 60s;",
        "limit_req_status 429;",
        "# A caller that asks for another protocol, such as WebSocket, gets it.",
        "map $http_upgrade $connection_upgrade { default upgrade; '' ''; }",
    )
    for proxy in proxies:
        if proxy.requests_per_second:
            rate = f"rate={proxy.requests_per_second}r/s"
            yield f"limit_req_zone $binary_remote_addr zone={quoted(proxy.name)}:10m {rate};"
    for proxy in proxies:
        # No connection to a member is kept: over one to a machine that lost its power, a call would wait for its answer
        # (proxy_read_timeout), and a new one fails after proxy_connect_timeout and goes to the next member.
        yield from _block(f"upstream {quoted(proxy.name)}", _members(proxy))
        yield from _block("server", _server(proxy))
        if proxy.redirect is not None:
            row = proxy.redirect
            port = "" if proxy.listen.port == 443 else f":{proxy.listen.port}"
            lines = [f"listen {_address(row.bind, row.port)};", f"return 308 https://$host{port}$request_uri;"]
            yield from _block("server", lines)


def _address(bind: str, port: int) -> str:
    return f"{bracketed(bind)}:{port}"


def _members(proxy: Proxy) -> Iterator[str]:
    hashes = {"http": "ip_hash;", "tcp": "hash $remote_addr consistent;"}
    method = {"leastconn": "least_conn;", "roundrobin": "", "source": hashes[proxy.mode]}[proxy.balance]
    if method:
        yield method
    for member in proxy.members:
        if member.backup and proxy.balance == "source":
            raise UsageError(f"proxy {proxy.name}: nginx keeps no backup member by source: use leastconn, or haproxy")
        last = " backup" if member.backup else ""
        address = quoted(_address(member.address, member.port))
        yield f"server {address} max_fails={MAX_FAILS} fail_timeout={FAIL_S}s{last};"


def _server(proxy: Proxy) -> Iterator[str]:
    row = proxy.listen
    grpc = row.scheme in ("grpc", "grpcs")
    words = [_address(row.bind, row.port), *(["ssl"] if proxy.tls else []), *(["http2"] if grpc else [])]
    yield f"listen {' '.join(words)};"
    if proxy.tls is not None:
        yield from _tls(proxy)
    if proxy.requests_per_second:
        yield f"limit_req zone={quoted(proxy.name)} burst={2 * proxy.requests_per_second} nodelay;"
    yield f"keepalive_timeout {proxy.idle_s}s;"
    yield from _block("location /", _location(proxy, "grpc" if grpc else "proxy"))


def _tls(proxy: Proxy) -> Iterator[str]:
    tls = proxy.tls
    assert tls is not None  # noqa: S101  asked by the caller
    yield f"ssl_certificate {quoted(tls.certificate)};"
    yield f"ssl_certificate_key {quoted(tls.key)};"
    yield "ssl_protocols TLSv1.2 TLSv1.3;"
    yield f"ssl_session_cache shared:{proxy.mode}_tls:10m;"
    yield "ssl_session_tickets off;"
    if tls.client_authority:
        yield f"ssl_client_certificate {quoted(tls.client_authority)};"
        yield "ssl_verify_client on;"
        yield "ssl_verify_depth 3;"


def _location(proxy: Proxy, kind: str) -> Iterator[str]:
    name = quoted(proxy.name)
    if kind == "grpc":
        yield f"grpc_pass {'grpcs' if proxy.members_tls else 'grpc'}://{name};"
    else:
        yield f"proxy_pass {'https' if proxy.members_tls else 'http'}://{name};"
        yield "proxy_http_version 1.1;"
        yield "proxy_set_header Upgrade $http_upgrade;"
        yield "proxy_set_header Connection $connection_upgrade;"
        yield "# Events reach the caller when they are sent, not when a buffer is full."
        yield "proxy_buffering off;"
    yield f"{kind}_set_header Host $host;"
    yield f"{kind}_set_header X-Real-IP $remote_addr;"
    yield f"{kind}_set_header X-Forwarded-For $proxy_add_x_forwarded_for;"
    yield f"{kind}_set_header X-Forwarded-Proto $scheme;"
    # Set in any case: what a caller writes there itself never reaches a member.
    yield f"{kind}_set_header X-Client-Verify $ssl_client_verify;"
    yield f"{kind}_set_header X-Client-Subject $ssl_client_s_dn;"
    yield f"{kind}_connect_timeout 5s;"
    yield f"{kind}_read_timeout {proxy.idle_s}s;"
    yield f"{kind}_send_timeout {proxy.idle_s}s;"
    yield f"{kind}_next_upstream error timeout http_502 http_503 http_504;"
    yield f"{kind}_next_upstream_tries {max(2, len(proxy.members))};"
    yield f"{kind}_next_upstream_timeout 30s;"
    if proxy.members_tls:
        yield from _member_tls(proxy, kind)


def _member_tls(proxy: Proxy, kind: str) -> Iterator[str]:
    yield f"{kind}_ssl_protocols TLSv1.2 TLSv1.3;"
    yield f"{kind}_ssl_server_name on;"
    identity = proxy.member_identity
    if identity is None:
        return
    names = sorted({member.certificate_name or proxy.name for member in proxy.members})
    if len(names) > 1:
        raise UsageError(
            f"proxy {proxy.name}: nginx knows all its members by one name of their certificates, and these have "
            f"{', '.join(names)}: give them one, or use haproxy"
        )
    yield f"{kind}_ssl_name {quoted(names[0])};"
    yield f"{kind}_ssl_certificate {quoted(identity.certificate)};"
    yield f"{kind}_ssl_certificate_key {quoted(identity.key)};"
    if identity.client_authority:
        yield f"{kind}_ssl_trusted_certificate {quoted(identity.client_authority)};"
        yield f"{kind}_ssl_verify on;"
        yield f"{kind}_ssl_verify_depth 3;"


def _stream(proxy: Proxy) -> Iterator[str]:
    checked_proxy(proxy, nginx_stream=True)
    row = proxy.listen
    yield from _block(f"upstream {quoted(proxy.name)}", _members(proxy))
    lines = [
        f"listen {_address(row.bind, row.port)}{' udp' if row.protocol == 'udp' else ''}{' ssl' if proxy.tls else ''};"
    ]
    if proxy.tls is not None:
        lines += _tls(proxy)
    lines += [f"proxy_pass {quoted(proxy.name)};", "proxy_connect_timeout 5s;", f"proxy_timeout {proxy.idle_s}s;"]
    if proxy.members_tls:
        lines += ["proxy_ssl on;", *_member_tls(proxy, "proxy")]
    yield from _block("server", lines)
