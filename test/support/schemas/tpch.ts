// A schema like that of TPC-H: eight tables of fixed and varying texts, decimals and dates, and its two refresh functions,
// which insert new orders with their lines and delete old ones. The rows are generated and small in number.
import type { WholeSchema } from './whole-schema.js'

const ORDERS = 1_500
/** Of each refresh. */
const REFRESHED = 100

export const tpch: WholeSchema = {
  name: 'a schema like TPC-H',
  lake: 'bucket',
  made: `
    CREATE TABLE region (r_regionkey int PRIMARY KEY, r_name char(25) NOT NULL, r_comment varchar(152));
    CREATE TABLE nation (n_nationkey int PRIMARY KEY, n_name char(25) NOT NULL, n_regionkey int NOT NULL REFERENCES region, n_comment varchar(152));
    CREATE TABLE part (p_partkey int PRIMARY KEY, p_name varchar(55) NOT NULL, p_mfgr char(25) NOT NULL, p_brand char(10) NOT NULL,
      p_type varchar(25) NOT NULL, p_size int NOT NULL, p_container char(10) NOT NULL, p_retailprice decimal(15,2) NOT NULL, p_comment varchar(23) NOT NULL);
    CREATE TABLE supplier (s_suppkey int PRIMARY KEY, s_name char(25) NOT NULL, s_address varchar(40) NOT NULL, s_nationkey int NOT NULL REFERENCES nation,
      s_phone char(15) NOT NULL, s_acctbal decimal(15,2) NOT NULL, s_comment varchar(101) NOT NULL);
    CREATE TABLE partsupp (ps_partkey int REFERENCES part, ps_suppkey int REFERENCES supplier, ps_availqty int NOT NULL,
      ps_supplycost decimal(15,2) NOT NULL, ps_comment varchar(199) NOT NULL, PRIMARY KEY (ps_partkey, ps_suppkey));
    CREATE TABLE customer (c_custkey int PRIMARY KEY, c_name varchar(25) NOT NULL, c_address varchar(40) NOT NULL, c_nationkey int NOT NULL REFERENCES nation,
      c_phone char(15) NOT NULL, c_acctbal decimal(15,2) NOT NULL, c_mktsegment char(10) NOT NULL, c_comment varchar(117) NOT NULL);
    CREATE TABLE orders (o_orderkey bigint PRIMARY KEY, o_custkey int NOT NULL REFERENCES customer, o_orderstatus char(1) NOT NULL,
      o_totalprice decimal(15,2) NOT NULL, o_orderdate date NOT NULL, o_orderpriority char(15) NOT NULL, o_clerk char(15) NOT NULL,
      o_shippriority int NOT NULL, o_comment varchar(79) NOT NULL);
    CREATE TABLE lineitem (l_orderkey bigint REFERENCES orders, l_partkey int NOT NULL, l_suppkey int NOT NULL, l_linenumber int,
      l_quantity decimal(15,2) NOT NULL, l_extendedprice decimal(15,2) NOT NULL, l_discount decimal(15,2) NOT NULL, l_tax decimal(15,2) NOT NULL,
      l_returnflag char(1) NOT NULL, l_linestatus char(1) NOT NULL, l_shipdate date NOT NULL, l_commitdate date NOT NULL, l_receiptdate date NOT NULL,
      l_shipinstruct char(25) NOT NULL, l_shipmode char(10) NOT NULL, l_comment varchar(44) NOT NULL, PRIMARY KEY (l_orderkey, l_linenumber),
      FOREIGN KEY (l_partkey, l_suppkey) REFERENCES partsupp)`,
  work: [
    `INSERT INTO region SELECT g, 'REGION ' || g, NULL FROM generate_series(0, 4) g;
     INSERT INTO nation SELECT g, 'NATION ' || g, g % 5, '' FROM generate_series(0, 24) g;
     INSERT INTO part SELECT g, 'part of ' || md5(g::text), 'Manufacturer#' || g % 5, 'Brand#' || g % 25, 'STANDARD TIN', 1 + g % 50, 'JUMBO PKG', 900 + g * 0.01, 'part ' || g FROM generate_series(1, 200) g;
     INSERT INTO supplier SELECT g, 'Supplier#' || lpad(g::text, 9, '0'), md5(g::text), g % 25, '11-' || g, g * 911.37 - 900, 'none' FROM generate_series(1, 10) g;
     INSERT INTO partsupp SELECT p, 1 + (p + k * 3) % 10, p * 37 % 9999, p * 0.77, repeat('x', p % 199) FROM generate_series(1, 200) p, generate_series(0, 3) k;
     INSERT INTO customer SELECT g, 'Customer#' || lpad(g::text, 9, '0'), md5(g::text), g % 25, '13-' || g, g * 66.6 - 999.99, (ARRAY['BUILDING', 'MACHINERY'])[1 + g % 2], 'first ' || g FROM generate_series(1, 150) g`,
    refreshed(1, ORDERS),
    ...[0, 1, 2].flatMap((stream) => [inserted(stream), deleted(stream)]),
    `UPDATE customer SET c_acctbal = c_acctbal - spent, c_comment = 'spent' FROM (SELECT o_custkey, sum(o_totalprice) AS spent FROM orders GROUP BY 1) s WHERE o_custkey = c_custkey;
     UPDATE part SET p_retailprice = p_retailprice * 1.1 WHERE p_brand = 'Brand#7'; UPDATE orders SET o_orderstatus = 'F' WHERE o_orderdate < '1993-01-01'`,
    `UPDATE lineitem SET l_linenumber = l_linenumber + 10, l_tax = 0 WHERE l_orderkey % 40 = 1; UPDATE lineitem SET l_returnflag = 'R' WHERE l_shipdate < '1993-06-01'`,
    `BEGIN; DELETE FROM lineitem WHERE l_linenumber = 1; ROLLBACK`,
  ],
}

/** RF1: orders that are new, in keys that no other has. */
function inserted(stream: number): string {
  const from = ORDERS + 1 + stream * REFRESHED
  return refreshed(from, from + REFRESHED - 1)
}

/** RF2: as many of the oldest. */
function deleted(stream: number): string {
  const range = `BETWEEN ${stream * REFRESHED + 1} AND ${(stream + 1) * REFRESHED}`
  return `DELETE FROM lineitem WHERE l_orderkey ${range}; DELETE FROM orders WHERE o_orderkey ${range}`
}

/** Each with one to seven lines. */
function refreshed(from: number, to: number): string {
  return `
    INSERT INTO orders SELECT g, 1 + g * 7 % 150, 'O', g * 123.45, date '1992-01-01' + (g % 2400)::int, g % 5 || '-LEVEL', 'Clerk#' || g, 0, 'order ' || g FROM generate_series(${from}, ${to}) g;
    INSERT INTO lineitem SELECT g, p, 1 + (p + k % 4 * 3) % 10, k, 1 + g % 50, g * 10.01, k * 0.01, 0.08, 'N', 'O', date '1992-01-05' + (g % 2400)::int, date '1992-02-01' + k, date '1992-01-20' + (g % 2400)::int,
        'DELIVER IN PERSON', (ARRAY['AIR', 'REG AIR', 'RAIL'])[1 + k % 3], 'line "' || k || '"'
      FROM generate_series(${from}, ${to}) g, LATERAL (SELECT 1 + g * 31 % 200 AS p) part, LATERAL generate_series(1, 1 + (g % 7)::int) k`
}
