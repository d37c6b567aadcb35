// Works through the steps of ../libraries_test.go with BullMQ, whose scripts come with its package and run as they are.
import { readFileSync } from 'node:fs'
import { deepStrictEqual as same, ok as check, rejects } from 'node:assert'
import { FlowProducer, Job, Queue, QueueEvents, Worker } from 'bullmq'

const env = process.env
const connection = {
  host: env.LETHE_HOST, port: Number(env.LETHE_PORT), username: env.LETHE_USER, password: env.LETHE_TOKEN,
  protocol: Number(env.LETHE_PROTOCOL), tls: { ca: readFileSync(env.LETHE_CA), minVersion: 'TLSv1.3' },
}
const step = name => console.log(`ok ${name}`)

const queue = new Queue('claims', { connection })
const events = new QueueEvents('claims', { connection })
await Promise.all([queue.waitUntilReady(), events.waitUntilReady()])
step('connect')

const patient = 'TENANT001:patient:1' // a job names the entry, and the entry is PHI
const job = await queue.add('submit', { patient })
same([job.id, await job.getState(), await queue.getWaitingCount()], ['1', 'waiting', 1])
step('add')

// A job of a name does what the name says; each attempt but the last of one that fails is retried.
const seen = []
const worker = new Worker('claims', async job => {
  seen.push(`${job.name} ${job.attemptsMade}`)
  await job.updateProgress(50)
  if (job.name === 'refused' || (job.name === 'twice' && job.attemptsMade === 0)) throw new Error('the payer is busy')
  return { done: job.name }
}, { connection, lockDuration: 5000 })
worker.on('error', error => { console.error(error); process.exit(1) })
same(await job.waitUntilFinished(events, 30000), { done: 'submit' })
same([await job.getState(), (await Job.fromId(queue, '1')).progress], ['completed', 50])
step('process')

const begun = Date.now()
const later = await queue.add('later', { patient }, { delay: 300 })
same(await later.getState(), 'delayed')
same(await later.waitUntilFinished(events, 30000), { done: 'later' })
check(Date.now() - begun >= 300, 'a delayed job ran early')
step('delay')

const twice = await queue.add('twice', {}, { attempts: 3, backoff: { type: 'fixed', delay: 100 } })
same(await twice.waitUntilFinished(events, 30000), { done: 'twice' })
const refused = await queue.add('refused', {}, { attempts: 1 })
await rejects(refused.waitUntilFinished(events, 30000), /the payer is busy/)
same([await refused.getState(), await queue.getFailedCount()], ['failed', 1])
same(seen.filter(s => s.startsWith('twice')), ['twice 0', 'twice 1'])
step('retry')

await worker.pause()
await queue.add('low', {}, { priority: 10 })
await queue.add('high', {}, { priority: 1 })
await queue.add('low', {}, { priority: 10, jobId: 'an own id' })
same((await queue.getPrioritized()).map(j => j.name), ['high', 'low', 'low'])
const last = await Job.fromId(queue, 'an own id')
worker.resume()
await last.waitUntilFinished(events, 30000)
same(seen.slice(-3).map(s => s.split(' ')[0]), ['high', 'low', 'low'])
step('priority')

const flow = new FlowProducer({ connection })
const tree = await flow.add({ name: 'parent', queueName: 'claims', children: [{ name: 'child', queueName: 'claims' }] })
same(await tree.job.waitUntilFinished(events, 30000), { done: 'parent' })
same(Object.values(await tree.job.getChildrenValues()), [{ done: 'child' }])
step('flow')

await refused.retry()
await rejects(refused.waitUntilFinished(events, 30000), /the payer is busy/)
await refused.remove()
same(await Job.fromId(queue, refused.id), undefined)
check((await queue.clean(0, 100, 'completed')).length >= 5, 'nothing was cleaned')
await worker.close()
await queue.add('left', {})
await queue.drain()
await queue.obliterate()
same(new Set(Object.values(await queue.getJobCounts())), new Set([0]))
step('remove')

await Promise.all([flow.close(), events.close(), queue.close()])
