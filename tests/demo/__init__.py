"""Tests of the demo and its provider."""
