"""The scraper in the user's process: when it starts, runs and ends."""
