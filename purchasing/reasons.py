"""The figures of a proposed quantity, told in sentences: what was seen, what follows from it."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from purchasing import calendar_and_changes
from purchasing.calendar_and_changes import Told
from sphinx.core.templatetags.numbers import local

__all__ = ["Told", "explain", "headline"]


def headline(reason: Mapping[str, Any]) -> str:
    """Why this product is proposed, in one line."""
    reason = _spoken(reason)
    return " ; ".join([_why(reason), *calendar_and_changes.headlines(reason)])


def _why(reason: Mapping[str, Any]) -> str:
    if reason.get("completes") == "completes_free":
        return _("Complète la commande jusqu'au franco de port")
    if reason.get("completes") == "completes_minimum":
        return _("Complète la commande jusqu'au minimum du fournisseur")
    policy = reason.get("policy")
    if policy == "just_in_time":
        return _("Flux tendu : ce que des clients attendent")
    if policy == "drop_ship":
        return _("Livré par le fournisseur : ce que ce client attend")
    if policy == "minimum_maximum":
        return _("Sous le minimum fixé à la main (%(low)s), recomplété à %(high)s") % {
            "low": reason.get("reorder_minimum", ""),
            "high": reason.get("reorder_maximum", ""),
        }
    if policy == "learned":
        return _("%(there)s en vue, le point de commande est à %(point)s") % {
            "there": reason.get("forecast", ""),
            "point": reason.get("reorder_point", ""),
        }
    if policy == "by_hand":
        return _("Commandé à la main")
    return _("Des clients attendent")


def explain(reason: Mapping[str, Any]) -> list[Told]:
    """The whole way from sales to the quantity."""
    if not reason.get("needed") or reason.get("policy") in ("drop_ship", "by_hand"):
        return []
    reason = _spoken(reason)
    told = [_position(reason)]
    if late := _late(reason):
        told.append(late)
    if reason.get("method"):
        told = [
            _demand(reason),
            *calendar_and_changes.changes(reason),
            _lead_time(reason),
            *calendar_and_changes.calendar(reason),
            _levels(reason),
            *told,
        ]
    if reason.get("brought"):
        text = _("Un autre dépôt en a trop : %(brought)s pièces, proposées en transfert d'abord.")
        told.append(Told(_("Transfert"), text % reason))
    return [*told, *_need(reason), *_steps(reason), *_by_hand(reason)]


def _spoken(reason: Mapping[str, Any]) -> dict[str, Any]:
    """The figures as the reader writes numbers."""
    spoken: dict[str, Any] = {
        key: local(value) if isinstance(value, str) else value for key, value in reason.items()
    }
    spoken["steps"] = [
        {key: local(value) for key, value in step.items()} for step in reason.get("steps", [])
    ]
    return spoken


def _late(r: Mapping[str, Any]) -> Told | None:
    if r.get("late") in (None, "", "0"):
        return None
    return Told(
        _("Trop tard"),
        _(
            "%(late)s des pièces attendues arrivent %(late_days)s jours après une commande "
            "d'aujourd'hui : elles ne couvrent pas les ventes d'ici là."
        )
        % r,
        _("jusqu'à leur arrivée = point de commande + ventes de ces jours"),
    )


def _position(r: Mapping[str, Any]) -> Told:
    if r.get("unsellable") not in (None, "", "0"):
        return Told(
            _("Stock"),
            _(
                "%(on_hand)s en stock dont %(unsellable)s périmées ou qui le seront avant d'être "
                "vendues, %(reserved)s réservées, %(incoming)s attendues, %(backordered)s à "
                "servir : %(forecast)s en vue."
            )
            % r,
            _("en vue = en stock − périmées − réservées + attendues − à servir"),
        )
    return Told(
        _("Stock"),
        _(
            "%(on_hand)s en stock, %(reserved)s réservées, %(incoming)s attendues, %(backordered)s "
            "à servir : %(forecast)s en vue."
        )
        % r,
        _("en vue = en stock − réservées + attendues − à servir"),
    )


def _patterns() -> dict[str, str]:
    return {
        "smooth": _("régulière"),
        "erratic": _("irrégulière"),
        "intermittent": _("intermittente"),
        "lumpy": _("par à-coups"),
    }


def _methods() -> dict[str, str]:
    return {
        "smoothing": _("lissage exponentiel"),
        "trend": _("lissage avec tendance amortie (elle prévoyait mieux le dernier trimestre)"),
        "season_smoothing": _("lissage avec saison de l'année"),
        "season_trend": _("lissage avec saison et tendance"),
        "croston_sba": _("méthode de Croston corrigée (Syntetos-Boylan)"),
        "prior": _("historique court, rapproché de ce que vend sa catégorie"),
        "curve": _("historique court, rapproché de sa part des ventes du modèle"),
        "tsb": _("méthode de Teunter, Syntetos et Babai (la demande qui s'éteint baisse)"),
        "dormant": _("rien vendu depuis six mois et six fois l'intervalle habituel"),
    }


def _demand(r: Mapping[str, Any]) -> Told:
    text = _(
        "%(demand_per_day)s par jour ± %(demand_spread)s, sur %(history_days)s jours. Demande "
        "%(pattern)s, prévue par %(method)s."
    ) % {
        **r,
        "pattern": _patterns().get(r.get("pattern", ""), ""),
        "method": _methods().get(r.get("method", ""), ""),
    }
    text += "".join(f" {sentence}" for sentence in _what_counts(r))
    if r.get("inherits_from"):
        text += " " + _("Il reprend l'historique de %s.") % r["inherits_from"]
    days_out = int(r.get("days_out") or 0)
    if days_out:
        text += (
            " "
            + ngettext(
                "%s jour sans stock ni commande n'est pas compté : il ne dit rien de la demande.",
                "%s jours sans stock ni commande ne sont pas comptés : ils ne disent rien de la "
                "demande.",
                days_out,
            )
            % days_out
        )
    if r.get("method") == "curve":
        text += " " + _of_model(r)
    if r.get("method") == "prior":
        text += " " + _("Sa catégorie vend %s par jour et par article.") % r["prior_per_day"]
    return Told(_("Demande"), text, _("ce qui a été demandé, servi ou non ; annulations exclues"))


def _of_model(r: Mapping[str, Any]) -> str:
    return (
        _(
            "La courbe du modèle %(style)s donne à %(style_options)s %(style_share)s %% de ses "
            "ventes, soit %(curve_per_day)s sur %(style_per_day)s par jour (%(style_pieces)s "
            "pièces demandées en six mois, les jours sans stock n'étant pas comptés)."
        )
        % r
    )


def _what_counts(r: Mapping[str, Any]) -> list[str]:
    """What isn't learned as ordinary demand, and what a person said of it."""
    found = []
    if r.get("left_out"):
        found.append(
            _(
                "%(left_out)s pièces (%(left_out_share)s %% de ce qui a été demandé) sont laissées "
                "de côté : commandes exceptionnelles."
            )
            % r
        )
    elif r.get("capped", "0") != "0":
        # Of before the share was kept.
        found.append(_("%s pièces d'une commande exceptionnelle sont laissées de côté.")
                     % r["capped"])  # fmt: skip
    if r.get("exceptional_customers"):
        found.append(
            _("Dont %s de clients dont les commandes sont dites exceptionnelles.")
            % r["exceptional_customers"]
        )
    if r.get("bulk_counts"):
        found.append(_("Les grosses commandes comptent : l'article le dit."))
    days = int(r.get("exceptional_days") or 0)
    if days:
        found.append(
            ngettext(
                "%s jour dit exceptionnel n'apprend rien de la demande ordinaire.",
                "%s jours dits exceptionnels n'apprennent rien de la demande ordinaire.",
                days,
            )
            % days
        )
    return found


