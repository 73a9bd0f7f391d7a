SELECT c.id_customer, c.is_guest, c.email, c.firstname, c.lastname,
  COALESCE(NULLIF(c.company, ''), a.company) AS company, c.siret, c.newsletter, c.date_add,
  a.vat_number, a.address1, a.address2, a.postcode, a.city, p.iso_code AS country_iso,
  COALESCE(NULLIF(a.phone, ''), a.phone_mobile) AS phone
FROM ps_customer c
LEFT JOIN ps_address a ON a.id_customer = c.id_customer AND a.deleted = 0
LEFT JOIN ps_address later ON later.id_customer = c.id_customer AND later.deleted = 0
  AND later.id_address > a.id_address
LEFT JOIN ps_country p ON p.id_country = a.id_country
WHERE c.deleted = 0 AND later.id_address IS NULL
