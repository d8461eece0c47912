"""AWS Lambda: the layer, the command that builds it, and the ways in that a function can have."""
