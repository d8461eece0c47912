"""A Lambda handler for functions where neither the layer's ``.pth`` file nor its exec wrapper can be used.

Set the function's handler to ``ddtrace_litellm.aws_lambda.handler.handler``, in place of
``datadog_lambda.handler.handler``; ``DD_LAMBDA_HANDLER`` still names the function's own.
"""

from ddtrace_litellm import install

# First: the import of datadog_lambda patches, and that of its handler imports the function's own module.
install()

from datadog_lambda.handler import handler  # noqa: E402

__all__ = ["handler"]
