"""Metrics and where they go: what the scraper, our own counters and the commands have in common."""
