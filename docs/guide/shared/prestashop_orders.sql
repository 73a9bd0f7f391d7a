SELECT o.id_order, o.reference, o.date_add, s.name AS order_state, o.current_state, o.payment,
  cu.iso_code AS currency, o.total_paid_tax_incl, o.total_paid_tax_excl, o.total_shipping_tax_incl,
  o.total_shipping_tax_excl, o.carrier_tax_rate, o.total_discounts_tax_incl, o.total_wrapping_tax_incl,
  o.total_wrapping_tax_excl, o.id_customer, c.is_guest, c.email, c.firstname, c.lastname, c.company, c.siret,
  ai.vat_number, ai.firstname AS invoice_firstname, ai.lastname AS invoice_lastname,
  ai.company AS invoice_company, ai.address1 AS invoice_address1, ai.address2 AS invoice_address2,
  ai.postcode AS invoice_postcode, ai.city AS invoice_city, pi.iso_code AS invoice_country_iso,
  ai.phone AS invoice_phone, ad.firstname AS delivery_firstname, ad.lastname AS delivery_lastname,
  ad.company AS delivery_company, ad.address1 AS delivery_address1, ad.address2 AS delivery_address2,
  ad.postcode AS delivery_postcode, ad.city AS delivery_city, pd.iso_code AS delivery_country_iso,
  ad.phone AS delivery_phone, d.product_reference, d.product_name, d.product_quantity,
  d.product_quantity_refunded, d.unit_price_tax_incl, d.unit_price_tax_excl, d.total_price_tax_incl,
  d.total_price_tax_excl, t.rate AS tax_rate
FROM ps_orders o
JOIN ps_order_detail d ON d.id_order = o.id_order
LEFT JOIN ps_order_detail_tax dt ON dt.id_order_detail = d.id_order_detail
LEFT JOIN ps_tax t ON t.id_tax = dt.id_tax
JOIN ps_customer c ON c.id_customer = o.id_customer
JOIN ps_currency cu ON cu.id_currency = o.id_currency
JOIN ps_address ai ON ai.id_address = o.id_address_invoice
JOIN ps_country pi ON pi.id_country = ai.id_country
JOIN ps_address ad ON ad.id_address = o.id_address_delivery
JOIN ps_country pd ON pd.id_country = ad.id_country
LEFT JOIN ps_order_state_lang s ON s.id_order_state = o.current_state AND s.id_lang = o.id_lang
WHERE o.date_upd >= DATE_SUB(NOW(), INTERVAL 30 DAY)
ORDER BY o.id_order, d.id_order_detail
