-- The shape of Sidekiq's poller taking a due job out of a sorted set.
-- before ZADD schedule 1 {"jid":"a"} 2 {"jid":"b"} 300 {"jid":"c"}
-- call schedule | 100
-- call schedule | 100
-- call schedule | 100
local key, now = KEYS[1], ARGV[1]
local jobs = redis.call('zrange', key, '-inf', now, 'byscore', 'limit', 0, 1)
if jobs[1] then
  redis.call('zrem', key, jobs[1])
  return jobs[1]
end
