// The shape of TPC-H, a wholesaler: eight tables with char(n), numeric(15,2) and dates, and its two refresh functions, which
// add and take away orders with their lines. https://www.tpc.org/tpch/
import type { WholeSchema } from './whole-schema.js'

const PARTS = 200
const SUPPLIERS = 20
const CUSTOMERS = 100
const ORDERS = 300
/** Of an order. */
const LINES = 4
/** Of one refresh. */
const REFRESHED = 15

export const tpch: WholeSchema = {
  name: 'TPC-H',
  mode: 'binary',
  unchanged: [],
  made: `
    CREATE TABLE region (r_regionkey int PRIMARY KEY, r_name char(25) NOT NULL, r_comment varchar(152));
    CREATE TABLE nation (n_nationkey int PRIMARY KEY, n_name char(25) NOT NULL, n_regionkey int NOT NULL REFERENCES region, n_comment varchar(152));
    CREATE TABLE part (p_partkey int PRIMARY KEY, p_name varchar(55) NOT NULL, p_mfgr char(25) NOT NULL, p_brand char(10) NOT NULL,
      p_type varchar(25) NOT NULL, p_size int NOT NULL, p_container char(10) NOT NULL, p_retailprice numeric(15,2) NOT NULL, p_comment varchar(23) NOT NULL);
    CREATE TABLE supplier (s_suppkey int PRIMARY KEY, s_name char(25) NOT NULL, s_address varchar(40) NOT NULL, s_nationkey int NOT NULL REFERENCES nation,
      s_phone char(15) NOT NULL, s_acctbal numeric(15,2) NOT NULL, s_comment varchar(101) NOT NULL);
    CREATE TABLE partsupp (ps_partkey int NOT NULL REFERENCES part, ps_suppkey int NOT NULL REFERENCES supplier, ps_availqty int NOT NULL,
      ps_supplycost numeric(15,2) NOT NULL, ps_comment varchar(199) NOT NULL, PRIMARY KEY (ps_partkey, ps_suppkey));
    CREATE TABLE customer (c_custkey int PRIMARY KEY, c_name varchar(25) NOT NULL, c_address varchar(40) NOT NULL, c_nationkey int NOT NULL REFERENCES nation,
      c_phone char(15) NOT NULL, c_acctbal numeric(15,2) NOT NULL, c_mktsegment char(10) NOT NULL, c_comment varchar(117) NOT NULL);
    CREATE TABLE orders (o_orderkey bigint PRIMARY KEY, o_custkey int NOT NULL REFERENCES customer, o_orderstatus char(1) NOT NULL,
      o_totalprice numeric(15,2) NOT NULL, o_orderdate date NOT NULL, o_orderpriority char(15) NOT NULL, o_clerk char(15) NOT NULL,
      o_shippriority int NOT NULL, o_comment varchar(79) NOT NULL);
    CREATE TABLE lineitem (l_orderkey bigint NOT NULL REFERENCES orders, l_partkey int NOT NULL, l_suppkey int NOT NULL, l_linenumber int NOT NULL,
      l_quantity numeric(15,2) NOT NULL, l_extendedprice numeric(15,2) NOT NULL, l_discount numeric(15,2) NOT NULL, l_tax numeric(15,2) NOT NULL,
      l_returnflag char(1) NOT NULL, l_linestatus char(1) NOT NULL, l_shipdate date NOT NULL, l_commitdate date NOT NULL, l_receiptdate date NOT NULL,
      l_shipinstruct char(25) NOT NULL, l_shipmode char(10) NOT NULL, l_comment varchar(44) NOT NULL,
      PRIMARY KEY (l_orderkey, l_linenumber), FOREIGN KEY (l_partkey, l_suppkey) REFERENCES partsupp)`,
  seed: [
    `INSERT INTO region SELECT g, (ARRAY['AFRICA', 'AMERICA', 'ASIA', 'EUROPE', 'MIDDLE EAST'])[g + 1], nullif('comment ' || g, 'comment 3') FROM generate_series(0, 4) g;
     INSERT INTO nation SELECT g, 'NATION ' || g, g % 5, NULL FROM generate_series(0, 24) g;
     INSERT INTO supplier SELECT g, 'Supplier#' || lpad(g::text, 9, '0'), 'at ' || md5(g::text), g % 25, '17-' || g, g * 137.31 - 999.99, '' FROM generate_series(1, ${SUPPLIERS}) g;
     INSERT INTO customer SELECT g, 'Customer#' || g, md5(g::text), g % 25, '25-989-' || g, 9999.99 - g * 211.07,
       (ARRAY['BUILDING', 'AUTOMOBILE', 'MACHINERY', 'HOUSEHOLD'])[g % 4 + 1], 'final, "special" requests' FROM generate_series(1, ${CUSTOMERS}) g`,
    `INSERT INTO part SELECT g, 'goldenrod lace ' || g, 'Manufacturer#' || g % 5 + 1, 'Brand#' || g % 55, 'PROMO BURNISHED COPPER', g % 50 + 1, 'JUMBO PKG',
       900 + g % 1000 + g * 0.01, left(md5(g::text), 23) FROM generate_series(1, ${PARTS}) g;
     INSERT INTO partsupp SELECT p, s, (p * s) % 9999, p * 1.01 + s, repeat('x', p) FROM generate_series(1, ${PARTS}) p, generate_series(1, 2) n, LATERAL (SELECT ${supplierOf('p', 'n')} AS s) k WHERE p < ${PARTS};
     INSERT INTO partsupp SELECT ${PARTS}, ${supplierOf(`${PARTS}`, 'n')}, 0, 9999999999999.99, 'the dearest' FROM generate_series(1, 2) n`,
    newOrders(1, ORDERS),
  ],
  work: [
    newOrders(ORDERS + 1, ORDERS + REFRESHED),
    oldOrders(1, REFRESHED),
    `UPDATE partsupp SET ps_availqty = ps_availqty - 1, ps_supplycost = ps_supplycost * 1.05 WHERE ps_suppkey = 3;
     UPDATE part SET p_retailprice = -p_retailprice, p_container = 'SM' WHERE p_partkey % 10 = 0`,
    `UPDATE lineitem SET l_linestatus = 'F', l_returnflag = 'R', l_shipmode = '', l_receiptdate = l_receiptdate + 30 WHERE l_linenumber = 2 AND l_orderkey % 3 = 0;
     UPDATE orders SET o_orderstatus = 'P' WHERE o_orderkey % 3 = 0`,
    `BEGIN; ${oldOrders(100, 200)}; ${newOrders(9001, 9010)}; ROLLBACK`,
    // Both refreshes in one, and the same keys again.
    `${oldOrders(16, 16 + REFRESHED)}; ${newOrders(16, 20)}; UPDATE lineitem SET l_linenumber = l_linenumber + 3 WHERE l_orderkey = ${orderKey('17')} AND l_linenumber > 1`,
    `UPDATE customer SET c_custkey = c_custkey + 5000000 WHERE c_custkey > ${CUSTOMERS - 5} AND NOT EXISTS (SELECT FROM orders WHERE o_custkey = c_custkey)`,
    `TRUNCATE orders CASCADE; ${newOrders(1, REFRESHED)}`,
    newOrders(5001, 5000 + REFRESHED),
    oldOrders(5001, 5003),
  ],
}

