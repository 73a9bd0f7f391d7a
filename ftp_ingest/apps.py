from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class FtpIngestConfig(AppConfig):
    name = "ftp_ingest"
    verbose_name = _("Passerelle")
