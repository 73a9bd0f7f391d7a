"""Pages of invoicing."""
