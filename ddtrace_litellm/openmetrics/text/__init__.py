"""The two formats of a metrics page, read into samples."""
