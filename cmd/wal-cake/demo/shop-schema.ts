// The tables of the demo's shop and what is in them when it opens. Only SQL; the statements of a day are in shop.ts.

export interface ShopTable {
  readonly name: string
  readonly key: readonly string[]
}

export const shopTables: readonly ShopTable[] = [
  { name: 'customers', key: ['id'] },
  { name: 'products', key: ['id'] },
  { name: 'orders', key: ['id'] },
  { name: 'order_items', key: ['order_id', 'line_no'] },
]

/** `description` is stored out of line, so that most updates of a product do not carry it. */
export const shopSchema = `
CREATE TYPE order_status AS ENUM ('new', 'paid', 'shipped', 'delivered', 'cancelled');

CREATE TABLE customers (
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  email      text NOT NULL UNIQUE,
  name       text NOT NULL,
  country    char(2) NOT NULL,
  profile    jsonb NOT NULL DEFAULT '{}',
  tags       text[] NOT NULL DEFAULT '{}',
  credit     numeric(12,2) NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE products (
  id             integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  sku            text NOT NULL UNIQUE,
  name           text NOT NULL,
  category       text NOT NULL,
  price          numeric(10,2) NOT NULL,
  stock          integer NOT NULL,
  attributes     jsonb NOT NULL,
  tags           text[] NOT NULL,
  description    text NOT NULL,
  available_from date
);
ALTER TABLE products ALTER description SET STORAGE EXTERNAL;

CREATE TABLE orders (
  id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  customer_id bigint NOT NULL REFERENCES customers,
  status      order_status NOT NULL DEFAULT 'new',
  total       numeric(12,2) NOT NULL DEFAULT 0,
  express     boolean NOT NULL DEFAULT false,
  note        text,
  placed_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
  shipped_at  timestamptz
);
CREATE INDEX ON orders (status, id);
CREATE INDEX ON orders (customer_id);

CREATE TABLE order_items (
  order_id   bigint NOT NULL REFERENCES orders ON DELETE CASCADE,
  line_no    smallint NOT NULL,
  product_id integer NOT NULL REFERENCES products,
  quantity   integer NOT NULL CHECK (quantity > 0),
  unit_price numeric(10,2) NOT NULL,
  PRIMARY KEY (order_id, line_no)
);
`

export const shopOpening = [
  `INSERT INTO products (sku, name, category, price, stock, attributes, tags, description, available_from)
   SELECT 'SKU-' || lpad(n::text, 5, '0'),
          (ARRAY['Small', 'Large', 'Plain', 'Golden'])[1 + n % 4] || ' ' || (ARRAY['Spoon', 'Tin', 'Bowl', 'Whisk', 'Tray'])[1 + n % 5],
          (ARRAY['baking', 'cooking', 'serving', 'storage'])[1 + n % 4],
          round((1 + random() * 99)::numeric, 2), 200 + n % 300,
          jsonb_build_object('weight_g', 20 + n * 3, 'colour', (ARRAY['red', 'white', 'steel'])[1 + n % 3]),
          ARRAY['new', 'série ' || n % 7],
          (SELECT string_agg(md5(n::text || part::text), ' ') FROM generate_series(1, 90) AS part),
          CASE WHEN n % 10 > 0 THEN date '2024-01-01' + n END
     FROM generate_series(1, 250) AS n`,
  `INSERT INTO customers (email, name, country, profile, tags, credit)
   SELECT 'customer' || n || '@example.com',
          (ARRAY['Ada', 'Grace', 'Søren', 'Zoë', 'Łukasz', 'José'])[1 + n % 6] || ' ' || (ARRAY['Baker', 'Koch', 'Dupont', '山田'])[1 + n % 4],
          (ARRAY['DE', 'FR', 'DK', 'PL', 'JP'])[1 + n % 5],
          jsonb_build_object('newsletter', n % 3 = 0, 'visits', n % 40), ARRAY['seed'], (n % 50)::numeric / 4
     FROM generate_series(1, 600) AS n`,
] as const
