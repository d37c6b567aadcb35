package upstream

// What the upstream runs as one step. A record is compared by its header, of which no two are the same. Every script gets
// pairs of names, the record's and its data's, which are in one slot.
//
// A write makes value and expiry together: whatever ends in the middle, the gateway or its connection, nothing is left
// without a deadline.

// readText answers {1, result} of a command on the data if the record is the expected one, else {0, the record}, or {2} when
// the data has more elements than the limit.
const readText = `#!lua flags=no-writes
local have = redis.call('GETRANGE', KEYS[1], 0, 39)
if have == '' or have ~= ARGV[1] then return {0, redis.call('GET', KEYS[1])} end
if ARGV[2] ~= '' and redis.call(ARGV[2], KEYS[2]) > tonumber(ARGV[3]) then return {2} end
if ARGV[4] == 'XINFO' then
  if redis.call('EXISTS', KEYS[2]) == 0 then return {1, {}} end
  return {1, redis.call('XINFO', 'STREAM', KEYS[2], 'FULL', 'COUNT', 0)}
end
return {1, redis.call(ARGV[4], KEYS[2], unpack(ARGV, 5))}
`

// windowText answers {1, {members that there are, members before, members and scores}} of a sorted set with its scores in clear, if
// the record is the expected one, else {0, the record}, or {2} when they are more than the limit. What is asked for is a range of
// ranks, so many members of a range of scores, whose lower end comes as what is below it, or one member; with it comes whoever has the
// same score as one of them.
const windowText = `#!lua flags=no-writes
local have = redis.call('GETRANGE', KEYS[1], 0, 39)
if have == '' or have ~= ARGV[1] then return {0, redis.call('GET', KEYS[1])} end
local data, limit, kind, top = KEYS[2], tonumber(ARGV[2]), ARGV[3], ARGV[#ARGV] == 'top'
local size = redis.call('ZCARD', data)
local first, last = 0, -1
if kind == 'rank' then
  first, last = tonumber(ARGV[4]), tonumber(ARGV[5])
  if first < 0 then first = math.max(first + size, 0) end
  if last < 0 then last = last + size end
  last = math.min(last, size - 1)
  if top then first, last = size - 1 - last, size - 1 - first end
elseif kind == 'score' then
  first = redis.call('ZCOUNT', data, '-inf', ARGV[4])
  last = redis.call('ZCOUNT', data, '-inf', ARGV[5]) - 1
  local count = tonumber(ARGV[6])
  if count >= 0 and top then first = math.max(first, last - count + 1)
  elseif count >= 0 then last = math.min(last, first + count - 1) end
else
  local rank = redis.call('ZRANK', data, ARGV[4])
  if rank then first, last = rank, rank end
end
if first > last or first < 0 or first >= size then return {1, {size, math.max(math.min(first, size), 0), {}}} end
if last - first >= limit then return {2} end
local some = redis.call('ZRANGE', data, first, last, 'WITHSCORES')
local low = redis.call('ZCOUNT', data, '-inf', '(' .. some[2])
local high = redis.call('ZCOUNT', data, '-inf', some[#some])
if low < first or high - 1 > last then
  if high - low > limit then return {2} end
  some = redis.call('ZRANGE', data, low, high - 1, 'WITHSCORES')
end
return {1, {size, low, some}}
`

