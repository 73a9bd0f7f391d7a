"""The floor under an import: the same rows by set-based SQL alone, one transaction.

COPY into a temporary table, then upserts of customers, orders, lines, stock moves and what is
reserved, without a rule, a check or an origin: what no importer can go below.
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


def load_by_sql(path: Path) -> float:
    """Seconds that the floor takes for the orders file at `path`."""
    with connection.cursor() as cursor:
        cursor.execute(_TABLES)
        started = time.perf_counter()
        with transaction.atomic(), path.open(encoding="utf-8") as stream:
            columns = ", ".join(f"{name} text" for name in stream.readline().strip().split(";"))
            stream.seek(0)
            cursor.execute(f"CREATE TEMPORARY TABLE staged ({columns}) ON COMMIT DROP")
            cursor.cursor.copy_expert(
                "COPY staged FROM STDIN WITH (FORMAT csv, HEADER, DELIMITER ';')", stream
            )
            cursor.execute(_UPSERTS)
        seconds = time.perf_counter() - started
        cursor.execute("DROP SCHEMA bench_floor CASCADE")
    return seconds
