-- The shape of BullMQ taking the next job: in batches, with a lock and nested results.
-- before LPUSH wait 1 2 3
-- before HSET bull:mail:1 name send data {}
-- before ZADD delayed 4096 d1 8192 d2
-- call wait active delayed bull:mail: | 2 token 30000
-- call wait active delayed bull:mail: | 1 token 30000
-- call wait active delayed bull:mail: | 0 token 30000
local rcall = redis.call
local timestamp = tonumber(ARGV[1])
local function promote()
  local jobs = rcall('ZRANGEBYSCORE', KEYS[3], 0, (timestamp + 1) * 0x1000 - 1, 'LIMIT', 0, 1000)
  if (#jobs > 0) then
    rcall('ZREM', KEYS[3], unpack(jobs))
    for _, jobId in ipairs(jobs) do
      rcall('LPUSH', KEYS[1], jobId)
      rcall('HSET', KEYS[4] .. jobId, 'delay', 0)
    end
  end
  return #jobs
end
local promoted = promote()
local jobId = rcall('RPOPLPUSH', KEYS[1], KEYS[2])
if not jobId then
  return {0, 0, promoted}
end
rcall('SET', KEYS[4] .. jobId .. ':lock', ARGV[2], 'PX', ARGV[3])
rcall('HSET', KEYS[4] .. jobId, 'processedOn', timestamp)
rcall('HINCRBY', KEYS[4] .. jobId, 'ats', 1)
return {rcall('HGETALL', KEYS[4] .. jobId), jobId, promoted, rcall('LRANGE', KEYS[2], 0, -1)}
