// For the image's HEALTHCHECK: 0 when the service in this container answers /livez with 200, or was told not to listen.
import { get } from 'node:http'
import process from 'node:process'

const address = process.env.HTTP_ADDR ?? '127.0.0.1:8080'
const colon = address.lastIndexOf(':')
const port = address.slice(colon + 1)
const host = address.slice(0, colon).replace(/^\[(.*)\]$/, '$1')
const everywhere = ['', '0.0.0.0', '::'].includes(host)

if (address !== '') {
  get({ host: everywhere ? '127.0.0.1' : host, port, path: '/livez', timeout: 4000 }, (response) => {
    process.exit(response.statusCode === 200 ? 0 : 1)
  })
    .on('timeout', () => process.exit(1))
    .on('error', () => process.exit(1))
}
