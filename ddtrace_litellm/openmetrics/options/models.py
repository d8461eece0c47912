"""All options of an instance: an option is one field, with its default, its meaning and where it does not apply.

The specification of the check, its ``conf.yaml.example`` and the table in the documentation come from these models:
``python -m tests.openmetrics.generate_options``.
"""

from typing import Any

from ddtrace_litellm.openmetrics.names import NAMESPACE
from ddtrace_litellm.openmetrics.options.entries import Entries, Families, FamilyNames, MetricEntries
from ddtrace_litellm.openmetrics.options.fields import (
    Boolean,
    Ciphers,
    Drops,
    Headers,
    Limit,
    MetricPatterns,
    Names,
    Options,
    Patterns,
    Renames,
    Seconds,
    Shares,
    Table,
    Text,
    Texts,
    option,
)

MOST_CONTEXTS = 50_000
"""Twice what a page of 10 MB has. An Agent has no limit; a process that others pay for by the metric should."""
INTERVAL = 15.0
"""Seconds, as in an Agent."""
HEALTH_ENDPOINT_INTERVAL = 300.0
"""Seconds, as it calls every model."""

_CLIENT = "it needs the Agent's own HTTP client"


class PageModel(Options):
    """What becomes of a page."""

    cache_metric_wildcards: Boolean = option(True, "Has no effect: what a regular expression finds is remembered.")
    cache_shared_labels: Boolean = option(True, "Take the labels to share from the first page only.")
    collect_counters_with_distributions: Boolean = option(False, "Send `.sum` and `.count` beside distributions.")
    collect_histogram_buckets: Boolean = option(True, "Send the buckets of histograms.")
    collect_histograms_as_distributions: Boolean = option(False, "Send distributions without a tag for the bucket.")
    collect_runtime_metrics: Boolean = option(
        False,
        "Also send what the Python client of Prometheus says of the process: garbage collection, memory, open files.\n"
        "A proxy of several workers with a shared directory does not have it.",
        ours={"type": "boolean", "example": False},
    )
    disable_generic_tags: Boolean = option(False, "Put `litellm_` before tags such as `env`, `host` and `service`.")
    enable_legacy_tags_normalization: Boolean = option(True, "Has no effect: tags are never normalised here.")
    exclude_labels: Names = option(frozenset(), "Labels that are left out; their series are added up.")
    exclude_metrics: FamilyNames = option(Families(), "Families that are left out, by name or regular expression.")
    exclude_metrics_by_labels: Drops = option(
        {}, "Series that are left out: for a label `true`, or a list of regular expressions of its values."
    )
    extra_metrics: MetricEntries = option(
        Entries(), "Families that are sent beside the known ones, or otherwise than those."
    )
    histogram_buckets_as_distributions: Boolean = option(False, "Send the buckets of histograms as distributions.")
    hostname_format: Text = option("<HOSTNAME>", "How a host is made of the value of `hostname_label`.")
    hostname_label: Text = option("", "The label whose value is the host of a series.")
    ignore_tags: Patterns = option(None, "Regular expressions of `tags` that are left out.")
    include_labels: Names = option(frozenset(), "The only labels that are sent.")
    max_returned_metrics: Limit = option(MOST_CONTEXTS, "The most series of one page; 0 for no limit.")
    metric_patterns: MetricPatterns = option(
        MetricPatterns(), "Regular expressions of names that are sent: `include` and `exclude`."
    )
    metrics: MetricEntries = option(Entries(), "The only families that are sent, instead of the known ones.")
    namespace: Text = option(
        NAMESPACE, "Has no effect.", no_effect=f"it has no effect, every name begins with {NAMESPACE}"
    )
    non_cumulative_histogram_buckets: Boolean = option(False, "Send each bucket alone, with a tag for its lower bound.")
    raw_metric_prefix: Text = option("", "A prefix that is removed from the names of families.")
    rename_labels: Renames = option({}, "New names of labels.")
    service: Text = option("", "The tag `service`.")
    share_labels: Shares = option({}, "Families whose labels others get too.")
    tag_by_endpoint: Boolean = option(True, "Send the tag `endpoint`.")
    tags: Texts = option((), "Tags of everything.")
    target_info: Boolean = option(False, "Send the labels of `target_info` as tags.")
    telemetry: Boolean = option(False, "Send metrics about the page itself.")
    use_process_start_time: Boolean = option(
        False,
        "Count what was counted before the first page, where the proxy started after the Agent.",
        no_effect="it has no effect, as the first page is the baseline whatever began when",
    )

    def tags_of(self, endpoint: str) -> tuple[str, ...]:
        """Return the tags of everything that comes from a URL, ``""`` for none."""
        return (*self.tags, f"endpoint:{endpoint}") if endpoint and self.tag_by_endpoint else self.tags


