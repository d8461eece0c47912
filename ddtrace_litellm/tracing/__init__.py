"""From a call of the user's to a finished span: calls, outcomes, spans, streams, attempts.

Written here because ddtrace's own helpers decide leaf or not by the model's name, leave a stream's span active and
changed their stream semantics from release to release (4.15 to 4.16).
"""
