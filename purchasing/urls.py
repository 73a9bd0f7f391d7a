from django.urls import path

from purchasing import views

app_name = "purchasing"
urlpatterns = [
    path("achats/articles/<int:product_id>/", views.product, name="product"),
    path("achats/propositions/<int:order_id>/", views.proposal, name="proposal"),
    path("achats/propositions/calculer/", views.replenish, name="replenish"),
    path("achats/commandes/nouvelle/", views.new_order, name="new_order"),
    path("achats/commandes/<int:order_id>/recevoir/", views.receive, name="receive"),
    path("achats/commandes/<int:order_id>/facture/", views.enter_invoice, name="enter_invoice"),
    path("achats/commandes/<int:order_id>.pdf", views.order_pdf, name="order_pdf"),
    path("achats/commandes/<int:order_id>.csv", views.order_csv, name="order_csv"),
    path("achats/receptions/<int:receipt_id>/", views.receipt, name="receipt"),
    path("achats/factures/<int:invoice_id>/", views.invoice, name="invoice"),
    path("achats/comparaison/", views.backtest, name="backtest"),
    path(
        "achats/comparaison/<int:backtest_id>/avancement/",
        views.backtest_progress,
        name="backtest_progress",
    ),
    path("achats/fournisseurs/", views.scorecards, name="scorecards"),
]
