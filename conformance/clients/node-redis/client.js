// Works through the steps of ../contract_test.go with node-redis, and ends with 1 at the first surprise.
import { readFileSync } from 'node:fs'
import { deepStrictEqual as same, ok as check, rejects } from 'node:assert'
import { createClient, defineScript, ErrorReply, WatchError } from 'redis'

const env = process.env
const add = defineScript({
  SCRIPT: "return redis.call('INCRBY', KEYS[1], ARGV[1])",
  NUMBER_OF_KEYS: 1,
  parseCommand(parser, key, n) { parser.pushKey(key); parser.push(String(n)) },
  transformReply: reply => reply,
})
const connect = async (username, password, more = {}) => {
  const client = createClient({
    username, password, name: 'node-redis', RESP: Number(env.LETHE_PROTOCOL), scripts: { add },
    socket: { host: env.LETHE_HOST, port: Number(env.LETHE_PORT), tls: true, ca: readFileSync(env.LETHE_CA), minVersion: 'TLSv1.3', ...more },
  })
  client.on('error', () => {}) // commands tell of it
  return client.connect()
}
const application = () => connect(env.LETHE_USER, env.LETHE_TOKEN)
const step = name => console.log(`ok ${name}`)

const client = await application()
const other = await application()
same(await client.ping(), 'PONG')
step('connect')

const patient = 'TENANT001:patient:1'
same(await client.set(patient, 'a record', { expiration: { type: 'EX', value: 3600 } }), 'OK')
same(await client.get(patient), 'a record')
const ttl = await client.ttl(patient)
check(ttl > 290 && ttl <= 300, `PHI is kept for ${ttl} s`)
same(await client.mGet([patient, 'TENANT001:patient:none']), ['a record', null])
same(await client.incrBy('TENANT001:ratelimit:app', 5), 5)
step('strings')

const session = 'TENANT001:session:s1'
same(await client.hSet(session, { user: 'jane', visits: 1 }), 2)
same(await client.hIncrBy(session, 'visits', 2), 3)
same({ ...await client.hGetAll(session) }, { user: 'jane', visits: '3' })
step('hashes')

same(await client.sAdd('TENANT001:patient:1:allergies', ['latex', 'nuts']), 2)
same(await client.sAdd('TENANT001:patient:2:allergies', 'latex'), 1)
same([...await client.sInter(['TENANT001:patient:1:allergies', 'TENANT001:patient:2:allergies'])], ['latex'])
step('sets')

const scores = 'TENANT001:patient:1:scores'
same(await client.zAdd(scores, [{ score: 1.5, value: 'a' }, { score: 2, value: 'b' }]), 2)
same(await client.zRangeWithScores(scores, 0, -1), [{ value: 'a', score: 1.5 }, { value: 'b', score: 2 }])
same(await client.zScore(scores, 'a'), 1.5)
same(await client.zRangeByScore(scores, '(1.5', '+inf'), ['b'])
step('sorted sets')

const batch = []
for (let i = 0; i < 100; i++) batch.push(client.rPush('TENANT001:patient:1:log', String(i))) // one tick, one write
same((await Promise.all(batch))[99], 100)
step('pipeline')

const counter = 'TENANT001:ratelimit:t'
same(await client.multi().incr(counter).incr(counter).exec(), [1, 2])
await client.watch(counter)
await other.incr(counter)
await rejects(client.multi().incr(counter).exec(), WatchError)
step('transaction')

same(await client.add('TENANT001:ratelimit:script', 10), 10)
same(await client.add('TENANT001:ratelimit:script', 10), 20)
step('scripts')

const channel = 'TENANT001:patient:1:changes'
const subscriber = await application()
let received
const message = new Promise(resolve => { received = resolve })
await subscriber.subscribe(channel, (text, name) => received([name, text]))
same(await client.publish(channel, 'changed'), 1)
same(await message, [channel, 'changed'])
await subscriber.close()
step('pub/sub')

const queue = 'TENANT001:patient:1:queue'
const popped = other.blPop(queue, 30)
same(await client.rPush(queue, 'job'), 1)
same({ ...await popped }, { key: queue, element: 'job' })
same(await other.blPop(queue, 1), null)
step('blocking pop')

await rejects(client.get('TENANT002:patient:1'), error => error instanceof ErrorReply && /^TENANT /.test(error.message))
await rejects(connect(env.LETHE_USER, 'wrong', { reconnectStrategy: false }), /WRONGPASS/)
step('errors')

const operator = await connect(env.LETHE_OPERATOR, env.LETHE_OPERATOR_TOKEN)
const closed = new Promise(resolve => client.once('reconnecting', resolve))
same(await operator.clientKill({ filter: 'ID', id: await client.clientId() }), 1)
await closed
same(await client.get(patient), 'a record')
step('reconnect')

for (const c of [client, other, operator]) c.destroy()
