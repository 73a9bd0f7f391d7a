"""Forms of the log-in that note more than the package's own."""

from allauth.account.forms import ChangePasswordForm
from django.core.exceptions import ValidationError

from sphinx.core.services import record


class OwnPasswordForm(ChangePasswordForm):
    """A new password: a wrong old one is in the trail, as a wrong one at the log-in is."""

    def clean_oldpassword(self) -> str:
        try:
            return str(super().clean_oldpassword())
        except ValidationError:
            record("account.password_refused", [self.user], actor=self.user)
            raise
