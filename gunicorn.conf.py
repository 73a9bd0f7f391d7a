"""How gunicorn serves the site, read from the project's folder; options it is given come first."""

import os

workers = int(os.environ.get("WEB_CONCURRENCY", "3"))
threads = 4
# Seconds. Longer than proxies keep theirs (nginx 60, Traefik 90, Caddy 120): who closes first
# while the other sends loses that click.
keepalive = 130
