"""By which server e-mails leave, and a test of it."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from sphinx.core.errors import SphinxError
from sphinx.core.mailing import send_test_mail
from sphinx.core.pages import back_office_page


@login_required
@permission_required("core.view_company", raise_exception=True)
def page(request: HttpRequest) -> HttpResponse:
    """What is set; the environment sets it, never a page."""
    return back_office_page(
        request,
        "core/mail.html",
        title=_("E-mails"),
        is_set=settings.MAIL_IS_SET,
        host=getattr(settings, "EMAIL_HOST", ""),
        sender=settings.DEFAULT_FROM_EMAIL,
    )


@login_required
@permission_required("core.view_company", raise_exception=True)
@require_POST
def test(request: HttpRequest) -> HttpResponse:
    """Send who asks a message."""
    try:
        send_test_mail(request.user)  # type: ignore[arg-type]
    except SphinxError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("E-mail d'essai parti à %s.") % request.user.email)  # type: ignore[union-attr]
    return redirect("core:mail")
