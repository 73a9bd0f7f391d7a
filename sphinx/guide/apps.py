from django.apps import AppConfig


class GuideConfig(AppConfig):
    name = "sphinx.guide"
    label = "guide"
