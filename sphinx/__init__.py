"""Sphinx: the back-office behind any online shop."""

from sphinx.celery import app as celery_app

__all__ = ["celery_app"]