// commitBody compares all records with the expected ones ('*': any; several headers one behind another: any of those; '=', a
// deadline and an integer: that in clear, until then), and then changes each entry. It answers {0} when a record is another one,
// else {1, 1 or 0 for each entry that is there now, results of commands}.
//
// For each entry: what to do with the record (”: keep, '-': delete, else the new one), the deadline, whether the data is
// made anew, and the commands on the data, each with its number of arguments. Of the kind 'try' is what leaves the record as it is,
// and answers 2, where no command has changed anything.
//
// CONSUMER makes a consumer for the command that reads or claims for it, the first one's for the first such command and so on. It answers
// whether the consumer is new and stays, since one that is given nothing is none (Redis 7.0): who is new, and asks in vain or about a
// group that is not there, is taken out again.
const commitBody = `
local at, n = 1, #KEYS / 2
local function take() at = at + 1; return ARGV[at - 1] end
for i = 1, n do
  local expect = take()
  if expect ~= '*' then
    local have = redis.call('GETRANGE', KEYS[2*i-1], 0, 39)
    if have ~= expect and (#have ~= 40 or (string.find(expect, have, 1, true) or 0) % 40 ~= 1) and
      expect ~= '=' .. redis.call('PEXPIRETIME', KEYS[2*i-1]) .. ' ' .. have then return {0} end
  end
end
local out, made, served = {1}, {}, 0
for i = 1, n do out[i+1] = 0 end
local function unmake(one)
  if out[one[1]] == 1 then redis.call('XGROUP', 'DELCONSUMER', unpack(one, 2)) end
  out[one[1]] = 0
end
for i = 1, n do
  local record, deadline, kind, commands = take(), take(), take(), tonumber(take())
  local name, data = KEYS[2*i-1], KEYS[2*i]
  if record == '-' then redis.call('UNLINK', name, data)
  elseif kind == 'string' or kind == 'whole' then redis.call('UNLINK', data) end
  for c = 1, commands do
    local size = tonumber(take())
    local command = take()
    local result
    if command == 'CONSUMER' then
      result = redis.pcall('XGROUP', 'CREATECONSUMER', unpack(ARGV, at, at + size - 1))
      if type(result) == 'table' then
        for _, one in ipairs(made) do unmake(one) end
        return result
      end
      made[#made+1] = {#out + 1, unpack(ARGV, at, at + size - 1)}
    elseif command == 'XGROUP' or command == 'XREADGROUP' then -- they have the data's name among their arguments
      result = redis.call(command, unpack(ARGV, at, at + size - 1))
    else
      result = redis.call(command, data, unpack(ARGV, at, at + size - 1))
    end
    out[#out+1] = result
    if kind == 'try' and result and result ~= 0 and command ~= 'CONSUMER' then kind = 'part' end
    if made[1] and (command == 'XREADGROUP' or command == 'XCLAIM' or command == 'XAUTOCLAIM') then
      served = served + 1
      if not result or #result == 0 or command == 'XAUTOCLAIM' and #result[2] == 0 then unmake(made[served]) end
    end
    at = at + size
  end
  if kind == 'try' and redis.call('EXISTS', data) == 1 then
    out[i+1] = 2
  elseif record ~= '-' and kind ~= 'none' then
    if kind == 'string' or redis.call('EXISTS', data) == 1 then
      if kind ~= 'string' then redis.call('PEXPIREAT', data, deadline) end
      redis.call('SET', name, record, 'PXAT', deadline)
      out[i+1] = 1
    else
      redis.call('UNLINK', name)
    end
  end
end
return out
`

// endText deletes an entry that has ended, unless there is another record in its place: 1 deleted, 0 nothing there, 2 another,
// 3 deleted although the upstream would have kept it for longer than two clocks differ: somebody has changed its expiration.
const endText = `#!lua flags=allow-oom
local have = redis.call('GETRANGE', KEYS[1], 0, 39)
if have ~= '' and have ~= ARGV[1] then return 2 end
local answer = have == '' and 0 or 1
for i = 1, 2 do
  local left = redis.call('PTTL', KEYS[i])
  if left == -1 or left > tonumber(ARGV[2]) then answer = 3 end
end
redis.call('UNLINK', KEYS[1], KEYS[2])
return answer
`

// scripts are the upstream's, made once for each Backend. Deleting is allowed when the upstream's memory is full.
type scripts struct{ read, window, commit, remove, end, clearRead, clearCount *script }

func newScripts() *scripts {
	return &scripts{
		read: newScript(readText), window: newScript(windowText), commit: newScript("#!lua\n" + commitBody), remove: newScript("#!lua flags=allow-oom\n" + commitBody),
		end: newScript(endText), clearRead: newScript(clearReadText), clearCount: newScript(clearCountText),
	}
}