class RequestModel(Options):
    """How a page is asked for."""

    allow_redirects: Boolean = option(True, "Follow redirects.")
    auth_token: Table = option({}, "A token in a file: `reader` says where, `writer` in which header it is sent.")
    auth_type: Text = option("basic", "How `username` and `password` are sent; in process `basic` only.")
    aws_host: Any = option(None, "The host to sign for.", not_in_process=_CLIENT)
    aws_region: Any = option(None, "The region to sign for.", not_in_process=_CLIENT)
    aws_service: Any = option(None, "The service to sign for.", not_in_process=_CLIENT)
    connect_timeout: Seconds = option(5.0, "Seconds for a connection; 10 in the Agent.")
    extra_headers: Headers = option(
        {},
        "Additional headers to send with every request. Since version 1.84 LiteLLM wants a key for its metrics page.",
        instead={"display_priority": 1, "value.example": {"Authorization": "Bearer <KEY>"}},
    )
    headers: Headers = option({}, "Headers of every request; in process beside ours, in the Agent instead of its own.")
    kerberos: Any = option(None, "An older name of `kerberos_auth`.", not_in_process=_CLIENT)
    kerberos_auth: Any = option(None, "How Kerberos is spoken.", not_in_process=_CLIENT)
    kerberos_cache: Any = option(None, "Kerberos: the cache of tickets.", not_in_process=_CLIENT)
    kerberos_delegate: Any = option(None, "Kerberos: delegate credentials.", not_in_process=_CLIENT)
    kerberos_force_initiate: Any = option(None, "Kerberos: send a ticket unasked.", not_in_process=_CLIENT)
    kerberos_hostname: Any = option(None, "Kerberos: the host of the service.", not_in_process=_CLIENT)
    kerberos_keytab: Any = option(None, "Kerberos: the file of keys.", not_in_process=_CLIENT)
    kerberos_principal: Any = option(None, "Kerberos: who we are.", not_in_process=_CLIENT)
    log_requests: Boolean = option(False, "Log each request at the level debug.")
    name_filter: Boolean = option(False, "In process: ask the proxy only for the families of `metrics`.")
    no_proxy: Boolean = option(False, "An older name of `skip_proxy`.")
    ntlm_domain: Any = option(None, "The domain of NTLM.", not_in_process=_CLIENT)
    openmetrics_endpoint: Text = option(
        "",
        "The URL of the proxy's metrics page. The slash at the end saves a redirect.",
        instead={"required": False, "display_priority": 1, "value.example": "http://localhost:4000/metrics/"},
    )
    password: Text = option("", "The password of `username`.")
    persist_connections: Boolean = option(False, "Keep connections open; has no effect in process.")
    proxy: Table = option({}, "The proxies for `http` and `https`, and hosts without one in `no_proxy`.")
    raw_line_filters: Patterns = option(None, "Regular expressions of lines that are left out of a page.")
    read_timeout: Seconds = option(
        30.0,
        "The read timeout for accessing services, in seconds. Defaults to `timeout` where that is set, else to 30:\n"
        "LiteLLM needs 5 seconds and more before the first byte of a large page.",
        instead={"value.example": 30},
    )
    request_size: Seconds = option(128.0, "KiB that a page is read by; 16 in the Agent.")
    skip_proxy: Boolean = option(False, "Ask without a proxy.")
    timeout: Seconds = option(10.0, "Both `connect_timeout` and `read_timeout`, where those are not given.")
    tls_ca_cert: Text = option("", "A file or directory of certificates that are trusted.")
    tls_cert: Text = option("", "The file of the client's certificate.")
    tls_ciphers: Ciphers = option("", "The ciphers of TLS.")
    tls_ignore_warning: Boolean = option(False, "Say nothing about a certificate that is not verified.")
    tls_intermediate_ca_certs: Any = option(None, "More certificates of authorities.", not_in_process=_CLIENT)
    tls_private_key: Text = option("", "The file of the key of `tls_cert`.")
    tls_private_key_password: Text = option("", "Its password.")
    tls_protocols_allowed: Any = option(None, "Versions of TLS.", not_in_process=_CLIENT)
    tls_use_host_header: Any = option(None, "Take the header `Host` for SNI.", not_in_process=_CLIENT)
    tls_validate_hostname: Boolean = option(True, "The certificate has to be of the URL's host.")
    tls_verify: Boolean = option(True, "The server needs a certificate that is trusted.")
    use_latest_spec: Boolean = option(False, "Ask for OpenMetrics only.")
    use_legacy_auth_encoding: Boolean = option(True, "Send `username` and `password` in latin1, not UTF-8.")
    username: Text = option("", "Who asks.")


class InstanceModel(PageModel, RequestModel):
    """All of an instance."""

    debug_metrics: Any = option(
        None, "Metrics about checks.", not_in_process="it is about the Agent's own metrics of its checks"
    )
    empty_default_hostname: Boolean = option(
        False,
        "Send no host.",
        not_in_process="the Agent that receives the metrics gives them its host; hostname_label changes it",
    )
    enable_health_service_check: Boolean = option(True, "Send the service check `litellm.openmetrics.health`.")
    ignore_connection_errors: Boolean = option(
        False, "A proxy that cannot be reached, or falls silent within a page, is no error."
    )
    litellm_health_endpoint: Text = option(
        "",
        "The proxy's own health check. It is asked behind a scrape, with the HTTP options below.\n\n"
        "LiteLLM then calls every model that it has, which costs what those calls cost, unless its own\n"
        "`background_health_checks` is on. Such an answer takes long: see `read_timeout`.",
        ours={"type": "string", "display_default": None, "example": "http://localhost:4000/health"},
    )
    litellm_health_endpoint_interval: Seconds = option(
        HEALTH_ENDPOINT_INTERVAL,
        "Seconds between two calls of `litellm_health_endpoint`, at least.",
        ours={"type": "number", "example": 300},
    )
    min_collection_interval: Seconds = option(INTERVAL, "Seconds from page to page.")
    process_isolation: Boolean = option(
        False,
        "Run the check in a process of its own; not for this check.",
        not_in_process="it is about the Agent's process",
    )
    use_base_class_scraper: Boolean = option(
        False,
        "Read the page as the Agent's own OpenMetrics check does, under the names of this check: counters become\n"
        "monotonic counts, with all that is wrong about them for several workers, excluded labels and restarts.\n"
        "Families that are not in the table of names are left out.",
        not_in_process="the base class is the Agent's",
        ours={"type": "boolean", "example": False},
    )
