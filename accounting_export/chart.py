"""The default chart and rules of a French merchant (PCG); edited in the back-office after.

The last digits are a firm's choice; 44572 + ISO numeric country for OSS keeps that VAT out of
the accounts of the French return.
"""

from typing import Any

# nature, regime, rate, account, label; empty: any.
DEFAULT_RULES = (
    ("customers", "", None, "41110000", "Clients"),
    ("goods", "", None, "70710000", "Ventes de marchandises France 20%"),
    ("goods", "domestic", "20.00", "70710000", "Ventes de marchandises France 20%"),
    ("goods", "domestic", "10.00", "70711000", "Ventes de marchandises France 10%"),
    ("goods", "domestic", "8.50", "70718500", "Ventes de marchandises France 8,5%"),
    ("goods", "domestic", "5.50", "70715500", "Ventes de marchandises France 5,5%"),
    ("goods", "domestic", "2.10", "70712100", "Ventes de marchandises France 2,1%"),
    ("goods", "domestic", "0.00", "70719000", "Ventes de marchandises France sans TVA"),
    ("goods", "exempt", None, "70719300", "Ventes de marchandises franchise art. 293 B"),
    ("goods", "eu_business", None, "70720000", "Ventes de marchandises livraisons intracom"),
    ("goods", "oss", None, "70730000", "Ventes de marchandises VAD UE (OSS)"),
    ("goods", "export", None, "70740000", "Ventes de marchandises export"),
    ("shipping", "", None, "70851000", "Ports factures France 20%"),
    ("shipping", "domestic", "20.00", "70851000", "Ports factures France 20%"),
    ("shipping", "domestic", "10.00", "70851100", "Ports factures France 10%"),
    ("shipping", "domestic", "5.50", "70851550", "Ports factures France 5,5%"),
    ("shipping", "domestic", "2.10", "70851210", "Ports factures France 2,1%"),
    ("shipping", "eu_business", None, "70852000", "Ports factures intracom"),
    ("shipping", "oss", None, "70853000", "Ports factures VAD UE (OSS)"),
    ("shipping", "export", None, "70854000", "Ports factures export"),
    ("fee", "", None, "70858000", "Frais accessoires factures"),
    ("duties", "", None, "70859000", "Droits de douane refactures"),
    ("tip", "", None, "75800000", "Pourboires et produits divers de gestion courante"),
    # A voucher for any good is no sale: VAT falls due when it is spent (CGI, art. 256 ter).
    ("gift_card", "", None, "41910000", "Clients - cartes cadeaux vendues"),
    ("deposit", "", None, "41911000", "Clients - avances et acomptes recus sur commandes"),
    ("discount", "", None, "70970000", "RRR accordes sur ventes de marchandises"),
    ("tax", "domestic", None, "44571900", "TVA collectee autres taux"),
    ("tax", "domestic", "20.00", "44571100", "TVA collectee 20%"),
    ("tax", "domestic", "10.00", "44571200", "TVA collectee 10%"),
    ("tax", "domestic", "5.50", "44571300", "TVA collectee 5,5%"),
    ("tax", "domestic", "2.10", "44571400", "TVA collectee 2,1%"),
    ("tax", "domestic", "8.50", "44571500", "TVA collectee 8,5%"),
    ("suppliers", "", None, "40110000", "Fournisseurs"),
    ("purchases", "", None, "60710000", "Achats de marchandises France"),
    ("purchases", "eu_business", None, "60720000", "Achats de marchandises intracom"),
    ("purchases", "export", None, "60740000", "Achats de marchandises import"),
    ("carriage", "", None, "62410000", "Transports sur achats"),
    ("input_tax", "", None, "44566000", "TVA deductible sur autres biens et services"),
    ("input_tax", "eu_business", None, "44566200", "TVA deductible intracom"),
    ("self_tax", "", None, "44520000", "TVA due intracommunautaire"),
    # Taking cards is exempt (CGI, art. 261 C, 1°): providers' fees bear no VAT.
    ("fees", "", None, "62780000", "Commissions des prestataires de paiement"),
    ("transit", "", None, "58000000", "Virements internes"),
    ("suspense", "", None, "47100000", "Compte d'attente"),
    # Money that came before its invoice.
    ("advance", "", None, "41911000", "Clients - avances et acomptes recus sur commandes"),
    ("bank_fee", "", None, "62700000", "Services bancaires et assimiles"),
    ("shortfall", "", None, "65800000", "Charges diverses de gestion courante"),
    ("surplus", "", None, "75800000", "Pourboires et produits divers de gestion courante"),
    # Where the firm follows PCG art. 946-65 and 947-75 for debts of trade: 656 and 756.
    ("fx_loss", "", None, "66600000", "Pertes de change"),
    ("fx_gain", "", None, "76600000", "Gains de change"),
)
JOURNALS = (
    ("VE", "Journal des ventes"),
    ("AC", "Journal des achats"),
    ("BQ", "Banque"),
    ("CB", "Cartes bancaires"),
    ("ST", "Stripe"),
    ("PP", "PayPal"),
    ("SP", "Shopify Payments"),
    ("CQ", "Chèques"),
    ("CA", "Caisse"),
    ("OD", "Opérations diverses"),
)
# name, journal, account, its label, provider, words of the shop's payment method.
DEFAULT_MEANS = (
    ("Carte bancaire", "CB", "51150000", "Cartes bancaires a l'encaissement", "", ""),
    ("Banque", "BQ", "51210000", "Banque", "",
     "virement, transfer, bank, banque, bacs, sepa, wire, iban"),
    ("Stripe", "ST", "51151000", "Stripe", "stripe", "stripe"),
    ("PayPal", "PP", "51152000", "PayPal", "paypal", "paypal"),
    ("Shopify Payments", "SP", "51153000", "Shopify Payments", "shopify", "shopify payments"),
    ("Chèque", "CQ", "51120000", "Cheques a encaisser", "", "cheque, check"),
    ("Espèces", "CA", "53000000", "Caisse", "", "especes, cash, comptant"),
    ("Carte cadeau", "OD", "41910000", "Clients - cartes cadeaux vendues", "",
     "gift card, carte cadeau, bon cadeau"),
)  # fmt: skip
BANK = "Banque"
# ISO 3166-1 numeric of the member states a French shop sells to at distance; Northern Ireland
# has that of the United Kingdom.
OSS_COUNTRIES = (
    ("AT", "040", "Autriche"),
    ("BE", "056", "Belgique"),
    ("BG", "100", "Bulgarie"),
    ("CY", "196", "Chypre"),
    ("CZ", "203", "Tchequie"),
    ("DE", "276", "Allemagne"),
    ("DK", "208", "Danemark"),
    ("EE", "233", "Estonie"),
    ("ES", "724", "Espagne"),
    ("FI", "246", "Finlande"),
    ("GR", "300", "Grece"),
    ("HR", "191", "Croatie"),
    ("HU", "348", "Hongrie"),
    ("IE", "372", "Irlande"),
    ("IT", "380", "Italie"),
    ("LT", "440", "Lituanie"),
    ("LU", "442", "Luxembourg"),
    ("LV", "428", "Lettonie"),
    ("MT", "470", "Malte"),
    ("NL", "528", "Pays-Bas"),
    ("PL", "616", "Pologne"),
    ("PT", "620", "Portugal"),
    ("RO", "642", "Roumanie"),
    ("SE", "752", "Suede"),
    ("SI", "705", "Slovenie"),
    ("SK", "703", "Slovaquie"),
    ("XI", "826", "Irlande du Nord"),
)


