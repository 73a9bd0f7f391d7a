"""All settings, in the order a reader asks; each environment variable is read here, once.

Three ways to run, told apart by the environment alone:
embedded (SQLite, the default), development (DEBUG=1) and production (PostgreSQL).
"""

import secrets
import stat
from pathlib import Path
from typing import Any

import environ
import structlog
from django.core.exceptions import ImproperlyConfigured
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _
from kombu import Queue

from sphinx.core.logs import hide_people, watch_with_sentry

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

# --- Where data lives --------------------------------------------------------------------
DATA_DIR = Path(env.str("SPHINX_DATA_DIR", default=str(BASE_DIR / "var"))).resolve()
DATA_DIR.mkdir(parents=True, exist_ok=True)
# Where the e-invoicing platform's connector picks files up and lays its answers down.
PLATFORM_DIR = Path(env.str("SPHINX_PLATFORM_DIR", default=str(DATA_DIR / "plateforme"))).resolve()
# Where `build_guide` lays the guide down and /aide/ finds it.
GUIDE_DIR = Path(env.str("SPHINX_GUIDE_DIR", default=str(BASE_DIR / "var" / "guide"))).resolve()
# The European Central Bank's rates of the last ninety days; asked only where the firm wants it.
ECB_RATES_URL = env.str(
    "ECB_RATES_URL", default="https://www.ecb.europa.eu/stats/eurofxref/eurofxref-hist-90d.xml"
)
# The Union's register of VAT numbers; asked only on request.
VIES_URL = env.str("VIES_URL", default="https://ec.europa.eu/taxation_customs/vies/rest-api")
DEFAULT_DATABASE_URL = f"sqlite:///{BASE_DIR / 'var' / 'sphinx.sqlite3'}"

# --- Which way we run --------------------------------------------------------------------
DEBUG = env.bool("DEBUG", default=False)
DATABASES = {"default": env.db_url("DATABASE_URL", default=DEFAULT_DATABASE_URL)}
EMBEDDED = DATABASES["default"]["ENGINE"].endswith("sqlite3")
# Production is stated by a server database, or by DEBUG=0 written out.
PRODUCTION = not DEBUG and (not EMBEDDED or "DEBUG" in env.ENVIRON)


def _feed_root() -> Path | None:
    """The one folder of this machine below which folder feeds read and write.

    What the operator named; else none in production, a folder of its own elsewhere.
    """
    given = env.str("SPHINX_FEED_ROOT", default="")
    if not given:
        if PRODUCTION:
            return None
        root = DATA_DIR / "depots"
        root.mkdir(exist_ok=True)
        return root
    root = Path(given)
    own = (DATA_DIR, BASE_DIR)
    if not root.is_absolute() or any(place.is_relative_to(root.resolve()) for place in own):
        raise ImproperlyConfigured(
            "SPHINX_FEED_ROOT doit être le chemin entier d'un dossier qui ne contient ni Sphinx ni "
            "SPHINX_DATA_DIR : ce qui est dedans peut être lu et effacé par les flux."
        )
    return root


FEED_ROOT = _feed_root()


def _secret_key() -> str:
    """The key from the environment, else one drawn for this installation; never a default."""
    given = env.str("SECRET_KEY", default="")
    if given:
        weak = len(given) < 32 or any(w in given.lower() for w in ("insecure", "change", "secret"))
        if weak and PRODUCTION:
            raise ImproperlyConfigured(
                "SECRET_KEY est trop courte ou une valeur d'exemple : donnez une clé aléatoire "
                "d'au moins 32 caractères."
            )
        return given
    if PRODUCTION:
        raise ImproperlyConfigured(
            "SECRET_KEY manque : en production, donnez une clé aléatoire d'au moins 32 caractères."
        )
    kept = DATA_DIR / "secret.key"
    if not kept.exists():
        kept.touch(mode=stat.S_IRUSR | stat.S_IWUSR)
        kept.write_text(secrets.token_urlsafe(48))
    return kept.read_text().strip()


