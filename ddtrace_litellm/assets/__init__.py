"""Dashboards and monitors to import, as Datadog's API and its import dialogs take them."""
