// The schema of PostgreSQL's own pgbench, smaller, and its transaction, which is that of TPC-B: several sessions at once
// change the same few rows. https://www.postgresql.org/docs/current/pgbench.html
import type { WholeSchema } from './whole-schema.js'

const BRANCHES = 2
const TELLERS = 10
const ACCOUNTS = 1000
const SESSIONS = 4
const TRANSACTIONS = 60

export const pgbench: WholeSchema = {
  name: 'pgbench',
  mode: 'binary',
  unchanged: [],
  // pgbench_history has no key; a publication of its owner may hold it, since nothing in it is ever updated or deleted.
  made: `
    CREATE TABLE pgbench_history (tid int, bid int, aid int, delta int, mtime timestamp, filler char(22));
    CREATE TABLE pgbench_tellers (tid int NOT NULL, bid int, tbalance int, filler char(84)) WITH (fillfactor = 100);
    CREATE TABLE pgbench_accounts (aid int NOT NULL, bid int, abalance int, filler char(84)) WITH (fillfactor = 100);
    CREATE TABLE pgbench_branches (bid int NOT NULL, bbalance int, filler char(88)) WITH (fillfactor = 100);
    ALTER TABLE pgbench_branches ADD PRIMARY KEY (bid);
    ALTER TABLE pgbench_tellers ADD PRIMARY KEY (tid);
    ALTER TABLE pgbench_accounts ADD PRIMARY KEY (aid);
    ALTER TABLE pgbench_tellers ADD FOREIGN KEY (bid) REFERENCES pgbench_branches;
    ALTER TABLE pgbench_accounts ADD FOREIGN KEY (bid) REFERENCES pgbench_branches;
    ALTER TABLE pgbench_history ADD FOREIGN KEY (bid) REFERENCES pgbench_branches;
    ALTER TABLE pgbench_history ADD FOREIGN KEY (tid) REFERENCES pgbench_tellers;
    ALTER TABLE pgbench_history ADD FOREIGN KEY (aid) REFERENCES pgbench_accounts;
    CREATE PUBLICATION wal_cake_pub FOR ALL TABLES`,
  seed: [
    `TRUNCATE pgbench_accounts, pgbench_branches, pgbench_history, pgbench_tellers;
     INSERT INTO pgbench_branches (bid, bbalance) SELECT g, 0 FROM generate_series(1, ${BRANCHES}) g;
     INSERT INTO pgbench_tellers (tid, bid, tbalance) SELECT g, (g - 1) / ${TELLERS} + 1, 0 FROM generate_series(1, ${BRANCHES * TELLERS}) g;
     INSERT INTO pgbench_accounts (aid, bid, abalance, filler) SELECT g, (g - 1) / ${ACCOUNTS} + 1, 0, '' FROM generate_series(1, ${BRANCHES * ACCOUNTS}) g`,
  ],
  sessions: Array.from({ length: SESSIONS }, (_, session) =>
    Array.from({ length: TRANSACTIONS }, (_, n) => transfer(session * TRANSACTIONS + n)),
  ),
  work: [
    'BEGIN; UPDATE pgbench_branches SET bbalance = 0; TRUNCATE pgbench_history; ROLLBACK',
    // A smaller scale: the second branch goes.
    `TRUNCATE pgbench_history;
     DELETE FROM pgbench_accounts WHERE bid = ${BRANCHES}; DELETE FROM pgbench_tellers WHERE bid = ${BRANCHES}; DELETE FROM pgbench_branches WHERE bid = ${BRANCHES};
     UPDATE pgbench_accounts SET aid = aid + ${ACCOUNTS} WHERE aid <= 10`,
    ...[1, 2, 3].map((n) => `${transfer(n * 7)}; ${transfer(n * 11)}`),
  ],
}

/** The built-in script of pgbench; what is random there follows from `n` here. */
function transfer(n: number): string {
  const aid = ((n * 7919) % (ACCOUNTS - 10)) + 11
  const tid = ((n * 31) % TELLERS) + 1
  const delta = ((n * 104729) % 10001) - 5000
  return `BEGIN;
    UPDATE pgbench_accounts SET abalance = abalance + ${delta} WHERE aid = ${aid};
    SELECT abalance FROM pgbench_accounts WHERE aid = ${aid};
    UPDATE pgbench_tellers SET tbalance = tbalance + ${delta} WHERE tid = ${tid};
    UPDATE pgbench_branches SET bbalance = bbalance + ${delta} WHERE bid = 1;
    INSERT INTO pgbench_history (tid, bid, aid, delta, mtime) VALUES (${tid}, 1, ${aid}, ${delta}, CURRENT_TIMESTAMP);
    END`
}
