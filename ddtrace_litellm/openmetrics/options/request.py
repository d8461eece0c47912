"""The options of the Agent's check that say how a page is asked for."""

import base64
from collections.abc import Mapping
from typing import Any

from ddtrace_litellm import masking
from ddtrace_litellm.openmetrics.names import families
from ddtrace_litellm.openmetrics.options.fields import OptionError, compiled, naming, texts
from ddtrace_litellm.openmetrics.options.models import InstanceModel, RequestModel
from ddtrace_litellm.openmetrics.sources.http import Endpoint, TokenFile
from ddtrace_litellm.transport import Proxies, Tls

_KIBIBYTE = 1024

_SUFFIXES = {
    "counter": ("_total", "_created"),
    "gauge": (),
    "histogram": ("_bucket", "_sum", "_count", "_created"),
    "summary": ("_sum", "_count", "_created"),
}
_ANY_SUFFIX = ("_total", "_bucket", "_sum", "_count", "_created")


def request_options(options: InstanceModel, common: RequestModel) -> Endpoint:
    """Read the options of an instance that are about the request.

    They mean what they mean to the Agent's check, but for these: ``headers`` are sent in the place of ours of the same
    names only, as without our ``Accept`` the page would not date its series; without ``timeout`` and ``read_timeout``
    there are 30 seconds for a large page; and ``persist_connections`` has no effect.

    One is ours: ``name_filter`` has only those samples sent over the network that ``metrics`` and ``extra_metrics``
    name, where the proxy can do that.

    Args:
        options: of the instance.
        common: those of all instances.

    Raises:
        OptionError: a value cannot be used, or an option needs what only an Agent has.
    """
    if options.auth_type.lower() != "basic":
        raise OptionError(
            f"auth_type: {masking.word(options.auth_type)} needs the Agent's own HTTP client; in process there is only"
            " basic"
        )
    if not options.openmetrics_endpoint:
        raise OptionError("openmetrics_endpoint: there is no URL of a metrics page")
    timeouts = options if options.has("timeout") else common
    both = timeouts.timeout if timeouts.has("timeout") else None
    read_timeout = options.read_timeout if options.has("read_timeout") else both or options.read_timeout
    connect_timeout = options.connect_timeout if options.has("connect_timeout") else both or options.connect_timeout
    with naming("auth_token"):
        token_file = _token_file(options.auth_token) if options.has("auth_token") else None
    proxies, headers, names = _proxies(options, common), _headers(options), _names(options)
    try:
        return Endpoint(
            options.openmetrics_endpoint,
            connect_timeout=connect_timeout,
            read_timeout=read_timeout,
            # Time for a page to be made, and as much for it to come.
            total_timeout=max(Endpoint.total_timeout, 2 * read_timeout),
            headers=headers,
            token_file=token_file,
            tls=Tls(**{name: getattr(options, f"tls_{name}") for name in Tls.__dataclass_fields__}),
            proxies=proxies,
            allow_redirects=options.allow_redirects,
            piece=max(1, int(_KIBIBYTE * options.request_size)),
            use_latest_spec=options.use_latest_spec,
            log_requests=options.log_requests,
            line_filters=(options.raw_line_filters,) if options.raw_line_filters else (),
            names=names,
        )
    except ValueError as error:
        raise OptionError(f"openmetrics_endpoint, headers or extra_headers: {masking.reason(error)}") from None


def _headers(options: RequestModel) -> dict[str, str]:
    headers = {**options.headers, **options.extra_headers}
    # As with the Agent, either alone means nothing.
    if options.has("username", "password"):
        headers = {name: value for name, value in headers.items() if name.lower() != "authorization"}
        pair = f"{options.username}:{options.password}"
        try:
            encoded = pair.encode("latin1" if options.use_legacy_auth_encoding else "utf-8")
        except UnicodeEncodeError:
            raise OptionError(
                "username, password: a character of theirs needs use_legacy_auth_encoding: false"
            ) from None
        headers["Authorization"] = f"Basic {base64.b64encode(encoded).decode()}"
    return headers


def _token_file(option: Mapping[str, Any]) -> TokenFile:
    reader, writer = _part(option, "reader", "file"), _part(option, "writer", "header")
    path = _needed(reader, "reader", "path")
    value, placeholder = writer.get("value", "<TOKEN>"), writer.get("placeholder", "<TOKEN>")
    if not (isinstance(value, str) and isinstance(placeholder, str) and placeholder and placeholder in value):
        raise OptionError("the value of its writer does not contain the placeholder, which is <TOKEN>")
    pattern = None
    if "pattern" in reader:
        pattern = compiled((_needed(reader, "reader", "pattern"),))
        if pattern is None or pattern.groups != 1:
            raise OptionError("the pattern of its reader does not have exactly one group")
    return TokenFile(path, pattern, _needed(writer, "writer", "name"), value, placeholder)


def _part(option: Mapping[str, Any], name: str, only: str) -> Mapping[str, Any]:
    part = option.get(name)
    if not isinstance(part, Mapping):
        raise OptionError(f"it has no {name}, which is a mapping")
    if part.get("type") != only:
        raise OptionError(f"a {name} of the type {masking.word(part.get('type'))} cannot be had, only {only}")
    return {key: value for key, value in part.items() if value is not None}


def _needed(part: Mapping[str, Any], where: str, name: str) -> str:
    value = part.get(name)
    if not isinstance(value, str) or not value:
        raise OptionError(f"the {name} of its {where} is missing, or no text")
    return value


def _proxies(options: RequestModel, common: RequestModel) -> Proxies:
    if _skips(options, default=_skips(common, default=False)):
        return Proxies()
    proxy = options.proxy or common.proxy
    hosts = proxy.get("no_proxy") or ""
    with naming("no_proxy"):
        hosts = hosts if isinstance(hosts, str) else ",".join(texts(hosts))
    with naming("proxy"):
        for scheme, url in proxy.items():
            if scheme not in {"http", "https", "no_proxy"}:
                raise OptionError(f"{masking.name(scheme)} is none of http, https, no_proxy")
            if not isinstance(url, str | None) and scheme != "no_proxy":
                raise OptionError(f"what it has for {scheme} (a {type(url).__name__}) is not a text")
        try:
            return Proxies(
                proxy.get("http") or "",
                proxy.get("https") or "",
                tuple(filter(None, map(str.strip, hosts.replace(";", ",").split(",")))),
            )
        except ValueError as error:
            raise OptionError(masking.reason(error)) from None


def _skips(options: RequestModel, *, default: bool) -> bool:
    # `no_proxy` is what `skip_proxy` was called before.
    name = "skip_proxy" if options.has("skip_proxy") else "no_proxy"
    return bool(getattr(options, name)) if options.has(name) else default


def _names(options: InstanceModel) -> tuple[str, ...]:
    if not options.name_filter:
        return ()
    if not options.has("metrics"):
        raise OptionError("name_filter: it needs metrics, without which all there are are wanted")
    if options.metrics.patterns or options.extra_metrics.patterns:
        raise OptionError("name_filter: metrics or extra_metrics has a regular expression, which cannot be asked for")
    wanted = [
        *options.metrics.families,
        *options.extra_metrics.families,
        *options.share_labels,
        *(["target_info"] if options.target_info else []),
    ]
    names: dict[str, None] = {}
    for family in (f"{options.raw_metric_prefix}{name}" for name in wanted):
        known = families().get(family)
        suffixes = _SUFFIXES.get(known.type, _ANY_SUFFIX) if known else _ANY_SUFFIX
        names.update(dict.fromkeys((family, *(family + suffix for suffix in suffixes))))
    return tuple(names)
