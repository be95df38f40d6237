// The table that the speed benches move: ten columns of the types that most tables are made of.

/** With a primary key, and empty. */
export const ordersTable = `
  CREATE TABLE orders (id bigserial PRIMARY KEY, customer_id int NOT NULL, status text NOT NULL,
    amount numeric(12,2) NOT NULL, note text NOT NULL, meta jsonb NOT NULL, uid uuid NOT NULL, paid boolean NOT NULL,
    price float8 NOT NULL, created_at timestamptz NOT NULL);`

/** Inserts so many rows, in transactions of so many each. */
export function fillOrders(transactions: number, rowsPerTransaction: number): string {
  return `
  DO $$ BEGIN FOR i IN 1..${transactions} LOOP
    INSERT INTO orders (customer_id, status, amount, note, meta, uid, paid, price, created_at)
    SELECT (random() * 100000)::int, (ARRAY['new','paid','shipped','cancelled','returned'])[1 + (random() * 4)::int],
      (random() * 10000)::numeric(12,2), 'note ' || md5(random()::text),
      jsonb_build_object('k', (random() * 1000)::int, 's', md5(random()::text)), gen_random_uuid(), random() < 0.5,
      random() * 100, now() - random() * interval '30 days'
    FROM generate_series(1, ${rowsPerTransaction});
    COMMIT;
  END LOOP; END $$`
}
