package conformance

import "strings"

// marksScript makes of its arguments what scripts make of texts: longer ones, shorter ones, lists, JSON, packed ones, errors that
// are caught.
const marksScript = `
local whole = ARGV[1] .. '|' .. ARGV[2]
redis.call('SET', KEYS[1], whole, 'PX', ARGV[3])
local back = redis.call('GET', KEYS[1])
local parts = {}
for i = 1, 20 do parts[#parts + 1] = i .. back:sub(1, 100) end
table.sort(parts)
parts[#parts + 1] = table.concat(parts, ',', 1, 3):gsub('and', 'or')
parts[#parts + 1] = cjson.encode({a = back, [back] = 1})
parts[#parts + 1] = cjson.decode(cjson.encode({a = back})).a:rep(2)
parts[#parts + 1] = cmsgpack.unpack(cmsgpack.pack({back}))[1]
parts[#parts + 1] = string.format('%q %s', back:sub(1, 200), back)
local ok, problem = pcall(function() error(back) end)
parts[#parts + 1] = problem
parts[#parts + 1] = redis.pcall('INCR', KEYS[1]).err
parts[#parts + 1] = tostring(redis.pcall('NOSUCHCOMMAND', back).err)
local held = coroutine and back or back:upper()
for word in back:gmatch('[^ ]+') do held = word end
redis.log(redis.LOG_DEBUG, 'nothing of it')
return {parts[1], parts[#parts], parts[#parts - 1], held, redis.sha1hex(back)}
`

// marksLibrary keeps in the variables of a library what its functions are called with.
const marksLibrary = `#!lua name=marks
local last, all = 'none', {}
local function run(keys, args)
  last = args[1] .. last:sub(1, 10)
  all[#all + 1] = args[1]
  all[args[1]] = last
  redis.call('SET', keys[1], last, 'PX', args[2])
  return {last, all}
end
redis.register_function('marks', function(keys, args)
  local ok, reply = pcall(run, keys, args)
  if not ok then redis.call('SET', keys[1], args[1], 'PX', args[2]) return args[1] end
  return reply
end)
`

// scriptWays are those of erasureWays that lead through scripts.
func scriptWays() map[string]func(*traveller) {
	return map[string]func(*traveller){
		"eval":    func(w *traveller) { w.do("EVAL", marksScript, "1", w.key, w.text, w.mark, w.ttl) },
		"evalkey": func(w *traveller) { w.do("EVAL", marksScript, "1", w.key+":"+w.mark, w.text, w.mark, w.ttl) },
		"evalsha": func(w *traveller) {
			sha := string(w.do("SCRIPT", "LOAD", marksScript).Str)
			w.do("EVALSHA", sha, "1", w.key, w.text, w.mark, w.ttl)
			w.do("MULTI")
			w.do("EVALSHA", sha, "1", w.key, w.text, w.mark, w.ttl)
			w.do("EXEC")
		},
		"evalfails": func(w *traveller) {
			w.fails("EVAL", "return redis.error_reply(ARGV[1])", "0", w.text)
			w.fails("EVAL", "error(ARGV[1])", "0", w.text)
			w.fails("EVAL", "error({err = 'A ' .. ARGV[1]})", "0", w.text)

			w.fails("EVAL", "return redis.call('SET', KEYS[1], ARGV[1], ARGV[1])", "1", w.key, w.text)
			w.fails("EVAL", "return #ARGV[1] + ARGV[1]", "0", w.text)
			w.fails("EVAL", "return nosuch[ARGV[1]]", "0", w.text)
			w.fails("EVAL", "_G[ARGV[1]] = ARGV[1]", "0", w.text)
			w.fails("EVAL", "return string.rep(ARGV[1], 1e9)", "0", w.text)
			w.fails("EVAL", "return cjson.decode(ARGV[1])", "0", w.text)
			w.fails("EVAL", "return ARGV[1]", "9", w.text)
			w.fails("EVALSHA", w.mark, "0", w.text)
			if info := string(w.do("INFO", "errorstats").Str); strings.Contains(info, w.mark[:4]) {
				w.t.Error("INFO tells what a script said")
			}
		},
		"fcall": func(w *traveller) {
			w.do("FUNCTION", "LOAD", "REPLACE", marksLibrary)
			w.do("FCALL", "marks", "1", w.key, w.text, w.ttl)
			w.do("FCALL", "marks", "1", w.key+":"+w.mark, w.text, w.ttl)
			w.fails("FCALL", w.mark, "1", w.key, w.text)
		},
	}
}