SECRET_KEY = _secret_key()
# Earlier ones, still read (sessions, mailed links, secrets of servers) and never written with.
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
# Keys that encrypt feed credentials, newest first; one derived from SECRET_KEY comes last.
CREDENTIAL_KEYS = env.list("SPHINX_CREDENTIAL_KEYS", default=[])

# --- Applications ------------------------------------------------------------------------
INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "unfold.contrib.inlines",
    "unfold.contrib.import_export",
    "unfold.contrib.simple_history",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "import_export",
    "simple_history",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.usersessions",
    "django_celery_beat",
    "django_countries",
    "csp",
    "django_structlog",
    "sphinx.core",
    "customers",
    "suppliers",
    "inventory",
    "purchasing",
    "sales",
    "invoicing",
    "accounting_export",
    "ftp_ingest",
    "sphinx.dashboard",
    "sphinx.guide",
    "sphinx.demo",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "sphinx.core.middleware.NoStoreMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "sphinx.core.middleware.ChosenLanguageMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "sphinx.core.middleware.TypedAddressMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "sphinx.core.middleware.ContentSecurityPolicyMiddleware",
    "sphinx.core.middleware.OutageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
    "sphinx.core.middleware.SecondFactorMiddleware",
    "simple_history.middleware.HistoryRequestMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
]
ROOT_URLCONF = "sphinx.urls"
WSGI_APPLICATION = "sphinx.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Database ----------------------------------------------------------------------------
if EMBEDDED:
    Path(DATABASES["default"]["NAME"]).parent.mkdir(parents=True, exist_ok=True)
    DATABASES["default"]["OPTIONS"] = {
        # SELECT FOR UPDATE does nothing on SQLite: a writer takes the whole file at once.
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": (
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;"
            # INSERT OR REPLACE deletes: only so do the triggers that refuse it see that.
            "PRAGMA cache_size=-64000; PRAGMA recursive_triggers=ON;"
        ),
    }
else:
    if replica := env.str("REPLICA_DATABASE_URL", default=""):
        # Figures are read there (sphinx/core/replica.py).
        DATABASES["replica"] = {**env.db_url_config(replica), "TEST": {"MIRROR": "default"}}
        DATABASE_ROUTERS = ["sphinx.core.replica.ReplicaRouter"]
    for _database in DATABASES.values():
        _options = _database.setdefault("OPTIONS", {})
        if not env.bool("DATABASE_POOLED", default=False):  # PgBouncer lets no options through
            # Compiling a page's query takes longer than reading its rows. What the URL or PGOPTIONS
            # (which libpq drops where options are given) says comes after, and wins.
            _given = _options.get("options") or env.str("PGOPTIONS", default="")
            _options["options"] = f"-c jit=off {_given}".strip()
        _database["CONN_MAX_AGE"] = 60
        _database["CONN_HEALTH_CHECKS"] = True
        # Behind PgBouncer's transaction pooling a cursor doesn't outlive its transaction.
        _database["DISABLE_SERVER_SIDE_CURSORS"] = env.bool("DATABASE_POOLED", default=False)

