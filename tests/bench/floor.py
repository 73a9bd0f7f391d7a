"""Two floors under an import: the file's rows by set-based SQL alone, one transaction.

The bare one fills five tables of its own with a few columns each, without a rule, a check or an
origin. The other writes the very rows that an import leaves in Sphinx's tables (their columns,
indexes and constraints), except what takes thinking: VAT by rate, hashes, who waits for goods.
"""

import time
from pathlib import Path

from django.db import connection, transaction

_TABLES = """
DROP SCHEMA IF EXISTS bench_floor CASCADE;
CREATE SCHEMA bench_floor;
CREATE TABLE bench_floor.customer (
    id bigserial PRIMARY KEY, ref text UNIQUE, email text, name text, city text, country text);
CREATE TABLE bench_floor.orders (
    id bigserial PRIMARY KEY, number text UNIQUE,
    customer_id bigint REFERENCES bench_floor.customer,
    placed_at timestamp, status text, total numeric(12,2));
CREATE TABLE bench_floor.line (
    id bigserial PRIMARY KEY, order_id bigint REFERENCES bench_floor.orders, sku text,
    label text, quantity numeric(12,3), price numeric(14,6), rate numeric(5,2));
CREATE INDEX ON bench_floor.line (order_id);
CREATE INDEX ON bench_floor.line (sku);
CREATE TABLE bench_floor.move (
    id bigserial PRIMARY KEY, sku text, quantity numeric(12,3),
    order_id bigint REFERENCES bench_floor.orders, at timestamp DEFAULT now());
CREATE INDEX ON bench_floor.move (sku);
CREATE TABLE bench_floor.stock (sku text PRIMARY KEY, reserved numeric(12,3) NOT NULL DEFAULT 0);
"""
_UPSERTS = """
INSERT INTO bench_floor.customer (ref, email, name, city, country)
    SELECT DISTINCT ON (customer_ref) customer_ref, email, last_name, billing_city, billing_country
    FROM staged ORDER BY customer_ref
    ON CONFLICT (ref) DO UPDATE SET email = excluded.email;
INSERT INTO bench_floor.orders (number, customer_id, placed_at, status, total)
    SELECT DISTINCT ON (order_number) order_number, c.id, placed_at::timestamp, status,
        total_incl_tax::numeric
    FROM staged JOIN bench_floor.customer c ON c.ref = customer_ref ORDER BY order_number
    ON CONFLICT (number) DO UPDATE SET status = excluded.status;
INSERT INTO bench_floor.line (order_id, sku, label, quantity, price, rate)
    SELECT o.id, sku, label, quantity::numeric, unit_price_incl_tax::numeric, tax_rate::numeric
    FROM staged JOIN bench_floor.orders o ON o.number = order_number;
INSERT INTO bench_floor.move (sku, quantity, order_id)
    SELECT sku, -quantity::numeric, o.id
    FROM staged JOIN bench_floor.orders o ON o.number = order_number
    WHERE staged.status <> 'cancelled';
INSERT INTO bench_floor.stock (sku, reserved)
    SELECT sku, sum(quantity::numeric) FROM staged WHERE status <> 'cancelled' GROUP BY sku
    ON CONFLICT (sku) DO UPDATE SET reserved = stock.reserved + excluded.reserved;
"""
_OUR_TABLES = """
ALTER TABLE staged ADD COLUMN n bigserial;
CREATE TEMPORARY TABLE people ON COMMIT DROP AS
    SELECT nextval(pg_get_serial_sequence('customers_customer', 'id')) AS id, p.* FROM (
        SELECT DISTINCT ON (customer_ref) * FROM staged ORDER BY customer_ref, n) p;
CREATE TEMPORARY TABLE sold ON COMMIT DROP AS
    SELECT nextval(pg_get_serial_sequence('sales_order', 'id')) AS id, o.* FROM (
        SELECT DISTINCT ON (order_number) s.*, p.id AS customer_id
        FROM staged s JOIN people p USING (customer_ref) ORDER BY order_number, n) o;
CREATE TEMPORARY TABLE wanted ON COMMIT DROP AS
    SELECT CASE WHEN s.status <> 'cancelled' THEN
            nextval(pg_get_serial_sequence('inventory_reservation', 'id')) END AS reservation_id,
        row_number() OVER (PARTITION BY order_number ORDER BY s.n) AS position,
        s.*, sold.id AS order_id, a.id AS product_id
    FROM staged s JOIN sold USING (order_number) JOIN inventory_product a ON a.sku = s.sku;
INSERT INTO customers_customer (id, code, kind, first_name, last_name, company_name, email, phone,
        vat_number, siren, siret, auxiliary_account, accepts_marketing, note, created_at)
    SELECT id, 'C' || id, 'person', first_name, last_name, '', email, '', '', '', '', '', false,
        '', now() FROM people ON CONFLICT (code) DO UPDATE SET email = excluded.email;
INSERT INTO customers_customeraddress (use, name, address1, address2, postcode, city, country,
        customer_id)
    SELECT 'billing', first_name || ' ' || last_name, billing_address1, '', billing_postcode,
        billing_city, billing_country, id FROM people;
INSERT INTO customers_shopidentity (source_file, source_sha256, source_line, external_ref,
        content_hash, customer_id, shop_id)
    SELECT 'orders.csv', repeat('a', 64), n + 1, customer_ref, md5(email), p.id, shop.id
    FROM people p, core_shop shop ON CONFLICT (shop_id, external_ref) DO NOTHING;
INSERT INTO sales_order (id, source_file, source_sha256, source_line, billing_name,
        billing_company, billing_address1, billing_address2, billing_postcode, billing_city,
        billing_country, shipping_name, shipping_company, shipping_address1, shipping_address2,
        shipping_postcode, shipping_city, shipping_country, external_id, number, status,
        payment_status, payment_method, placed_at, paid_at, cancelled_at, currency, vat_number,
        tax_regime, total_incl_tax, total_tax, shipping_incl_tax, shipping_tax_rate,
        discount_incl_tax, refunded_incl_tax, taxes, note, content_hash, lines_hash, raw_hash,
        customer_id, shop_id, original_currency)
    SELECT o.id, 'orders.csv', repeat('a', 64), n + 1, first_name || ' ' || last_name, '',
        billing_address1, '', billing_postcode, billing_city, billing_country, shipping_name, '',
        shipping_address1, '', shipping_postcode, shipping_city, shipping_country, order_number,
        order_number, CASE o.status WHEN 'cancelled' THEN 'cancelled' ELSE 'confirmed' END,
        'paid', payment_method, placed_at::timestamp, paid_at::timestamp,
        CASE o.status WHEN 'cancelled' THEN now() END, o.currency, '', 'domestic',
        total_incl_tax::numeric, round(total_incl_tax::numeric / 6, 2),
        shipping_incl_tax::numeric, shipping_tax_rate::numeric,
        order_discount_incl_tax::numeric, 0, '[{"tax": "0", "rate": "20", "total": "0"}]', '',
        md5(order_number), md5(total_incl_tax), md5(placed_at), customer_id, shop.id, ''
    FROM sold o, core_shop shop ON CONFLICT (shop_id, external_id) DO UPDATE
        SET status = excluded.status;
INSERT INTO inventory_reservation (id, quantity, allocated, asked, requested_at, origin_number,
        product_id, warehouse_id)
    SELECT reservation_id, quantity::numeric, quantity::numeric, quantity::numeric,
        placed_at::timestamp,
        order_number, product_id, w.id
    FROM wanted, inventory_warehouse w WHERE reservation_id IS NOT NULL AND w.is_default;
INSERT INTO sales_orderline (position, kind, sku, label, quantity, quantity_delivered,
        unit_price_incl_tax, tax_rate, discount_incl_tax, total_incl_tax,
        order_discount_incl_tax, source_line, order_id, product_id, reservation_id)
    SELECT position, 'goods', sku, label, quantity::numeric, 0, unit_price_incl_tax::numeric,
        tax_rate::numeric, line_discount_incl_tax::numeric,
        quantity::numeric * unit_price_incl_tax::numeric, 0, n + 1, order_id, product_id,
        reservation_id
    FROM wanted;
UPDATE inventory_stockposition s SET reserved = s.reserved + w.quantity FROM (
        SELECT product_id, sum(quantity::numeric) AS quantity FROM wanted
        WHERE reservation_id IS NOT NULL GROUP BY product_id) w
    WHERE w.product_id = s.product_id;
"""


def load_bare(path: Path) -> float:
    """Seconds that the bare floor takes for the orders file at `path`."""
    with connection.cursor() as cursor:
        cursor.execute(_TABLES)
        seconds = _load(path, _UPSERTS)
        cursor.execute("DROP SCHEMA bench_floor CASCADE")
    return seconds


def load_same_rows(path: Path) -> float:
    """Seconds that set-based SQL takes to write the same rows into Sphinx's own tables."""
    return _load(path, _OUR_TABLES)


def _load(path: Path, statements: str) -> float:
    started = time.perf_counter()
    with (
        transaction.atomic(),
        path.open(encoding="utf-8") as stream,
        connection.cursor() as cursor,
    ):
        columns = ", ".join(f"{name} text" for name in stream.readline().strip().split(";"))
        stream.seek(0)
        cursor.execute(f"CREATE TEMPORARY TABLE staged ({columns}) ON COMMIT DROP")
        cursor.cursor.copy_expert(
            "COPY staged FROM STDIN WITH (FORMAT csv, HEADER, DELIMITER ';')", stream
        )
        cursor.execute(statements)
    return time.perf_counter() - started
