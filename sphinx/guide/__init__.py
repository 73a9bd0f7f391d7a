"""The guide for people: docs/guide as a site under /aide/, linked from the screens."""
