-- The shape of Sidekiq's reliable fetch giving work back from the queues of processes that died.
-- before RPUSH queue:default|dead-1 job1 job2
-- before RPUSH queue:default job0
-- before SADD processes live-1
-- call processes queue:default queue:default|dead-1 | dead-1 100
-- call processes queue:default queue:default|dead-1 | live-1 100
local alive = redis.call('sismember', KEYS[1], ARGV[1])
if alive == 1 then
  return redis.status_reply('ALIVE')
end
local moved = {}
for i = 1, ARGV[2] do
  local job = redis.call('rpoplpush', KEYS[3], KEYS[2])
  if not job then break end
  moved[#moved + 1] = job
end
return {#moved, moved, redis.call('lrange', KEYS[2], 0, -1)}
