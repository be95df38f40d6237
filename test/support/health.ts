// The program's health endpoints as an orchestrator sees them: an address of its own for each test, and what it answers.
import { freePort } from '../../cmd/wal-cake/demo/postgres-server.js'
import type { Env } from './rig.js'

export interface Health {
  readonly ready: boolean
  readonly live: boolean
  /** Of /readyz. */
  readonly reason: string
}

export interface HealthProbe {
  /** For the program. */
  readonly env: Env
  ask(): Promise<Health>
  metrics(): Promise<string>
}

export async function healthProbe(): Promise<HealthProbe> {
  const address = `127.0.0.1:${await freePort()}`
  return {
    env: { HTTP_ADDR: address },
    metrics: async () => (await fetch(`http://${address}/metrics`)).text(),
    ask: async () => {
      const [ready, live] = await Promise.all([fetch(`http://${address}/readyz`), fetch(`http://${address}/livez`)])
      return { ready: ready.status === 200, live: live.status === 200, reason: (await ready.text()).trim() }
    },
  }
}