# --- Tasks and cache ---------------------------------------------------------------------
REDIS_URL = env.str("REDIS_URL", default="")
# `make serve` without Redis: a worker reads messages from files under DATA_DIR.
FILE_BROKER = env.bool("SPHINX_FILE_BROKER", default=False)
# How often the scheduler asks which feeds are due and which runs are dead.
BEAT_SECONDS = env.int("SPHINX_BEAT_SECONDS", default=60)
# How long a task that failed waits before its second try, at most; then twice as long each time.
RETRY_SECONDS = env.int("SPHINX_RETRY_SECONDS", default=30)
CELERY_BEAT_SCHEDULER = "sphinx.core.beat:LoneScheduler"
CELERY_TIMEZONE = "Europe/Paris"
CELERY_TASK_SERIALIZER = CELERY_RESULT_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_TIME_LIMIT = 3600
CELERY_TASK_SOFT_TIME_LIMIT = 3300
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# A broker that went is waited for, however long.
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
# Who waits least first: a worker takes what people wait for before feeds, those before exports.
CELERY_TASK_QUEUES = [Queue(name) for name in ("documents", "feeds", "exports", "statistics")]
CELERY_TASK_DEFAULT_QUEUE = "documents"
CELERY_TASK_ROUTES = {
    "ftp_ingest.*": {"queue": "feeds"},
    "accounting_export.*": {"queue": "exports"},
    "sphinx.dashboard.*": {"queue": "statistics"},
    "purchasing.tasks.propose_purchase_orders": {"queue": "statistics"},
    "purchasing.tasks.replay_year": {"queue": "statistics"},
}
if REDIS_URL:
    CELERY_BROKER_URL = REDIS_URL
    # Longer than the longest task, else Redis would hand a running task to a second worker.
    CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, Any] = {
        "visibility_timeout": 2 * CELERY_TASK_TIME_LIMIT,
        "queue_order_strategy": "priority",
        # A page that asks for work doesn't wait for a broker that is away.
        "socket_connect_timeout": 3,
    }
    CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}
    }
elif FILE_BROKER:
    _broker = DATA_DIR / "broker"
    for _name in ("messages", "control"):
        (_broker / _name).mkdir(parents=True, exist_ok=True)
    CELERY_BROKER_URL = "localhost"  # no scheme: kombu takes the transport named below
    CELERY_BROKER_TRANSPORT = "sphinx.core.file_broker:Transport"
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": str(_broker / "messages"),
        "data_folder_out": str(_broker / "messages"),
        "control_folder": str(_broker / "control"),
        "polling_interval": 0.1,
    }
else:
    # Tasks run at once, in the process that asks for them.
    CELERY_TASK_ALWAYS_EAGER = True
    CELERY_BROKER_URL = "memory://"

# --- Log-in ------------------------------------------------------------------------------
AUTHENTICATION_BACKENDS = ["sphinx.core.accounts.AccountBackend"]
# Argon2id first (OWASP's first choice); older hashes are renewed at the next log-in.
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
_VALIDATORS: dict[str, dict[str, Any]] = {
    "UserAttributeSimilarityValidator": {},
    "MinimumLengthValidator": {"min_length": 12},
    "CommonPasswordValidator": {},
    "NumericPasswordValidator": {},
}
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}", "OPTIONS": options}
    for name, options in _VALIDATORS.items()
]
ACCOUNT_FORMS = {"change_password": "sphinx.core.account_forms.OwnPasswordForm"}
ACCOUNT_ADAPTER = "sphinx.core.accounts.StaffAccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "username*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
# Tries: by address and by account; a reset or an unknown account answers like any other.
ACCOUNT_RATE_LIMITS = {
    "login": "30/m/ip",
    "login_failed": "10/m/ip,5/5m/key",
    "reset_password": "20/m/ip,5/m/key",
    "change_password": "5/m/user",
    "reauthenticate": "10/m/user",
}
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "Sphinx"
# Addresses are given by the owner: nobody has to prove theirs before guarding an account.
MFA_ALLOW_UNVERIFIED_EMAIL = True
# Browsers take passkeys on loopback without HTTPS; elsewhere never.
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not PRODUCTION
USERSESSIONS_TRACK_ACTIVITY = True
LOGIN_URL = "account_login"
# The firm's identity provider (core/oidc.py); without an issuer and a client there is none.
OIDC_ISSUER = env.str("OIDC_ISSUER", default="")
OIDC_CLIENT_ID = env.str("OIDC_CLIENT_ID", default="")
OIDC_CLIENT_SECRET = env.str("OIDC_CLIENT_SECRET", default="")
OIDC_NAME = env.str("OIDC_NAME", default="") or _("le compte de la société")
OIDC_SCOPES = env.str("OIDC_SCOPES", default="openid profile email").split()
OIDC_GROUPS_CLAIM = env.str("OIDC_GROUPS_CLAIM", default="groups")
# "group=Role; other group=Role"
OIDC_ROLES = env.str("OIDC_ROLES", default="")
# Ways (amr, acr) that stand for our second factor; none: ours is asked for as ever.
OIDC_SECOND_FACTOR = env.list("OIDC_SECOND_FACTOR", default=[])
# Every address the provider tells is its owner's, though it doesn't say `email_verified`.
OIDC_TRUST_EMAIL = env.bool("OIDC_TRUST_EMAIL", default=False)
# Passwords and passkeys open super-users' accounts only.
OIDC_ONLY = env.bool("OIDC_ONLY", default=False)
SOCIALACCOUNT_ADAPTER = "sphinx.core.oidc.FirmSocialAdapter"
LOGIN_REDIRECT_URL = "/"
SESSION_ENGINE = "sphinx.core.sessions"
SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"