/** One of the two that deliver a part. */
function supplierOf(part: string, n: string): string {
  return `(${part} + ${n} * 7) % ${SUPPLIERS} + 1`
}

/** Of every thirty-two keys only the first eight are taken, as there; these lie beyond what 32 bits hold. */
function orderKey(n: string): string {
  return `(${n} / 8 * 32 + ${n} % 8 + 6000000000)`
}

/** RF1: orders with their lines. */
function newOrders(first: number, last: number): string {
  return `INSERT INTO orders SELECT ${orderKey('g')}, g % 90 + 1, 'O', g * 1234.56, date '1992-01-01' + g % 2400, '5-LOW', 'Clerk#' || g % 10, 0, 'order ' || g
      FROM generate_series(${first}, ${last}) g;
    INSERT INTO lineitem SELECT ${orderKey('g')}, p, ${supplierOf('p', '(l % 2 + 1)')}, l, l * 9, p * 901.33, (g + l) % 11 / 100.0, l / 100.0, 'N', 'O',
        date '1992-01-02' + g % 2400 + l, date '1992-02-01' + g % 2400, date '1992-01-09' + g % 2400, 'DELIVER IN PERSON', 'TRUCK', 'line ' || l
      FROM generate_series(${first}, ${last}) g, generate_series(1, ${LINES}) l, LATERAL (SELECT (g * 13 + l) % ${PARTS} + 1 AS p) k`
}

/** RF2: the lines first. */
function oldOrders(first: number, last: number): string {
  const keys = `SELECT ${orderKey('g')} FROM generate_series(${first}, ${last}) g`
  return `DELETE FROM lineitem WHERE l_orderkey IN (${keys}); DELETE FROM orders WHERE o_orderkey IN (${keys})`
}
