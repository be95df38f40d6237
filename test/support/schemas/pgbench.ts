// The four tables of pgbench, filled as its initialization does it, and its transaction from four sessions at once. The server
// that npm brings has no pgbench, so the statements are its own and the client is not.
import type { WholeSchema } from './whole-schema.js'

const SESSIONS = 4
const TRANSACTIONS = 150
const BRANCHES = 2
const TELLERS = 10 * BRANCHES
/** pgbench has 100,000 for each branch. */
const ACCOUNTS = 5_000 * BRANCHES

export const pgbench: WholeSchema = {
  name: 'pgbench',
  lake: 'folder',
  made: `
    CREATE TABLE pgbench_history (tid int, bid int, aid int, delta int, mtime timestamp, filler char(22));
    CREATE TABLE pgbench_tellers (tid int NOT NULL PRIMARY KEY, bid int, tbalance int, filler char(84)) WITH (fillfactor = 100);
    CREATE TABLE pgbench_accounts (aid int NOT NULL PRIMARY KEY, bid int, abalance int, filler char(84)) WITH (fillfactor = 100);
    CREATE TABLE pgbench_branches (bid int NOT NULL PRIMARY KEY, bbalance int, filler char(88)) WITH (fillfactor = 100)`,
  work: [
    `TRUNCATE pgbench_accounts, pgbench_branches, pgbench_history, pgbench_tellers;
     INSERT INTO pgbench_branches (bid, bbalance) SELECT g, 0 FROM generate_series(1, ${BRANCHES}) g;
     INSERT INTO pgbench_tellers (tid, bid, tbalance) SELECT g, (g - 1) / 10 + 1, 0 FROM generate_series(1, ${TELLERS}) g;
     INSERT INTO pgbench_accounts SELECT g, (g - 1) / 5000 + 1, 0, '' FROM generate_series(1, ${ACCOUNTS}) g`,
    sessions(0),
    'TRUNCATE pgbench_history',
    sessions(SESSIONS),
  ],
}

/** Numbers of their own for those after `first`. */
function sessions(first: number): string[][] {
  return Array.from({ length: SESSIONS }, (_, index) => {
    const random = randomNumbers(first + index + 1)
    return Array.from({ length: TRANSACTIONS }, () => transaction(random))
  })
}

/** The one that pgbench runs when it is told nothing. Rows of the branches are waited for. */
function transaction(random: (below: number) => number): string {
  const [aid, bid, tid, delta] = [
    1 + random(ACCOUNTS),
    1 + random(BRANCHES),
    1 + random(TELLERS),
    random(10_001) - 5000,
  ]
  return `BEGIN;
    UPDATE pgbench_accounts SET abalance = abalance + ${delta} WHERE aid = ${aid};
    SELECT abalance FROM pgbench_accounts WHERE aid = ${aid};
    UPDATE pgbench_tellers SET tbalance = tbalance + ${delta} WHERE tid = ${tid};
    UPDATE pgbench_branches SET bbalance = bbalance + ${delta} WHERE bid = ${bid};
    INSERT INTO pgbench_history (tid, bid, aid, delta, mtime) VALUES (${tid}, ${bid}, ${aid}, ${delta}, CURRENT_TIMESTAMP);
    END`
}

/** The same on each run: a linear congruence, of which the upper bits are taken. */
function randomNumbers(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}
