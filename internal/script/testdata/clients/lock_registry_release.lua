-- The shape of Spring Integration's RedisLockRegistry giving a lock back, with a message to those who wait.
-- before SET registry:lock client-1
-- call registry:lock | client-2 unlocked
-- call registry:lock | client-1 unlocked
-- call registry:lock | client-1 unlocked
local holder = redis.call('GET', KEYS[1])
if holder == ARGV[1] then
  redis.call('UNLINK', KEYS[1])
  redis.call('PUBLISH', ARGV[2], KEYS[1])
  return true
end
return false
