"""The options of the Agent's check that say how a page is asked for."""

import base64
import re
from collections.abc import Mapping
from typing import Any

from ddtrace_litellm import masking
from ddtrace_litellm.openmetrics.names import families
from ddtrace_litellm.openmetrics.options.entries import read_entries
from ddtrace_litellm.openmetrics.options.values import OptionError, Options
from ddtrace_litellm.openmetrics.sources.endpoint import Endpoint, TokenFile
from ddtrace_litellm.transport import Proxies, Tls

_KIBIBYTE = 1024

_NEED_A_LIBRARY = frozenset(
    {
        "aws_host",
        "aws_region",
        "aws_service",
        "kerberos",
        "kerberos_auth",
        "kerberos_cache",
        "kerberos_delegate",
        "kerberos_force_initiate",
        "kerberos_hostname",
        "kerberos_keytab",
        "kerberos_principal",
        "ntlm_domain",
        "tls_intermediate_ca_certs",
        "tls_protocols_allowed",
        "tls_use_host_header",
    }
)

REQUEST_OPTIONS = _NEED_A_LIBRARY | {
    "allow_redirects",
    "auth_token",
    "auth_type",
    "connect_timeout",
    "extra_headers",
    "headers",
    "log_requests",
    "name_filter",
    "no_proxy",
    "openmetrics_endpoint",
    "password",
    "persist_connections",
    "proxy",
    "raw_line_filters",
    "read_timeout",
    "request_size",
    "skip_proxy",
    "timeout",
    "tls_ca_cert",
    "tls_cert",
    "tls_ciphers",
    "tls_ignore_warning",
    "tls_private_key",
    "tls_private_key_password",
    "tls_validate_hostname",
    "tls_verify",
    "use_latest_spec",
    "use_legacy_auth_encoding",
    "username",
}
"""All that have no meaning where no page is asked for."""

_SUFFIXES = {
    "counter": ("_total", "_created"),
    "gauge": (),
    "histogram": ("_bucket", "_sum", "_count", "_created"),
    "summary": ("_sum", "_count", "_created"),
}
_ANY_SUFFIX = ("_total", "_bucket", "_sum", "_count", "_created")


def request_options(instance: Mapping[str, Any], init_config: Mapping[str, Any] | None = None) -> Endpoint:
    """Read the options of an instance that are about the request.

    They mean what they mean to the Agent's check, but for these: ``headers`` are sent in the place of ours of the same
    names only, as without our ``Accept`` the page would not date its series; without ``timeout`` and ``read_timeout``
    there are 30 seconds for a large page; and ``persist_connections`` has no effect.

    One is ours: ``name_filter`` has only those samples sent over the network that ``metrics`` and ``extra_metrics``
    name, where the proxy can do that.

    Args:
        instance: all its options.
        init_config: those of all instances.

    Raises:
        OptionError: a value cannot be used, or an option needs what only an Agent has.
    """
    options, common = Options(instance), Options(init_config or {})
    _refuse(options)
    url = options.text("openmetrics_endpoint")
    if not url:
        raise OptionError("openmetrics_endpoint: there is no URL of a metrics page")
    options.boolean("persist_connections", default=False)
    connect_timeout, read_timeout = _timeouts(options, common)
    proxies = _proxies(options, common)
    try:
        return Endpoint(
            url,
            connect_timeout=connect_timeout,
            read_timeout=read_timeout,
            # Time for a page to be made, and as much for it to come.
            total_timeout=max(Endpoint.total_timeout, 2 * read_timeout),
            headers=_headers(options),
            token_file=_token_file(options),
            tls=_tls(options),
            proxies=proxies,
            allow_redirects=options.boolean("allow_redirects", default=True),
            piece=max(1, int(_KIBIBYTE * options.number("request_size", Endpoint.piece / _KIBIBYTE))),
            use_latest_spec=options.boolean("use_latest_spec", default=False),
            log_requests=options.boolean("log_requests", default=False),
            line_filters=_line_filters(options),
            names=_names(options),
        )
    except OptionError:
        raise
    except ValueError as error:
        raise OptionError(f"openmetrics_endpoint, headers or extra_headers: {masking.reason(error)}") from None


def _refuse(options: Options) -> None:
    for name in sorted(_NEED_A_LIBRARY & options.values.keys()):
        if options.values[name] not in (False, [], ""):
            raise OptionError(f"{name}: it needs the Agent's own HTTP client, which is not there in process")
    auth_type = options.text("auth_type", "basic")
    if auth_type.lower() != "basic":
        raise OptionError(
            f"auth_type: {masking.word(auth_type)} needs the Agent's own HTTP client; in process there is only basic"
        )


def _timeouts(options: Options, common: Options) -> tuple[float, float]:
    source = options if "timeout" in options else common
    both = source.number("timeout", 1.0) if "timeout" in source else None
    return (
        options.number("connect_timeout", both or Endpoint.connect_timeout),
        options.number("read_timeout", both or Endpoint.read_timeout),
    )


def _headers(options: Options) -> dict[str, str]:
    headers: dict[str, str] = {}
    for option in ("headers", "extra_headers"):
        for name, value in options.mapping(option).items():
            if not isinstance(value, str | int | float):
                raise OptionError(
                    f"{option}: the value of {masking.name(name)} (a {type(value).__name__}) is not a text"
                )
            headers[name] = str(value)
    # As with the Agent, either alone means nothing.
    if "username" in options and "password" in options:
        headers = {name: value for name, value in headers.items() if name.lower() != "authorization"}
        headers["Authorization"] = _basic(options)
    return headers


