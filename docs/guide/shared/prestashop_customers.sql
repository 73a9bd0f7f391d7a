SELECT c.id_customer, c.email, c.firstname, c.lastname, c.company, c.siret, c.newsletter, c.date_add,
  a.vat_number, a.address1, a.address2, a.postcode, a.city, p.iso_code AS country_iso, a.phone
FROM ps_customer c
LEFT JOIN ps_address a ON a.id_customer = c.id_customer AND a.deleted = 0
LEFT JOIN ps_country p ON p.id_country = a.id_country
WHERE c.deleted = 0
GROUP BY c.id_customer
