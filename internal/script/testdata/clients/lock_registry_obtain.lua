-- The shape of Spring Integration's RedisLockRegistry taking a lock.
-- call registry:lock | client-1 60000
-- call registry:lock | client-1 60000
-- call registry:lock | client-2 60000
local holder = redis.call('GET', KEYS[1])
if holder == ARGV[1] then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
  return true
elseif not holder then
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
  return true
end
return false
