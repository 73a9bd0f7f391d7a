from django.urls import path

from sphinx.dashboard import views

app_name = "dashboard"
urlpatterns = [
    path("", views.home, name="home"),
    path("commandes/<int:order_id>/<slug:verb>/", views.act_on_order, name="order_action"),
]