def _ensure_oss() -> None:
    """Give each country of the one-stop shop its account, unless one account is all countries'."""
    from accounting_export.models import Account, AccountRule

    known = set(
        AccountRule.objects.filter(nature="tax", regime="oss").values_list("country", flat=True)
    )
    for country, numeric, name in OSS_COUNTRIES if "" not in known else ():
        if country not in known:
            account, _created = Account.objects.get_or_create(
                number=f"44572{numeric}", defaults={"label": f"TVA OSS {name}"}
            )
            AccountRule.objects.create(nature="tax", regime="oss", country=country, account=account)


def ensure_chart(**_: Any) -> None:
    """Give each nature of amounts its rules; a nature that has some is left alone."""
    from accounting_export.models import Account, AccountRule, Journal, PaymentMeans

    for code, label in JOURNALS:
        Journal.objects.get_or_create(code=code, defaults={"label": label})
    kept = set(AccountRule.objects.values_list("nature", flat=True))
    for nature, regime, rate, number, label in DEFAULT_RULES:
        if nature in kept:
            continue
        account, _created = Account.objects.get_or_create(number=number, defaults={"label": label})
        AccountRule.objects.create(nature=nature, regime=regime, tax_rate=rate, account=account)
    _ensure_oss()
    if not PaymentMeans.objects.exists():
        for name, journal, number, label, provider, keywords in DEFAULT_MEANS:
            account, _created = Account.objects.get_or_create(
                number=number, defaults={"label": label}
            )
            PaymentMeans.objects.create(
                name=name,
                journal=Journal.objects.get(code=journal),
                account=account,
                provider=provider,
                keywords=keywords,
                is_bank=name == BANK,
            )
