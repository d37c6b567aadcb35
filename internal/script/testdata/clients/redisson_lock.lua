-- The shape of Redisson's reentrant lock: a hash of holders and how often each holds it.
-- call lock | 30000 uuid:1
-- call lock | 30000 uuid:1
-- near lock | 30000 uuid:2
if ((redis.call('exists', KEYS[1]) == 0) or (redis.call('hexists', KEYS[1], ARGV[2]) == 1)) then
  redis.call('hincrby', KEYS[1], ARGV[2], 1)
  redis.call('pexpire', KEYS[1], ARGV[1])
  return nil
end
return redis.call('pttl', KEYS[1])
