"""What `check --deploy` says of an installation besides Django's own."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

from sphinx.core.identity import role_pairs
from sphinx.core.oidc import is_private

_PROVIDER = ("OIDC_ISSUER", "OIDC_CLIENT_ID", "OIDC_CLIENT_SECRET")


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


@register(deploy=True)
def provider_is_set(app_configs: Any, **options: Any) -> list[CheckMessage]:
    """An identity provider is named whole, over HTTPS, and its groups lead to roles."""
    given = [getattr(settings, name) for name in _PROVIDER]
    if not any(given) and not settings.OIDC_ROLES and not settings.OIDC_ONLY:
        return []
    found: list[CheckMessage] = []
    if missing := [name for name, value in zip(_PROVIDER, given, strict=True) if not value]:
        found.append(
            Error(
                f"Fournisseur d'identité : il manque {', '.join(missing)}.",
                hint="docs/operations.md, Identity provider",
                id="sphinx.E001",
            )
        )
    if settings.OIDC_ISSUER and not is_private(settings.OIDC_ISSUER):
        found.append(
            Error(
                "OIDC_ISSUER doit être en HTTPS : sinon n'importe qui entre les deux se connecte.",
                hint="OIDC_ISSUER=https://identite.exemple.fr/realms/societe",
                id="sphinx.E002",
            )
        )
    return [*found, *_faults_of_roles()]


def _faults_of_roles() -> list[CheckMessage]:
    try:
        pairs = role_pairs(settings.OIDC_ROLES)
    except ValueError as error:
        return [
            Error(
                f"OIDC_ROLES : « {error} » n'est pas groupe=Rôle.",
                hint="OIDC_ROLES=/ventes=Ventes; /stock=Entrepôt",
                id="sphinx.E003",
            )
        ]
    if not pairs:
        return [
            Warning(
                "OIDC_ROLES manque : seuls les comptes déjà créés se connecteront.",
                hint="OIDC_ROLES=/ventes=Ventes; /stock=Entrepôt",
                id="sphinx.W003",
            )
        ]
    return []
