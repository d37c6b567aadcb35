-- The shape of Spring Cloud Gateway's request rate limiter: a token bucket in two keys.
-- KEYS tokens, timestamp; ARGV rate, capacity, now, requested
-- call bucket.tokens bucket.timestamp | 10 20 1700000000 1
-- call bucket.tokens bucket.timestamp | 10 20 1700000000 15
-- call bucket.tokens bucket.timestamp | 10 20 1700000000 15
-- call bucket.tokens bucket.timestamp | 10 20 1700000001 15
-- call bucket.tokens bucket.timestamp | 1 1 1700000100 1
local rate = tonumber(ARGV[1])
local capacity = tonumber(ARGV[2])
local now = tonumber(ARGV[3])
if now == nil then
  now = redis.call('TIME')[1]
end
local wanted = tonumber(ARGV[4])

local fill = capacity / rate
local ttl = math.floor(fill * 2)

local tokens = tonumber(redis.call('get', KEYS[1]))
if tokens == nil then
  tokens = capacity
end
local refreshed = tonumber(redis.call('get', KEYS[2]))
if refreshed == nil then
  refreshed = 0
end

local filled = math.min(capacity, tokens + math.max(0, now - refreshed) * rate)
local allowed = filled >= wanted
local left = filled
local answer = 0
if allowed then
  left = filled - wanted
  answer = 1
end

if ttl > 0 then
  redis.call('setex', KEYS[1], ttl, left)
  redis.call('setex', KEYS[2], ttl, now)
end
return { answer, left }
