"""The options of one instance of the Agent's check, as an Agent's ``conf.yaml`` has them, read into dataclasses."""
