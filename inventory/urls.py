from django.urls import path

from inventory import views

app_name = "inventory"
urlpatterns = [
    path("stock/inventaires/nouveau/", views.new_count, name="new_count"),
    path("stock/inventaires/<int:count_id>/", views.count, name="count"),
    path("stock/inventaires/<int:count_id>/feuille/", views.count_sheet, name="count_sheet"),
    path("stock/inventaires/<int:count_id>/<slug:verb>/", views.end_count, name="end_count"),
    path("stock/transferts/nouveau/", views.new_transfer, name="new_transfer"),
    path("stock/transferts/<int:transfer_id>/", views.transfer, name="transfer"),
    path("stock/corriger/<int:position_id>/", views.correct, name="correct"),
    path("stock/articles/<int:product_id>/image/", views.picture, name="picture"),
    path("stock/emplacements/", views.bins, name="bins"),
    path("stock/emplacements/parcours/", views.walk, name="walk"),
    path("stock/emplacements/deplacer/", views.move_goods, name="move_goods"),
    path("stock/a-ranger/", views.put_away, name="put_away"),
    path("stock/modeles/nouveau/", views.new_style, name="new_style"),
    path("stock/modeles/<int:style_id>/", views.edit_style, name="edit_style"),
    path("stock/valeur/", views.value, name="value"),
    path("stock/valeur.csv", views.value_csv, name="value_csv"),
]
