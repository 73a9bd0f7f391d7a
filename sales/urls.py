from django.urls import path

from sales.views import articles, desk, differences, dispatch, quotes, returns, styles

app_name = "sales"
urlpatterns = [
    path("documents/livraisons/<int:note_id>.pdf", desk.delivery_pdf, name="delivery_pdf"),
    path("livraisons/", dispatch.worktop, name="worktop"),
    path("livraisons/preparer/", dispatch.prepare, name="prepare"),
    path("livraisons/prelevement/", dispatch.picking, name="picking"),
    path("livraisons/etiquettes/<slug:layout>.csv", dispatch.labels, name="labels"),
    path("livraisons/suivi/", dispatch.tracking, name="tracking"),
    path("commandes/ecarts/", differences.differences, name="differences"),
    path("livraisons/<int:note_id>/colis/", dispatch.parcel, name="parcel"),
    path("livraisons/<int:note_id>/retour/", desk.take_back, name="take_back"),
    path("retours/", returns.returns, name="returns"),
    path("retours/<int:request_id>/", returns.one_return, name="return"),
    path("documents/retours/<int:request_id>.pdf", returns.slip, name="return_slip"),
    path("devis/", quotes.quotes, name="quotes"),
    path("devis/nouveau/", quotes.new_quote, name="new_quote"),
    path("devis/<int:quote_id>/", quotes.quote, name="quote"),
    path("documents/devis/<int:quote_id>.pdf", quotes.quote_pdf, name="quote_pdf"),
    path("articles/modeles/", styles.recognise_styles, name="recognise_styles"),
    path("articles/sans-reference/", articles.without_sku, name="without_sku"),
    path("clients/fusionner/", desk.merge, name="merge_customers"),
]
