SELECT o.id_order, MAX(o.reference) AS reference, MAX(o.date_add) AS date_add,
  GREATEST(MAX(o.date_upd), COALESCE(MAX(z.date_upd), MAX(o.date_upd))) AS date_upd,
  MAX(s.name) AS order_state, MAX(o.current_state) AS current_state, MAX(os.paid) AS paid,
  MAX(os.shipped) AS shipped, MAX(os.logable) AS logable, MAX(o.payment) AS payment,
  MAX(o.total_paid_real) AS total_paid_real, MAX(cu.iso_code) AS currency,
  MAX(o.total_paid_tax_incl) AS total_paid_tax_incl,
  MAX(o.total_paid_tax_excl) AS total_paid_tax_excl,
  MAX(o.total_shipping_tax_incl) AS total_shipping_tax_incl,
  MAX(o.total_shipping_tax_excl) AS total_shipping_tax_excl,
  MAX(o.carrier_tax_rate) AS carrier_tax_rate, MAX(r.free_shipping) AS free_shipping,
  MAX(o.total_discounts_tax_incl) AS total_discounts_tax_incl,
  MAX(o.total_discounts_tax_excl) AS total_discounts_tax_excl,
  MAX(o.total_wrapping_tax_incl) AS total_wrapping_tax_incl,
  MAX(o.total_wrapping_tax_excl) AS total_wrapping_tax_excl,
  AVG(z.total_shipping_tax_incl + IF(z.amount = z.total_products_tax_excl,
      z.total_products_tax_incl,
      z.amount - IF(z.order_slip_type = 1, o.total_discounts_tax_incl, 0)))
    * COUNT(DISTINCT z.id_order_slip) AS total_refunded_tax_incl,
  AVG(z.total_shipping_tax_incl) * COUNT(DISTINCT z.id_order_slip) AS shipping_refunded_tax_incl,
  AVG(sd.total_price_tax_incl) * COUNT(DISTINCT sd.id_order_slip) AS line_refunded_tax_incl,
  MAX(ca.name) AS carrier, MAX(oc.tracking_number) AS tracking_number,
  MIN(IF(hs.shipped = 1, h.date_add, NULL)) AS shipped_at,
  MAX(o.id_customer) AS id_customer, MAX(c.is_guest) AS is_guest, MAX(c.email) AS email,
  MAX(c.firstname) AS firstname, MAX(c.lastname) AS lastname, MAX(c.company) AS company,
  MAX(c.siret) AS siret, MAX(ai.vat_number) AS vat_number,
  MAX(ai.firstname) AS invoice_firstname, MAX(ai.lastname) AS invoice_lastname,
  MAX(ai.company) AS invoice_company, MAX(ai.address1) AS invoice_address1,
  MAX(ai.address2) AS invoice_address2, MAX(ai.postcode) AS invoice_postcode,
  MAX(ai.city) AS invoice_city, MAX(pi.iso_code) AS invoice_country_iso,
  MAX(COALESCE(NULLIF(ai.phone, ''), ai.phone_mobile)) AS invoice_phone,
  MAX(ad.firstname) AS delivery_firstname,
  MAX(ad.lastname) AS delivery_lastname, MAX(ad.company) AS delivery_company,
  MAX(ad.address1) AS delivery_address1, MAX(ad.address2) AS delivery_address2,
  MAX(ad.postcode) AS delivery_postcode, MAX(ad.city) AS delivery_city,
  MAX(pd.iso_code) AS delivery_country_iso,
  MAX(COALESCE(NULLIF(ad.phone, ''), ad.phone_mobile)) AS delivery_phone,
  MAX(d.product_id) AS product_id, MAX(d.product_attribute_id) AS product_attribute_id,
  MAX(d.product_reference) AS product_reference, MAX(d.product_name) AS product_name,
  MAX(d.product_quantity) AS product_quantity,
  MAX(d.product_quantity_refunded) AS product_quantity_refunded,
  MAX(d.product_quantity_return) AS product_quantity_return,
  MAX(d.unit_price_tax_incl) AS unit_price_tax_incl,
  MAX(d.unit_price_tax_excl) AS unit_price_tax_excl,
  MAX(d.total_price_tax_incl) AS total_price_tax_incl,
  MAX(d.total_price_tax_excl) AS total_price_tax_excl, SUM(DISTINCT t.rate) AS tax_rate
FROM ps_orders o
LEFT JOIN ps_order_detail d ON d.id_order = o.id_order
LEFT JOIN ps_order_detail_tax dt ON dt.id_order_detail = d.id_order_detail
LEFT JOIN ps_tax t ON t.id_tax = dt.id_tax
LEFT JOIN ps_order_cart_rule r ON r.id_order = o.id_order
LEFT JOIN ps_customer c ON c.id_customer = o.id_customer
LEFT JOIN ps_currency cu ON cu.id_currency = o.id_currency
LEFT JOIN ps_address ai ON ai.id_address = o.id_address_invoice
LEFT JOIN ps_country pi ON pi.id_country = ai.id_country
LEFT JOIN ps_address ad ON ad.id_address = o.id_address_delivery
LEFT JOIN ps_country pd ON pd.id_country = ad.id_country
LEFT JOIN ps_order_state os ON os.id_order_state = o.current_state
LEFT JOIN ps_order_state_lang s ON s.id_order_state = o.current_state AND s.id_lang = o.id_lang
LEFT JOIN ps_order_slip z ON z.id_order = o.id_order
LEFT JOIN ps_order_slip_detail sd ON sd.id_order_slip = z.id_order_slip
  AND sd.id_order_detail = d.id_order_detail
LEFT JOIN ps_order_carrier oc ON oc.id_order = o.id_order
LEFT JOIN ps_carrier ca ON ca.id_carrier = oc.id_carrier
LEFT JOIN ps_order_history h ON h.id_order = o.id_order
LEFT JOIN ps_order_state hs ON hs.id_order_state = h.id_order_state
GROUP BY o.id_order, d.id_order_detail
HAVING GREATEST(MAX(o.date_upd), COALESCE(MAX(z.date_upd), MAX(o.date_upd))) >= DATE_SUB(NOW(), INTERVAL 30 DAY)
ORDER BY o.id_order, d.id_order_detail
