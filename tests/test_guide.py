"""The guide: whole in both languages, true to the program, reached from each screen."""

import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from django.urls import get_resolver
from django.utils.translation import override

from accounting_export.formats import formats
from ftp_ingest.what_to_do import WHAT_TO_DO
from sphinx.guide.building import GuideNotBuilt, build
from sphinx.guide.fillings import SOURCES, fill
from sphinx.guide.messages import messages
from sphinx.guide.where import PAGES, page_for
from tests.crawled import local_links

LANGUAGES = [code for code, _name in settings.LANGUAGES]
