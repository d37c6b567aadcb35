-- The shape of BullMQ adding a job: its arguments come packed, the job is a hash, events go to a stream.
-- ARGV[1] is MessagePack of {prefix, id, name, timestamp, parent, priority}, ARGV[3] of {attempts=3}: in what order
-- a table has its fields is not for a script to know, and its options become JSON.
-- call wait paused meta id delayed prioritized events | "\x96\xaabull:mail:\xa0\xa4send\xcf\x00\x00\x01\x8b\xcf\xe5\x68\x00\xc0\x00" "{\"to\":\"x\",\"n\":[1,2.5,null]}" "\x81\xa8attempts\x03"
-- call wait paused meta id delayed prioritized events | "\x96\xaabull:mail:\xa0\xa4send\xcf\x00\x00\x01\x8b\xcf\xe5\x68\x00\xc0\x05" "{}" "\x81\xa8attempts\x01"
-- call wait paused meta id delayed prioritized events | "\x96\xaabull:mail:\xa2j7\xa4send\xcf\x00\x00\x01\x8b\xcf\xe5\x68\x00\xc0\x00" "{}" "\x81\xa5delay\xcd\x27\x10"
-- call wait paused meta id delayed prioritized events | "\x96\xaabull:mail:\xa2j7\xa4send\xcf\x00\x00\x01\x8b\xcf\xe5\x68\x00\xc0\x00" "{}" "\x81\xa5delay\xcd\x27\x10"
local args = cmsgpack.unpack(ARGV[1])
local data = ARGV[2]
local opts = cmsgpack.unpack(ARGV[3])
local prefix, customId, name, timestamp = args[1], args[2], args[3], args[4]
local priority = args[6] or 0
local rcall = redis.call
local eventsKey = KEYS[7]

local function targetList(waitKey, pausedKey, metaKey)
  if rcall('HEXISTS', metaKey, 'paused') ~= 1 then
    return waitKey, false
  end
  return pausedKey, true
end

local function prioritized(score, counter)
  return score * 0x100000000 + bit.band(counter, 0xffffffffffff)
end

local counter = rcall('INCR', KEYS[4])
local maxEvents = rcall('HGET', KEYS[3], 'opts.maxLenEvents')
if maxEvents == false then
  maxEvents = 10000
  rcall('HSET', KEYS[3], 'opts.maxLenEvents', maxEvents)
end

local jobId, jobKey
if customId == '' then
  jobId = counter
  jobKey = prefix .. jobId
else
  jobId = customId
  jobKey = prefix .. jobId
  if rcall('EXISTS', jobKey) == 1 then
    rcall('XADD', eventsKey, 'MAXLEN', '~', maxEvents, '*', 'event', 'duplicated', 'jobId', jobId)
    return jobId .. ''
  end
end

local delay = opts['delay'] or 0
local optional = {}
if opts['attempts'] then
  table.insert(optional, 'atm')
  table.insert(optional, opts['attempts'])
end
rcall('HMSET', jobKey, 'name', name, 'data', data, 'opts', cjson.encode(opts), 'timestamp', timestamp, 'delay', delay,
  'priority', priority, unpack(optional))
rcall('XADD', eventsKey, '*', 'event', 'added', 'jobId', jobId, 'name', name)

local decoded = cjson.decode(data)
local keys = 0
for k, v in pairs(decoded) do
  keys = keys + 1
end

if delay ~= 0 then
  rcall('ZADD', KEYS[5], (timestamp + delay) * 0x1000 + bit.band(counter, 0xfff), jobId)
elseif priority > 0 then
  rcall('ZADD', KEYS[6], prioritized(priority, counter), jobId)
else
  local target, paused = targetList(KEYS[1], KEYS[2], KEYS[3])
  rcall('LPUSH', target, jobId)
  if paused then
    return redis.error_reply('ERR paused')
  end
end
return {jobId .. '', rcall('HGETALL', jobKey), rcall('LRANGE', KEYS[1], 0, -1), rcall('ZRANGE', KEYS[6], 0, -1, 'WITHSCORES'),
  rcall('ZRANGE', KEYS[5], 0, -1, 'WITHSCORES'), rcall('XLEN', eventsKey), keys}