# --- Security ----------------------------------------------------------------------------
# Behind the reverse proxy of production everything is HTTPS; loopback has no certificate.
SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=PRODUCTION)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT
SECURE_HSTS_SECONDS = 31_536_000 if SECURE_SSL_REDIRECT else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = SECURE_SSL_REDIRECT
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
# Whoever shows it reads /metrics; blank: nobody.
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")
if env.bool("TRUST_PROXY", default=False):
    # One proxy in front: the address it saw is the visitor's.
    ALLAUTH_TRUSTED_PROXY_COUNT = 1
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "script-src": ["'self'"],
        "style-src": ["'self'", "'unsafe-inline'"],
        "img-src": ["'self'", "data:"],
        "frame-ancestors": ["'none'"],
        "form-action": ["'self'"],
        "base-uri": ["'self'"],
        "object-src": ["'none'"],
    }
}
# Who may change a master file may bring one; who may see it may take it away.
IMPORT_EXPORT_IMPORT_PERMISSION_CODE = "change"
IMPORT_EXPORT_EXPORT_PERMISSION_CODE = "view"
DATA_UPLOAD_MAX_MEMORY_SIZE = 10 * 1024 * 1024

# --- Language, time, static files --------------------------------------------------------
LANGUAGE_CODE = "fr"
LANGUAGES = [("fr", "Français"), ("en", "English")]
# French is the source language; locale/en is its translation, locale/unfold/fr the French of
# a package that ships none.
LOCALE_PATHS = [BASE_DIR / "locale", BASE_DIR / "locale" / "unfold"]
USE_I18N = USE_TZ = True
FORMAT_MODULE_PATH = ["sphinx.formats"]
USE_THOUSAND_SEPARATOR = True
TIME_ZONE = "Europe/Paris"
STATIC_URL = "static/"
STATIC_ROOT = env.str("STATIC_ROOT", default=str(BASE_DIR / "staticfiles"))
STATICFILES_DIRS = [BASE_DIR / "static"]
# Production serves hashed, compressed files (collectstatic); else they are read in place.
HASHED_STATIC = env.bool("HASHED_STATIC", default=PRODUCTION)
STORAGES: dict[str, dict[str, Any]] = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if HASHED_STATIC
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
if S3_BUCKET := env.str("S3_BUCKET", default=""):
    from botocore.config import Config  # takes its time: only where there is a store

    # Kept files lie there too, so that web and workers need no disk of their own (core/files.py).
    STORAGES["kept"] = {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": S3_BUCKET,
            "endpoint_url": env.str("S3_ENDPOINT_URL", default="") or None,
            "region_name": env.str("S3_REGION", default="") or None,
            "access_key": env.str("S3_ACCESS_KEY", default="") or None,
            "secret_key": env.str("S3_SECRET_KEY", default="") or None,
            "default_acl": None,
            "querystring_auth": True,
            "file_overwrite": True,
            "client_config": Config(connect_timeout=5, read_timeout=60),
        },
    }
WHITENOISE_USE_FINDERS = not HASHED_STATIC

