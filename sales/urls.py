from django.urls import path

from sales import views

app_name = "sales"
urlpatterns = [
    path("documents/livraisons/<int:note_id>.pdf", views.delivery_pdf, name="delivery_pdf"),
    path("livraisons/<int:note_id>/retour/", views.take_back, name="take_back"),
    path("clients/fusionner/", views.merge, name="merge_customers"),
]
