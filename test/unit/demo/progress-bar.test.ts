// The one bar of verify and repair: on a terminal it shows how far a step is, elsewhere it says nothing.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ProgressBar } from '../../../cmd/wal-cake/progress-bar.js'
import { eventually } from '../../support/eventually.js'
import { output } from '../../support/terminal.js'

test('on a terminal a bar, that is gone at its end', async () => {
  const { stream, text } = output(true)
  const bar = new ProgressBar(stream)
  bar.show('reading the log', 25, 100)
  await eventually(() => /25 % {2}reading the log/.test(text()))
  bar.show('waiting', 0, 0)
  await eventually(() => /0 % {2}waiting/.test(text()))
  bar.end()
  // The cursor is back.
  assert.ok(text().includes('\u001b[?25h'))
})

test('elsewhere nothing', () => {
  const { stream, text } = output(false)
  const bar = new ProgressBar(stream)
  bar.show('reading the log', 25, 100)
  bar.end()
  assert.equal(text(), '')
})
