"""AWS Lambda: the layer, the command that builds it, and the entry points of a function."""
