// Asks the service every two seconds how it is, and shows it. What is not known is a dash.
/* global document, fetch, setTimeout, AbortSignal */

const EVERY_MS = 2000
const PATIENCE_MS = 10_000
const DASH = '–'

const byId = (id) => document.getElementById(id)
const show = (id, text) => {
  // What has not changed is not said again by a screen reader.
  if (byId(id).textContent !== text) byId(id).textContent = text
}

// Numbers as text

const known = (value, format) => (value === null || value === undefined ? DASH : format(value))
const count = (value) => Math.round(value).toLocaleString('en-US')
const size = (bytes) => {
  const power = bytes < 1024 ? 0 : Math.min(Math.floor(Math.log2(bytes) / 10), 4)
  const value = bytes / 1024 ** power
  return `${value.toFixed(power === 0 || value >= 100 ? 0 : 1)} ${['B', 'KiB', 'MiB', 'GiB', 'TiB'][power]}`
}
const duration = (seconds) => {
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`
  if (seconds < 10) return `${seconds.toFixed(1)} s`
  if (seconds < 120) return `${Math.round(seconds)} s`
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`
  return seconds < 172_800 ? `${(seconds / 3600).toFixed(1)} h` : `${(seconds / 86_400).toFixed(1)} days`
}
const clock = (time) => new Date(time).toLocaleTimeString('en-GB')
const ago = (time, now) => `${duration(Math.max(0, (Date.parse(now) - Date.parse(time)) / 1000))} ago`

// Tables

/** Columns: title, text of a row, and by what it is sorted where it can be. */
const tables = {
  tables: {
    sort: { column: 4, descending: true },
    columns: [
      { title: 'Table', text: (row) => `${row.schema}.${row.table}`, by: (row) => `${row.schema}.${row.table}` },
      { title: 'Rows', text: (row) => count(row.rows), by: (row) => row.rows, kind: 'number' },
      { title: 'Files', text: (row) => count(row.files), by: (row) => row.files, kind: 'number' },
      { title: 'Size', text: (row) => size(row.bytes), by: (row) => row.bytes, kind: 'number' },
      {
        title: 'Last commit',
        text: (row, now) => known(row.last_commit_at, (time) => ago(time, now)),
        by: (row) => row.last_commit_at ?? '',
        kind: 'number',
      },
    ],
  },
  batches: {
    columns: [
      { title: 'Batch', text: (row) => String(row.batch) },
      { title: 'Committed', text: (row) => clock(row.committed_at) },
      { title: 'Rows', text: (row) => count(row.rows), kind: 'number' },
      { title: 'Files', text: (row) => count(row.files), kind: 'number' },
      { title: 'Size', text: (row) => size(row.bytes), kind: 'number' },
      { title: 'Commit took', text: (row) => known(row.commit_seconds, duration), kind: 'number' },
      { title: 'Closed by', text: (row) => row.reason ?? row.kind },
    ],
  },
  copies: {
    columns: [
      { title: 'Table', text: (row) => `${row.schema}.${row.table}` },
      { title: 'Rows', text: (row) => count(row.rows), kind: 'number' },
      { title: 'Of about', text: (row) => count(row.rows_expected), kind: 'number' },
      { title: 'Size', text: (row) => size(row.bytes), kind: 'number' },
    ],
  },
  events: {
    columns: [
      { title: 'When', text: (row) => clock(row.at) },
      { title: 'What', text: (row) => ({ info: 'recovered', warn: 'failed', error: 'error' })[row.level], tone: true },
      { title: 'Message', text: (row) => row.message },
    ],
  },
}
const tones = { info: 'good', warn: 'warn', error: 'bad' }

const element = (name, text, className) => {
  const made = document.createElement(name)
  made.textContent = text
  if (className !== undefined) made.className = className
  return made
}

function makeHeads() {
  for (const [id, table] of Object.entries(tables)) {
    const row = document.createElement('tr')
    table.columns.forEach(({ title, by, kind }, column) => {
      const head = element('th', by === undefined ? title : '', kind)
      head.scope = 'col'
      if (by !== undefined) {
        const button = element('button', title)
        button.type = 'button'
        button.addEventListener('click', () => {
          const { sort } = table
          table.sort = { column, descending: sort.column === column ? !sort.descending : column > 0 }
          fillTable(id)
        })
        head.append(button)
      }
      row.append(head)
    })
    byId(id).tHead.replaceChildren(row)
  }
}

function sorted({ columns, sort }, rows) {
  if (sort === undefined) return rows
  const { by } = columns[sort.column]
  const sign = sort.descending ? -1 : 1
  return rows.toSorted((a, b) => (by(a) < by(b) ? -sign : by(a) > by(b) ? sign : 0))
}

function fillTable(id) {
  const table = tables[id]
  const { columns, rows = [], now, sort } = table
  const heads = byId(id).tHead.rows[0].cells
  if (sort !== undefined)
    for (const [column, head] of [...heads].entries()) {
      if (column === sort.column) head.ariaSort = sort.descending ? 'descending' : 'ascending'
      else head.removeAttribute('aria-sort')
    }
  const lines = sorted(table, rows).map((entry) => {
    const line = document.createElement('tr')
    for (const { text, kind, tone } of columns) {
      const cell = element('td', text(entry, now), kind)
      if (tone === true) cell.dataset.tone = tones[entry.level]
      line.append(cell)
    }
    return line
  })
  byId(id).tBodies[0].replaceChildren(...lines)
}

