from django.urls import path, re_path

from sphinx.dashboard import (
    alert_views,
    budget_views,
    cohort_views,
    direct_views,
    emebi_views,
    pivot_views,
    statistics_views,
    stock_views,
    views,
)

app_name = "dashboard"
urlpatterns = [
    path("", views.home, name="home"),
    path("premiers-pas/cacher/", views.hide_first_steps, name="hide_first_steps"),
    path("statistiques/", statistics_views.page, name="statistics"),
    path("statistiques/classeur.xlsx", statistics_views.workbook, name="statistics_workbook"),
    path("statistiques/semaine.pdf", statistics_views.weekly, name="weekly"),
    path("statistiques/croiser/", pivot_views.page, name="pivot"),
    path("statistiques/croiser/garder/", pivot_views.keep, name="keep_pivot"),
    path("statistiques/croiser/oublier/<int:pk>/", pivot_views.forget, name="forget_pivot"),
    re_path(
        r"^statistiques/croiser/ventes\.(?P<extension>csv|xlsx)$",
        pivot_views.take_away,
        name="pivot_file",
    ),
    path("statistiques/clients/", cohort_views.page, name="cohorts"),
    path("statistiques/clients/classeur.xlsx", cohort_views.workbook, name="cohort_workbook"),
    path("statistiques/stock/", stock_views.page, name="stock_statistics"),
    path("statistiques/stock/classeur.xlsx", stock_views.workbook, name="stock_workbook"),
    path("statistiques/emebi/", emebi_views.page, name="emebi"),
    path("statistiques/emebi/classeur.xlsx", emebi_views.workbook, name="emebi_workbook"),
    path("alertes/", alert_views.alerts, name="alerts"),
    path("alertes/<slug:verb>/<int:pk>/", alert_views.act, name="alert_action"),
    path("achats/budget/", budget_views.page, name="buying_budget"),
    path("achats/budget/attendre/", budget_views.postpone, name="postpone_buying"),
    path("envois-directs/", direct_views.departures, name="departures"),
    path("envois-directs/<int:order_id>/", direct_views.departure, name="departure"),
    path("commandes/<int:order_id>/<slug:verb>/", views.act_on_order, name="order_action"),
]
