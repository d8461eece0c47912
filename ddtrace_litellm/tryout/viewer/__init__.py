"""A page that shows traces and metrics: live while a program runs, or as one file to attach."""