// Charts: a line for each stretch of which something is known

function drawChart(id, name, samples, field, format) {
  const values = samples.map((sample) => sample[field])
  const numbers = values.filter((value) => value !== null)
  const most = Math.max(...numbers, 0)
  const last = values.length - 1
  let line = ''
  let area = ''
  let from
  values.forEach((value, index) => {
    if (value === null) from = undefined
    else {
      const x = last === 0 ? 600 : (600 * index) / last
      const y = 96 - (92 * value) / (most || 1)
      line += `${from === undefined ? 'M' : 'L'}${x.toFixed(1)} ${y.toFixed(1)}`
      if (from !== undefined) area += `M${from.x} ${from.y}L${x} ${y}L${x} 100L${from.x} 100Z`
      from = { x, y }
    }
  })
  const chart = byId(id)
  chart.querySelector('.line').setAttribute('d', line)
  chart.querySelector('.area').setAttribute('d', area)
  const text = numbers.length === 0 ? 'no numbers yet' : `at most ${format(most)}`
  chart.setAttribute('aria-label', `${name}: now ${known(values[last], format)}, ${text}`)
  return text
}

// The page

const states = {
  streaming: ['good', '● streaming'],
  starting: ['none', '◌ starting'],
  stopping: ['none', '◌ stopping'],
  waiting: ['warn', '▲ waiting'],
  stuck: ['bad', '■ stuck'],
}

function showState(state, reason) {
  const [tone, text] = states[state] ?? ['none', state]
  byId('state').dataset.tone = tone
  show('state', text)
  show('reason', reason)
}

function showReport(report) {
  const { now, wal, memory, copy, samples } = report
  showState(report.state, report.state === 'streaming' ? '' : report.reason)
  for (const name of ['source', 'slot', 'lake', 'version']) show(name, report[name])
  show('lag', known(report.lag_seconds, duration))
  show(
    'lag-bytes',
    known(report.lag_bytes, (bytes) => `${size(bytes)} behind the server`),
  )
  show(
    'rows-rate',
    known(report.rows_per_second, (rate) => `${count(rate)}/s`),
  )
  show(
    'bytes-rate',
    known(report.received_bytes_per_second, (rate) => `${size(rate)}/s`),
  )
  show(
    'last-commit',
    known(report.last_commit_at, (time) => ago(time, now)),
  )
  show(
    'durable',
    known(report.durable_lsn, (lsn) => `durable up to ${lsn}`),
  )
  show('retained', known(wal.retained_bytes, size))
  show(
    'wal-status',
    known(wal.status, (status) => `slot is ${status}`),
  )
  showHours(wal)
  show('held', known(memory.held_bytes, size))
  show('held-note', `of ${size(memory.limit_bytes)}`)
  show('uptime', duration((Date.parse(now) - Date.parse(report.started_at)) / 1000))
  show('started', `since ${new Date(report.started_at).toLocaleString('en-GB')}`)
  show('lag-most', drawChart('lag-chart', 'Lag', samples, 'lag_seconds', duration))
  show('wal-most', drawChart('wal-chart', 'Retained WAL', samples, 'retained_bytes', size))
  for (const from of document.querySelectorAll('.from'))
    from.textContent = samples.length === 0 ? '' : ago(samples[0].at, now)
  const left = report.tables_total - report.tables.length
  byId('tables').caption.textContent =
    `${count(report.tables_total)} tables in the lake` + (left > 0 ? `, ${count(left)} of them not shown` : '')
  for (const [id, rows] of Object.entries({ ...report, copies: copy?.tables ?? [] })) {
    if (tables[id] === undefined) continue
    Object.assign(tables[id], { rows, now })
    fillTable(id)
  }
  if (copy !== null) showCopy(copy)
}

function showHours({ safe_bytes, hours_left, bytes_per_second, retained_bytes }) {
  const unlimited = safe_bytes === null && retained_bytes !== null
  show('hours', unlimited ? 'no limit' : known(hours_left, (hours) => duration(hours * 3600)))
  const rate = known(bytes_per_second, (bytes) => `${size(bytes)}/s of WAL`)
  show('hours-note', safe_bytes === null ? rate : `${size(safe_bytes)} left, ${rate}`)
}

function showCopy(copy) {
  const part = copy.tables_left === 0 ? 1 : Math.min(1, copy.rows / Math.max(1, copy.rows_expected))
  byId('copy').value = part
  const left = copy.seconds_left === null ? '' : `, about ${duration(copy.seconds_left)} left`
  show(
    'copy-text',
    `${copy.tables_left === 0 ? 'done' : 'running'}: ${count(copy.tables_copied)} of ` +
      `${count(copy.tables_copied + copy.tables_left)} tables, ${count(copy.rows)} of about ` +
      `${count(copy.rows_expected)} rows, ${size(copy.bytes)}, ${count(copy.rows_per_second)} rows/s${left}`,
  )
}

async function look() {
  try {
    const answer = await fetch('status.json', { cache: 'no-store', signal: AbortSignal.timeout(PATIENCE_MS) })
    if (!answer.ok) throw new Error(`the service answers ${answer.status}`)
    const report = await answer.json()
    showReport(report)
    show('heard', `Numbers of ${clock(report.now)}`)
  } catch {
    byId('state').dataset.tone = 'bad'
    show('state', '■ no answer')
    show('reason', 'The service does not answer; the numbers are those that it told last.')
  }
  setTimeout(look, EVERY_MS)
}

makeHeads()
look()
