from django.urls import path

from suppliers import views

app_name = "suppliers"
urlpatterns = [
    path("fournisseurs/tarifs/nouveau/", views.new_price_list, name="new_price_list"),
    path("fournisseurs/tarifs/<int:price_list_id>/", views.price_list, name="price_list"),
]