def _lead_time(r: Mapping[str, Any]) -> Told:
    receipts = int(r.get("lead_time_receipts") or 0)
    text = _("%(lead_time_days)s jours ± %(lead_time_spread)s") % r
    if receipts:
        text += (
            " " + ngettext("(vu sur %s réception)", "(vu sur %s réceptions)", receipts) % receipts
        )
    else:
        text += " " + _("(annoncé par le fournisseur ; moins de trois réceptions)")
    return Told(_("Délai"), text)


def _levels(r: Mapping[str, Any]) -> Told:
    names = {
        "normal": _("loi normale"),
        "poisson": _("loi de Poisson"),
        "negative_binomial": _("loi binomiale négative"),
        "gamma": _("loi gamma, étalonnée sur le passé"),
        "none": _("rien à protéger"),
    }
    text = _(
        "Pendant le délai (%(protection_days)s jours) : %(protection_demand)s pièces ± "
        "%(protection_spread)s. Classe %(abc)s, servie à %(service_level)s %% : stock de sécurité "
        "%(safety_stock)s (%(law)s)."
    ) % {**r, "abc": r.get("abc") or "C", "law": names.get(r.get("distribution", ""), "")}
    if r.get("undershoot", "0") not in ("0", ""):
        text += (
            " "
            + _("Dont %s parce que le stock est déjà passé sous le point quand il est vu.")
            % r["undershoot"]
        )
    if r.get("policy") == "learned":
        text += " " + _("Point de commande %(reorder_point)s, recomplété à %(order_up_to)s.") % r
    elif r.get("learned_point"):
        text += (
            " "
            + _(
                "Calculé : point de commande %(learned_point)s, recomplété à %(learned_up_to)s ; "
                "le minimum fixé à la main l'emporte."
            )
            % r
        )
    return Told(
        _("Niveaux"), text, "σ² = φ·μ + κ²·μ² + σ_u² + d̄²·σ_L²,  s = quantile(μ + u, σ),  S = s + Q"
    )