# --- Mail --------------------------------------------------------------------------------
# On standard output where one tries; in production nobody's mail, or link to a new password, lies
# in a log: what would leave is held and says so (core/mailing.py).
EMAIL_CONFIG = env.email_url_config(env.str("EMAIL_URL", default="") or "consolemail://")
vars().update(EMAIL_CONFIG)
MAIL_IS_SET = not EMAIL_CONFIG["EMAIL_BACKEND"].endswith("console.EmailBackend")
if PRODUCTION and not MAIL_IS_SET:
    EMAIL_BACKEND = "sphinx.core.mailing.NoServer"
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="sphinx@localhost")

# --- Logs: one line an event, on standard error, so that --json owns standard output ------
DJANGO_STRUCTLOG_CELERY_ENABLED = True
LOG_LEVEL = env.str("LOG_LEVEL", default="INFO" if PRODUCTION else "WARNING")
_shared_processors: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.ExtraAdder(),
    structlog.processors.TimeStamper(fmt="iso"),
]
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": structlog.stdlib.ProcessorFormatter,
            "processors": [
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                # Plain tracebacks: one with local variables would log personal data.
                structlog.processors.format_exc_info,
                hide_people,
                structlog.processors.JSONRenderer(ensure_ascii=False)
                if PRODUCTION
                else structlog.dev.ConsoleRenderer(colors=False),
            ],
            "foreign_pre_chain": _shared_processors,
        }
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
    "loggers": {
        # paramiko writes a traceback of its own from its thread; we report the error ourselves.
        "paramiko.transport": {"level": "CRITICAL"},
        # A line a task, with all its arguments, says less than our own events.
        "celery.app.trace": {"level": "WARNING"},
        "kombu.connection": {"level": "ERROR"},
        "weasyprint": {"level": "ERROR"},
        "fontTools": {"level": "ERROR"},
    },
}
structlog.configure(
    processors=[
        *_shared_processors,
        structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
    ],
    logger_factory=structlog.stdlib.LoggerFactory(),
    cache_logger_on_first_use=True,
)

# Errors also go to a Sentry of the firm's choice; blank: nowhere.
watch_with_sentry(env.str("SENTRY_DSN", default=""))

# --- Ingest ------------------------------------------------------------------------------
INGEST_CHUNK_ORDERS = env.int("INGEST_CHUNK_ORDERS", default=4000)
# A cell that somebody corrects by hand; no shop writes longer ones.
MAX_CELL_CHARS = 20_000
INGEST_MAX_FILE_BYTES = env.int("INGEST_MAX_FILE_BYTES", default=2 * 1024**3)

# --- Back-office -------------------------------------------------------------------------
from sphinx.navigation import SIDEBAR  # noqa: E402  (a plain list, kept out of this file)

UNFOLD = {
    "SITE_TITLE": "Sphinx",
    "SITE_HEADER": "Sphinx",
    "SITE_SUBHEADER": _("Gestion e-commerce"),
    "SITE_SYMBOL": "storefront",
    "SITE_URL": "/",
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": "/static/sphinx/favicon.svg"}
    ],
    "SHOW_LANGUAGES": True,
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "STYLES": ["/static/sphinx/admin.css"],
    "SCRIPTS": ["/static/sphinx/frame.js"],
    "COLORS": {
        "primary": {
            "50": "240 249 255",
            "100": "224 242 254",
            "200": "186 230 253",
            "300": "125 211 252",
            "400": "56 189 248",
            "500": "14 116 188",
            "600": "3 96 161",
            "700": "7 80 133",
            "800": "12 68 110",
            "900": "14 56 92",
            "950": "8 38 64",
        }
    },
    "ACCOUNT": {
        "navigation": [
            {"title": _("Second facteur"), "link": reverse_lazy("mfa_index")},
            {"title": _("Mes sessions"), "link": reverse_lazy("usersessions_list")},
        ],
    },
    "COMMAND": {"search_callback": "sphinx.dashboard.search.results"},
    "SIDEBAR": {
        "show_search": True,
        "command_search": True,
        "show_all_applications": False,
        "navigation": SIDEBAR,
    },
    "LOGIN": {"redirect_after": lambda request: reverse_lazy("dashboard:home")},
}
