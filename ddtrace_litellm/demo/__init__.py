"""The small app that ``ddtrace-litellm demo`` runs, and the local provider that it talks to."""