def _need(r: Mapping[str, Any]) -> list[Told]:
    if r.get("completes"):
        text = _(
            "Serait commandé dans %(days_early)s jours : avancé pour atteindre %(target)s € HT."
        ) % {"days_early": r.get("days_early", ""), "target": r.get("completes_target", "")}
        return [Told(_("Besoin"), text)]
    if r.get("policy") == "learned":
        cover = r.get("cover_days", "")
        text = _("Besoin de %(needed)s : de %(forecast)s à %(order_up_to)s.") % r
        if r.get("economic_quantity"):
            text += " " + _("Quantité économique %s.") % r["economic_quantity"]
        else:
            text += " " + _("Une commande couvre %s jours.") % cover
        return [Told(_("Besoin"), text, "Q = max(√(2·D·K/(h·c)), couverture)")]
    return [Told(_("Besoin"), _("Besoin de %(needed)s.") % r)]


def _steps(r: Mapping[str, Any]) -> list[Told]:
    caps = {
        "shelf_life": _("il se périmerait avant d'être vendu"),
        "max_cover": _("couverture maximale de l'entreprise"),
    }
    texts = {
        "capped": _("limité : %(value)s"),
        "minimum": _("le fournisseur livre %(value)s au moins"),
        "pack": _("conditionné par %(value)s"),
        "price_break": _("à %(value)s € pièce, l'année coûte moins cher"),
    }
    found = []
    for step in r.get("steps", []):
        value = caps.get(step["value"], step["value"])
        why = texts.get(step["code"], "%(value)s") % {"value": value}
        found.append(Told(_("Quantité"), f"{step['from']} → {step['to']} : {why}"))
    return found


def _by_hand(r: Mapping[str, Any]) -> list[Told]:
    if not r.get("set_by_hand"):
        return []
    text = _("Changé de %(computed)s en %(set_by_hand)s par %(set_by)s") % {
        **r,
        "set_by": r.get("set_by") or "?",
    }
    if r.get("set_because"):
        text += _(" : %s") % r["set_because"]
    return [Told(_("À la main"), text)]