def _basic(options: Options) -> str:
    pair = f"{options.text('username')}:{options.text('password')}"
    legacy = options.boolean("use_legacy_auth_encoding", default=True)
    try:
        encoded = pair.encode("latin1" if legacy else "utf-8")
    except UnicodeEncodeError:
        raise OptionError("username, password: a character of theirs needs use_legacy_auth_encoding: false") from None
    return f"Basic {base64.b64encode(encoded).decode()}"


def _token_file(options: Options) -> TokenFile | None:
    if "auth_token" not in options:
        return None
    parts = options.mapping("auth_token")
    reader = _part(parts, "reader", "file")
    writer = _part(parts, "writer", "header")
    path = _needed(reader, "reader", "path")
    value, placeholder = writer.text("value", "<TOKEN>"), writer.text("placeholder", "<TOKEN>")
    if not placeholder or placeholder not in value:
        raise OptionError("auth_token: the value of its writer does not contain the placeholder, which is <TOKEN>")
    pattern = None
    if "pattern" in reader:
        pattern = reader.compiled("auth_token", (reader.text("pattern"),))
        if pattern is None or pattern.groups != 1:
            raise OptionError("auth_token: the pattern of its reader does not have exactly one group")
    return TokenFile(path, pattern, _needed(writer, "writer", "name"), value, placeholder)


def _part(parts: Mapping[str, Any], name: str, only: str) -> Options:
    part = parts.get(name)
    if not isinstance(part, Mapping):
        raise OptionError(f"auth_token: it has no {name}, which is a mapping")
    if part.get("type") != only:
        raise OptionError(
            f"auth_token: a {name} of the type {masking.word(part.get('type'))} cannot be had, only {only}"
        )
    return Options(part)


def _needed(part: Options, where: str, name: str) -> str:
    value = part.values.get(name)
    if not isinstance(value, str) or not value:
        raise OptionError(f"auth_token: the {name} of its {where} is missing, or no text")
    return value


def _tls(options: Options) -> Tls:
    ciphers = options.values.get("tls_ciphers", "")
    names = (ciphers,) if isinstance(ciphers, str) else options.texts("tls_ciphers")
    return Tls(
        verify=options.boolean("tls_verify", default=True),
        ca_cert=options.text("tls_ca_cert"),
        cert=options.text("tls_cert"),
        private_key=options.text("tls_private_key"),
        private_key_password=options.text("tls_private_key_password"),
        ciphers="ALL" if "ALL" in names else ":".join(names),
        validate_hostname=options.boolean("tls_validate_hostname", default=True),
        ignore_warning=options.boolean("tls_ignore_warning", default=False),
    )


def _proxies(options: Options, common: Options) -> Proxies:
    if _skips(options, default=_skips(common, default=False)):
        return Proxies()
    proxy = Options(options.mapping("proxy") or common.mapping("proxy"))
    if unknown := proxy.values.keys() - {"http", "https", "no_proxy"}:
        raise OptionError(f"proxy: {masking.name(min(unknown))} is none of http, https, no_proxy")
    hosts = proxy.values.get("no_proxy", "")
    hosts = hosts.replace(";", ",").split(",") if isinstance(hosts, str) else proxy.texts("no_proxy")
    try:
        return Proxies(_proxy(proxy, "http"), _proxy(proxy, "https"), tuple(filter(None, map(str.strip, hosts))))
    except ValueError as error:
        raise OptionError(f"proxy: {masking.reason(error)}") from None


def _skips(options: Options, *, default: bool) -> bool:
    # `no_proxy` is what `skip_proxy` was called before.
    return options.boolean("skip_proxy" if "skip_proxy" in options else "no_proxy", default=default)


def _proxy(proxy: Options, scheme: str) -> str:
    url = proxy.values.get(scheme, "")
    if not isinstance(url, str):
        raise OptionError(f"proxy: what it has for {scheme} (a {type(url).__name__}) is not a text")
    return url


def _line_filters(options: Options) -> tuple[re.Pattern[str], ...]:
    pattern = options.pattern("raw_line_filters")
    return (pattern,) if pattern else ()


def _names(options: Options) -> tuple[str, ...]:
    if not options.boolean("name_filter", default=False):
        return ()
    if "metrics" not in options:
        raise OptionError("name_filter: it needs metrics, without which all there are are wanted")
    entries, patterns = read_entries(options, metadata=False)
    if patterns:
        raise OptionError("name_filter: metrics or extra_metrics has a regular expression, which cannot be asked for")
    prefix = options.text("raw_metric_prefix")
    wanted = [*entries, *options.mapping("share_labels")]
    if options.boolean("target_info", default=False):
        wanted.append("target_info")
    names: dict[str, None] = {}
    for family in (f"{prefix}{name}" for name in wanted):
        known = families().get(family)
        suffixes = _SUFFIXES.get(known.type, _ANY_SUFFIX) if known else _ANY_SUFFIX
        names.update(dict.fromkeys((family, *(family + suffix for suffix in suffixes))))
    return tuple(names)
