"""The small app that ``ddtrace-litellm demo`` runs, and its local provider."""
