// The shop's day: a checkout, a warehouse and a back office, each on its own connection, with the transactions that such
// programs make, some rolled back. Knows nothing of the service that reads along.
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { shopOpening, shopSchema } from './shop-schema.js'

export interface ShopCounts {
  committed: number
  rolledBack: number
}

type Statement = readonly [sql: string, values?: readonly unknown[]]
/** The statements of one transaction. Returns false to roll it back. */
type Task = (client: pg.Client) => Promise<boolean>

const PAUSE_MS = 4

export async function openShop(url: string): Promise<void> {
  await withClient(url, async (client) => {
    await client.query(shopSchema)
    for (const sql of shopOpening) await client.query(sql)
  })
}

/** Trades on three connections until `closing` aborts; every transaction that began is finished. */
export async function trade(url: string, closing: AbortSignal, counts: ShopCounts): Promise<void> {
  const desks: (readonly Task[])[] = [[checkOut], [ship, restock], [changePrice, sale, updateProfile, cancel, tidyUp]]
  await Promise.all(
    desks.map((tasks) =>
      withClient(url, async (client) => {
        for (let turn = 0; !closing.aborted; turn++) {
          const done = await transaction(client, tasks[turn % tasks.length]!)
          counts[done ? 'committed' : 'rolledBack']++
          await delay(PAUSE_MS * Math.random())
        }
      }),
    ),
  )
}

async function withClient(url: string, use: (client: pg.Client) => Promise<void>): Promise<void> {
  const client = new pg.Client({ connectionString: url, application_name: 'shop' })
  // What ends a connection while it is idle shows at the next statement.
  client.on('error', () => undefined)
  await client.connect()
  try {
    await use(client)
  } finally {
    await client.end()
  }
}

/** Whether it was committed. A deadlock, or a customer whom another desk just deleted, is part of a shop's day. */
async function transaction(client: pg.Client, task: Task): Promise<boolean> {
  await client.query('BEGIN')
  try {
    const commit = await task(client)
    await client.query(commit ? 'COMMIT' : 'ROLLBACK')
    return commit
  } catch (error) {
    await client.query('ROLLBACK')
    if (error instanceof pg.DatabaseError && (error.code === '40P01' || error.code === '23503')) return false
    throw error
  }
}

async function checkOut(client: pg.Client): Promise<boolean> {
  const isNew = chance(0.15)
  const customer = isNew
    ? await one<{ id: string }>(client, [
        `INSERT INTO customers (email, name, country, profile) VALUES ($1, $2, $3, $4) RETURNING id`,
        [
          `new${process.hrtime.bigint()}@example.com`,
          'New Customer',
          pick(['DE', 'FR', 'JP']),
          '{"source": "checkout"}',
        ],
      ])
    : await one<{ id: string }>(client, [
        `SELECT id FROM customers WHERE id >= (SELECT (random() * max(id))::bigint FROM customers) ORDER BY id LIMIT 1`,
      ])
  if (customer === undefined) return false
  const order = await one<{ id: string }>(client, [
    `INSERT INTO orders (customer_id, express, note) VALUES ($1, $2, $3) RETURNING id`,
    [customer.id, chance(0.2), chance(0.1) ? "Please don't ring; leave it with “Müller”" : null],
  ])
  await client.query(
    `INSERT INTO order_items (order_id, line_no, product_id, quantity, unit_price)
     SELECT $1, row_number() OVER (), id, 1 + (random() * 4)::int, price
       FROM (SELECT id, price FROM products ORDER BY random() LIMIT $2) AS basket`,
    [order?.id, 1 + Math.floor(Math.random() * 5)],
  )
  await client.query(
    `UPDATE products SET stock = stock - quantity FROM order_items WHERE order_id = $1 AND product_id = products.id`,
    [order?.id],
  )
  await client.query(
    `UPDATE orders SET total = (SELECT sum(quantity * unit_price) FROM order_items WHERE order_id = $1) WHERE id = $1`,
    [order?.id],
  )
  // Some leave at the till.
  return !chance(0.03)
}

async function ship(client: pg.Client): Promise<boolean> {
  const oldest = '(SELECT id FROM orders WHERE status = $2 ORDER BY id LIMIT $3 FOR UPDATE SKIP LOCKED)'
  const advance = `UPDATE orders SET status = $1, shipped_at = CASE $1::order_status WHEN 'shipped' THEN clock_timestamp() ELSE shipped_at END
                    WHERE id IN ${oldest}`
  await client.query(advance, ['delivered', 'shipped', 1])
  await client.query(advance, ['shipped', 'paid', 1])
  await client.query(advance, ['paid', 'new', 2])
  return true
}

async function restock(client: pg.Client): Promise<boolean> {
  await client.query(
    `UPDATE products SET stock = stock + 250, tags = array_append(tags, 'restocked')
      WHERE id IN (SELECT id FROM products WHERE stock < 50 ORDER BY id LIMIT 3 FOR UPDATE SKIP LOCKED)`,
  )
  return true
}

async function changePrice(client: pg.Client): Promise<boolean> {
  await client.query(
    `UPDATE products SET price = greatest(0.01, round(price * (0.95 + random() * 0.1)::numeric, 2)) WHERE id = $1`,
    [1 + Math.floor(Math.random() * 250)],
  )
  return true
}

/** Some products of a category, now and then with new descriptions. */
async function sale(client: pg.Client): Promise<boolean> {
  await client.query(
    `UPDATE products SET attributes = jsonb_set(attributes, '{sale}', to_jsonb(clock_timestamp()::text)),
            description = CASE WHEN $2 THEN reverse(description) ELSE description END
      WHERE category = $1 AND id % 10 = $3`,
    [pick(['baking', 'cooking', 'serving', 'storage']), chance(0.05), Math.floor(Math.random() * 10)],
  )
  return true
}

async function updateProfile(client: pg.Client): Promise<boolean> {
  await client.query(
    `UPDATE customers SET profile = profile || jsonb_build_object('visits', coalesce((profile->>'visits')::int, 0) + 1),
            tags = CASE WHEN 'regular' = ANY (tags) THEN tags ELSE array_append(tags, 'regular') END, credit = credit + 0.25
      WHERE id = (SELECT id FROM customers WHERE id >= (SELECT (random() * max(id))::bigint FROM customers) ORDER BY id LIMIT 1)`,
  )
  return true
}

async function cancel(client: pg.Client): Promise<boolean> {
  await client.query(
    `UPDATE orders SET status = 'cancelled' WHERE id IN (SELECT id FROM orders WHERE status = 'new' ORDER BY id DESC LIMIT 1 FOR UPDATE SKIP LOCKED)`,
  )
  return true
}

/** Deletes cancelled orders, their items with them, and a customer who never ordered. */
async function tidyUp(client: pg.Client): Promise<boolean> {
  await client.query(
    `DELETE FROM orders WHERE id IN (SELECT id FROM orders WHERE status = 'cancelled' ORDER BY id LIMIT 2)`,
  )
  await client.query(
    `DELETE FROM customers WHERE id = (SELECT id FROM customers c WHERE NOT EXISTS (SELECT FROM orders WHERE customer_id = c.id) ORDER BY id LIMIT 1)`,
  )
  return true
}

async function one<Row extends pg.QueryResultRow>(
  client: pg.Client,
  [sql, values = []]: Statement,
): Promise<Row | undefined> {
  return (await client.query<Row>(sql, [...values])).rows[0]
}

function chance(probability: number): boolean {
  return Math.random() < probability
}

function pick<T>(values: readonly [T, ...T[]]): T {
  return values[Math.floor(Math.random() * values.length)] ?? values[0]
}
