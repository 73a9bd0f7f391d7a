"""What `check --deploy` says of an installation besides Django's own."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Warning, register


@register(deploy=True)
def mail_is_set(app_configs: Any, **options: Any) -> list[CheckMessage]:
    """E-mails leave, and from an address of the firm's."""
    found: list[CheckMessage] = []
    if not settings.MAIL_IS_SET:
        found.append(
            Warning(
                "EMAIL_URL manque : aucun e-mail ne part (mots de passe oubliés, relances, colis).",
                hint="EMAIL_URL=smtp+tls://utilisateur:motdepasse@serveur:587",
                id="sphinx.W001",
            )
        )
    if settings.DEFAULT_FROM_EMAIL.endswith("@localhost"):
        found.append(
            Warning(
                "DEFAULT_FROM_EMAIL manque : les serveurs refusent ce qui vient de @localhost.",
                hint="DEFAULT_FROM_EMAIL=gestion@exemple.fr",
                id="sphinx.W002",
            )
        )
    return found
