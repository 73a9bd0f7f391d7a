from django.apps import AppConfig


class DemoConfig(AppConfig):
    name = "sphinx.demo"
    label = "demo"
