// What is explored: each scenario is small enough to be explored whole, and together they put every part of the protocol
// under every fault.
import type { Scenario } from './world.js'

type Message = Scenario['messages'][number]

const small = (number: number): Message => ({ kind: 'transaction', number, large: false })
const large = (number: number): Message => ({ kind: 'transaction', number, large: true })
const quiet = (position: bigint): Message => ({ kind: 'quiet', position })

const plain = { parts: 1, cuts: 1, lateRequests: 0, batchesInFlight: 2, head: false, checkpoints: false } as const

export const scenarios = {
  'one after the other': { ...plain, messages: [small(1), small(2)], cuts: 2, batchesInFlight: 1 },
  'three cuts': { ...plain, messages: [small(1), small(2)], cuts: 3, batchesInFlight: 1 },
  'overlapping batches': { ...plain, messages: [small(1), small(2), small(3)] },
  'late requests': { ...plain, messages: [small(1), small(2)], lateRequests: 1 },
  'an idle position between': { ...plain, messages: [small(1), quiet(13n), small(2)], batchesInFlight: 1 },
  'idle positions first': { ...plain, messages: [quiet(3n), quiet(6n), small(1)] },
  'idle positions last': { ...plain, messages: [small(1), quiet(13n), quiet(16n)] },
  'a late idle position': { ...plain, messages: [quiet(3n), small(1)], lateRequests: 1 },
  'a large transaction last': { ...plain, messages: [small(1), large(2)], parts: 2 },
  'a large transaction first': { ...plain, messages: [large(1), small(2)], parts: 2 },
  'a large transaction, cut twice, and a late request': {
    ...{ ...plain, messages: [large(1)], parts: 2 },
    ...{ cuts: 2, lateRequests: 1 },
  },
  checkpoints: { ...plain, messages: [small(1), small(2)], checkpoints: true },
  'a late checkpoint': {
    ...plain,
    messages: [small(1), quiet(13n)],
    checkpoints: true,
    lateRequests: 1,
    batchesInFlight: 1,
  },
  'head.json': { ...plain, messages: [small(1), small(2)], head: true },
} as const satisfies Record<string, Scenario>

export type ScenarioName = keyof typeof scenarios
