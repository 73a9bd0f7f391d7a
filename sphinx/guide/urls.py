"""Addresses of the guide."""

from django.urls import path

from sphinx.guide import views

app_name = "guide"
urlpatterns = [
    path("aide/", views.home, name="home"),
    path("aide/<slug:language>/<path:path>", views.page, name="page"),
    path("aide/<slug:language>/", views.page, {"path": ""}, name="first"),
]
