-- The shape of Bucket4j's compare-and-swap of a bucket's state, which is binary.
-- call bucket | "" "\x00\x01state\xff" 60000
-- call bucket | "\x00\x01other" "\x00\x01next" 60000
-- call bucket | "\x00\x01state\xff" "\x00\x01next" 60000
-- call bucket | "\x00\x01next" "\x00\x02" 60000
local current = redis.call('get', KEYS[1])
if ARGV[1] == '' then
  if redis.call('set', KEYS[1], ARGV[2], 'nx', 'px', ARGV[3]) then
    return 1
  end
  return 0
end
if current == ARGV[1] then
  redis.call('psetex', KEYS[1], ARGV[3], ARGV[2])
  return 1
end
return 0
