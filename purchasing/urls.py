from django.urls import path

from purchasing.views import (
    adjustments,
    invoices,
    landed,
    looking_back,
    orders,
    products,
    receiving,
    receptions,
    styles,
)

app_name = "purchasing"
urlpatterns = [
    path("achats/articles/<int:product_id>/", products.product, name="product"),
    path("achats/modeles/<int:style_id>/", styles.style, name="style"),
    path("achats/previsions/", adjustments.adjustments, name="adjustments"),
    path("achats/propositions/<int:order_id>/", orders.proposal, name="proposal"),
    path("achats/propositions/calculer/", orders.replenish, name="replenish"),
    path("achats/commandes/nouvelle/", orders.new_order, name="new_order"),
    path("achats/commandes/<int:order_id>/recevoir/", receiving.receive, name="receive"),
    path("achats/commandes/<int:order_id>/facture/", invoices.enter_invoice, name="enter_invoice"),
    path("achats/commandes/<int:order_id>.pdf", orders.order_pdf, name="order_pdf"),
    path("achats/commandes/<int:order_id>/bordereau.pdf", orders.direct_slip, name="direct_slip"),
    path("achats/commandes/<int:order_id>.csv", orders.order_csv, name="order_csv"),
    path("achats/receptions/<int:receipt_id>/", receiving.receipt, name="receipt"),
    path("achats/factures/<int:invoice_id>/", invoices.invoice, name="invoice"),
    path("achats/factures/frais/", landed.landed_costs, name="landed_costs"),
    path("achats/factures/recevoir/", receptions.bring, name="bring_einvoices"),
    path("achats/factures/recues/<int:received_id>/", receptions.received, name="received"),
    path(
        "achats/factures/recues/<int:received_id>/fichier/",
        receptions.received_file,
        name="received_file",
    ),
    path("achats/comparaison/", looking_back.backtest, name="backtest"),
    path(
        "achats/comparaison/<int:backtest_id>/avancement/",
        looking_back.backtest_progress,
        name="backtest_progress",
    ),
    path("achats/fournisseurs/", looking_back.scorecards, name="scorecards"),
]
