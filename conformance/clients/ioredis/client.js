// Works through the steps of ../contract_test.go with ioredis, and ends with 1 at the first surprise.
import { readFileSync } from 'node:fs'
import { deepStrictEqual as same, ok as check, rejects } from 'node:assert'
import { Redis } from 'ioredis'

const env = process.env
const connect = (user, token, more = {}) => {
  const client = new Redis({
    host: env.LETHE_HOST, port: Number(env.LETHE_PORT), username: user, password: token,
    protocol: Number(env.LETHE_PROTOCOL), connectionName: 'ioredis',
    tls: { ca: readFileSync(env.LETHE_CA), minVersion: 'TLSv1.3' }, ...more,
  })
  client.on('error', () => {}) // commands tell of it
  return client
}
const application = () => connect(env.LETHE_USER, env.LETHE_TOKEN)
const step = name => console.log(`ok ${name}`)

const client = application()
const other = application()
same(await client.ping(), 'PONG')
step('connect')

const patient = 'TENANT001:patient:1'
same(await client.set(patient, 'a record', 'EX', 3600), 'OK')
same(await client.get(patient), 'a record')
const ttl = await client.ttl(patient)
check(ttl > 290 && ttl <= 300, `PHI is kept for ${ttl} s`)
same(await client.mget(patient, 'TENANT001:patient:none'), ['a record', null])
same(await client.incrby('TENANT001:ratelimit:app', 5), 5)
step('strings')

const session = 'TENANT001:session:s1'
same(await client.hset(session, { user: 'jane', visits: 1 }), 2)
same(await client.hincrby(session, 'visits', 2), 3)
same({ ...await client.hgetall(session) }, { user: 'jane', visits: '3' })
step('hashes')

same(await client.sadd('TENANT001:patient:1:allergies', 'latex', 'nuts'), 2)
same(await client.sadd('TENANT001:patient:2:allergies', 'latex'), 1)
same([...await client.sinter('TENANT001:patient:1:allergies', 'TENANT001:patient:2:allergies')], ['latex'])
step('sets')

const scores = 'TENANT001:patient:1:scores'
same(await client.zadd(scores, 1.5, 'a', 2, 'b'), 2)
same((await client.zrange(scores, 0, -1, 'WITHSCORES')).flat().map(String), ['a', '1.5', 'b', '2'])
same(Number(await client.zscore(scores, 'a')), 1.5)
same(await client.zrangebyscore(scores, '(1.5', '+inf'), ['b'])
step('sorted sets')

const pipeline = client.pipeline()
for (let i = 0; i < 100; i++) pipeline.rpush('TENANT001:patient:1:log', i)
same((await pipeline.exec())[99], [null, 100])
step('pipeline')

const counter = 'TENANT001:ratelimit:t'
same(await client.multi().incr(counter).incr(counter).exec(), [[null, 1], [null, 2]])
await client.watch(counter)
await other.incr(counter)
same(await client.multi().incr(counter).exec(), null)
step('transaction')

client.defineCommand('add', { numberOfKeys: 1, lua: "return redis.call('INCRBY', KEYS[1], ARGV[1])" })
same(await client.add('TENANT001:ratelimit:script', 10), 10)
same(await client.add('TENANT001:ratelimit:script', 10), 20)
step('scripts')

const channel = 'TENANT001:patient:1:changes'
const subscriber = application()
const message = new Promise(resolve => subscriber.on('message', (name, text) => resolve([name, text])))
same(await subscriber.subscribe(channel), 1)
same(await client.publish(channel, 'changed'), 1)
same(await message, [channel, 'changed'])
subscriber.disconnect()
step('pub/sub')

const queue = 'TENANT001:patient:1:queue'
const popped = other.blpop(queue, 30)
same(await client.rpush(queue, 'job'), 1)
same(await popped, [queue, 'job'])
same(await other.blpop(queue, 1), null)
step('blocking pop')

await rejects(client.get('TENANT002:patient:1'), { name: 'ReplyError', message: /^TENANT / })
const stranger = connect(env.LETHE_USER, 'wrong', { lazyConnect: true, retryStrategy: () => null })
const refusal = new Promise(resolve => stranger.on('error', resolve))
stranger.connect().catch(() => {})
check(/WRONGPASS/.test((await refusal).message), 'a wrong token is refused')
stranger.disconnect()
step('errors')

const operator = connect(env.LETHE_OPERATOR, env.LETHE_OPERATOR_TOKEN)
const closed = new Promise(resolve => client.once('close', resolve))
same(await operator.client('KILL', 'ID', await client.client('ID')), 1)
await closed
same(await client.get(patient), 'a record')
step('reconnect')

for (const c of [client, other, operator]) c.disconnect()
