-- return a number
return 3.99
-- negative
return -5.5
-- string
return 'hello'
-- nil
return nil
-- true
return true
-- false
return false
-- nothing
local x = 1
-- array with a hole
return {1, 2, nil, 4}
-- mixed array
return {1, 2.7, 'three', true, false, {4, 'five'}}
-- ok table
return {ok = 'fine\r\nhere'}
-- err table
return {err = 'MY error'}
-- err without code
return {err = 'x'}
-- double
return {double = 3.25}
-- big number
return {big_number = '1234567999999999999999999999999999999'}
-- verbatim
return {verbatim_string = {format = 'txt', string = 'some text'}}
-- map
return {map = {a = 1}}
-- set
return {set = {a = true}}
-- bool under setresp 3
redis.setresp(3) return true
-- nil under setresp 3
redis.setresp(3) return {1, false, nil}
-- keys and args
return {KEYS[1], KEYS[2], ARGV[1], ARGV[2], #KEYS, #ARGV}
-- arg does not exist
return arg
-- dots of the main chunk
return {select('#', ...), ...}
-- call
redis.call('set', KEYS[1], 'v') return redis.call('get', KEYS[1])
-- status
return redis.call('set', KEYS[1], 'v')
-- call a number
redis.call('set', KEYS[1], 0.1) return redis.call('get', KEYS[1])
-- call a large number
redis.call('set', KEYS[1], 1e20) return redis.call('get', KEYS[1])
-- call an integer number
redis.call('set', KEYS[1], 3) return redis.call('get', KEYS[1])
-- null reply
return redis.call('get', 'nothing')
-- null reply is false
return redis.call('get', 'nothing') == false
-- null reply in RESP3
redis.setresp(3) return redis.call('get', 'nothing') == nil
-- hash reply in RESP3
redis.setresp(3) redis.call('hset', KEYS[1], 'f', 'v') return redis.call('hgetall', KEYS[1])
-- hash reply map
redis.setresp(3) redis.call('hset', KEYS[1], 'f', 'v') return redis.call('hgetall', KEYS[1])['map']['f']
-- set reply in RESP3
redis.setresp(3) redis.call('sadd', KEYS[1], 'f') return redis.call('smembers', KEYS[1])
-- double reply in RESP3
redis.setresp(3) redis.call('zadd', KEYS[1], 1.5, 'f') return redis.call('zscore', KEYS[1], 'f')
-- double reply value
redis.setresp(3) redis.call('zadd', KEYS[1], 1.5, 'f') return tostring(redis.call('zscore', KEYS[1], 'f')['double'])
-- array reply
redis.call('rpush', KEYS[1], 'a', 'b', 'c') return redis.call('lrange', KEYS[1], 0, -1)
-- nested reply
redis.call('rpush', KEYS[1], 'a') return {redis.call('lrange', KEYS[1], 0, -1), {1}}
-- wrong type
redis.call('set', KEYS[1], 'x') return redis.call('lpush', KEYS[1], 'y')
-- wrong type, pcall
redis.call('set', KEYS[1], 'x') return redis.pcall('lpush', KEYS[1], 'y')
-- wrong type, second line
redis.call('set', KEYS[1], 'x')

return redis.call('lpush', KEYS[1], 'y')
-- wrong type, fields
redis.call('set', KEYS[1], 'x') local e = redis.pcall('lpush', KEYS[1], 'y') return {type(e), e['err'], tostring(e['ignore_error_stats_update'])}
-- wrong type caught by pcall
redis.call('set', KEYS[1], 'x') local ok, e = pcall(redis.call, 'lpush', KEYS[1], 'y') return {ok, type(e), e}
-- wrong type caught by xpcall
redis.call('set', KEYS[1], 'x') return {xpcall(function() return redis.call('lpush', KEYS[1], 'y') end, function(e) return type(e) .. e.err end)}
-- error rethrown
redis.call('set', KEYS[1], 'x') local ok, e = pcall(redis.call, 'incr', KEYS[1]) return redis.error_reply(e)
-- error rethrown as an error
redis.call('set', KEYS[1], 'x') local ok, e = pcall(redis.call, 'incr', KEYS[1]) error(e)
-- call without arguments
return redis.call()
-- pcall without arguments
return redis.pcall()
-- call with a table
return redis.call('set', {}, 1)
-- call with a boolean
return redis.pcall('set', true, 1)
-- error string
error('boom')
-- error level 0
error('boom', 0)
-- error level 2
local function f() error('boom', 2) end
f()
-- error table
error({err = 'BOOM here'})
-- error nil
error()
-- error number
error(5)
-- error boolean
error(true)
-- error in a function
local function f()
  error('deep')
end

f()
-- error in a nested call
local function f(x) return x.y.z end
return f({})
-- assert false
assert(false)
-- assert message
assert(false, 'msg')
-- assert nil with table
return {pcall(assert, nil, 'text')}
-- assert passes values
return {assert(1, 2, 3)}
-- pcall error string
return {pcall(error, 'x')}
-- pcall error string with position
return {pcall(function() error('x') end)}
-- pcall error table
return {pcall(error, {err = 'E x'})}
-- pcall values
return {pcall(function() return 1, 2, 3 end)}
-- pcall of nil
return {pcall(nil)}
-- pcall keeps the variables of closures
local x = 1
local function get() return x end
pcall(error, 'e')
x = 2
return get()
-- pcall inside pcall
return {pcall(pcall, error, 'e')}
-- xpcall
return {xpcall(function() error('x') end, function(e) return 'handled ' .. e end)}
-- error_reply
return redis.error_reply('MY message')
-- error_reply with a dash
return redis.error_reply('-MY message')
-- error_reply one word
return redis.error_reply('word')
-- error_reply of a number
return redis.error_reply(5)
-- status_reply
return redis.status_reply('FINE')
-- status_reply of nothing
return redis.status_reply()
-- sha1hex
return redis.sha1hex('')
-- sha1hex of a number
return redis.sha1hex(1)
-- sha1hex without argument
return redis.sha1hex()
-- setresp wrong
redis.setresp(4)
-- setresp nothing
redis.setresp()
-- log
return redis.log(redis.LOG_DEBUG, 'x')
-- log without level
redis.log('x')
-- log level
redis.log(10, 'x')
-- log level no number
redis.log('a', 'x')
-- set_repl
return redis.set_repl(redis.REPL_ALL)
-- set_repl wrong
redis.set_repl(10)
-- set_repl without arguments
redis.set_repl()
-- replicate_commands
return redis.replicate_commands()
-- breakpoint
return redis.breakpoint()
-- debug
return redis.debug('x')
-- constants
return {redis.LOG_DEBUG, redis.LOG_VERBOSE, redis.LOG_NOTICE, redis.LOG_WARNING, redis.REPL_NONE, redis.REPL_AOF, redis.REPL_SLAVE, redis.REPL_REPLICA, redis.REPL_ALL}
-- version
return {redis.REDIS_VERSION, redis.REDIS_VERSION_NUM}
-- acl_check_cmd
return redis.acl_check_cmd('get', 'x')
-- acl_check_cmd unknown
return redis.acl_check_cmd('nosuchcommand')
-- acl_check_cmd nothing
return redis.acl_check_cmd()
-- new global
x = 10
-- new global function
function f() end
-- read a missing global
return foo
-- read a missing global in a function
local function f() return foo end
return f()
-- call a missing global
foo()
-- write redis
redis.call = nil
-- write a new field of redis
redis.x = 1
-- write string
string.len = nil
-- write KEYS global
KEYS = {}
-- write KEYS elements
KEYS[1] = 'x' KEYS[3] = 'y' return {KEYS[1], KEYS[3], #KEYS}
-- write _G
_G.x = 1
-- write an existing global through _G
_G.redis = 1
-- rawset _G
rawset(_G, 'x', 1)
-- rawset string
rawset(string, 'x', 1)
-- setmetatable _G
setmetatable(_G, {})
-- setmetatable string
setmetatable(string, {})
-- metatable of _G
return type(getmetatable(_G))
-- metatable of _G is read only
getmetatable(_G).__index = function() return 1 end
-- metatable of strings is read only
getmetatable('').__index = 1
-- metatable of strings
return getmetatable('').__index == string
-- metatable of string
return getmetatable(string)
-- insert into string
table.insert(string, 1)
-- ~globals: os.clock is there, as in later versions of Redis
local names = {} for k in pairs(_G) do table.insert(names, k) end table.sort(names) return table.concat(names, ' ')
-- members of string
local names = {} for k in pairs(string) do table.insert(names, k) end table.sort(names) return table.concat(names, ' ')
-- members of table
local names = {} for k in pairs(table) do table.insert(names, k) end table.sort(names) return table.concat(names, ' ')
-- members of math
local names = {} for k in pairs(math) do table.insert(names, k) end table.sort(names) return table.concat(names, ' ')
-- members of redis
local names = {} for k in pairs(redis) do table.insert(names, k) end table.sort(names) return table.concat(names, ' ')
-- members of bit
local names = {} for k in pairs(bit) do table.insert(names, k) end table.sort(names) return table.concat(names, ' ')
-- members of cjson
local names = {} for k in pairs(cjson) do table.insert(names, k) end table.sort(names) return table.concat(names, ' ')
-- members of cmsgpack
local names = {} for k in pairs(cmsgpack) do table.insert(names, k) end table.sort(names) return table.concat(names, ' ')
-- members of struct
local names = {} for k in pairs(struct) do table.insert(names, k) end table.sort(names) return table.concat(names, ' ')
-- members of coroutine
local names = {} for k in pairs(coroutine) do table.insert(names, k) end table.sort(names) return table.concat(names, ' ')
-- rawget of a global
return type(rawget(_G, 'redis'))
-- rawget of a missing global
return rawget(_G, 'nothing')
-- print is not there
print('x')
-- dofile is not there
dofile('x')
-- require is not there
require('x')
-- debug is not there
return debug
-- io is not there
return io
-- package is not there
return package
-- index nil local
local t return t.x
-- index nil field
local t = {} return t.a.b
-- index nil global field
return redis.nothing.x
-- index nil upvalue
local t local function f() return t.x end return f()
-- index a number
local t = 5 return t.x.y
-- index a boolean
local t = true return t.x
-- index with a variable key
local t, k = {}, 'x' return t[k].y
-- set a field of nil
local t t.x = 1
-- set a field of a nil field
local t = {} t.a.b = 1
-- set a field of a string
local s = 'x' s.y = 1
-- call a nil field
redis.nothing()
-- call a nil local
local f f()
-- call a nil method
local t = {} t:go()
-- call a number
local n = 5 n()
-- call a string
('x')()
-- call the result of a call
local function f() end f()()
-- arithmetic on nil
local x return x + 1
-- arithmetic on nil, right
local x return 1 + x
-- arithmetic on a field
local t = {} return t.x * 2
-- arithmetic on a string
return 'abc' + 1
-- arithmetic on an argument
return ARGV[2] + 1
-- arithmetic on a table
return {} + 1
-- arithmetic on false
local b = redis.call('get', 'x') return b + 1
-- minus nil
local x return -x
-- minus a string
return -'5'
-- minus a word
return -'abc'
-- length of nil
local x return #x
-- length of a number
return #5
-- concat nil
local x return 'a' .. x
-- concat nil left
local x return x .. 'a'
-- concat nil in the middle
local x return 'a' .. x .. 'b'
-- concat a field
local t = {} return 'a' .. t.name
-- concat a boolean
return 'a' .. true
-- concat a table
return 'a' .. {}
-- concat numbers
return 1 .. 2
-- concat a double
return 1.5 .. 'x' .. 1e15 .. 'x' .. 1e100 .. 'x' .. 0.1
-- concat with a metamethod
local t = setmetatable({}, {__concat = function(a, b) return 'joined' end}) return 'a' .. t .. 'b'
-- compare a number and nil
local x return 1 < x
-- compare nil and nil
local x, y return x < y
-- compare a number and a string
return 1 < '2'
-- compare tables
return {} < {}
-- compare a string and a number
return ARGV[1] > 5
-- less or equal
return {1 <= 1, 'a' <= 'b', 'b' <= 'a'}
-- strings as numbers
return {'10' + 5, '0x10' + 0, ' 5 ' * 2, '010' + 0, '1e2' + 0, ARGV[1] * 2, ARGV[3] + 1}
-- number literals
return {010, 0x10, 1e3, .5 * 10, 3. * 2, 0xff}
-- division
return {tostring(1 / 0), tostring(-1 / 0), tostring(0 / 0), tostring(-(0 / 0))}
-- modulo
return {5 % 3, -5 % 3, 5 % -3, tostring(5.5 % 2), tostring(-5.5 % 2)}
-- ~modulo by zero: the sign of not-a-number
return tostring(5 % 0)
-- power
return {2 ^ 10, tostring(2 ^ 0.5), tostring(2 ^ -1), tostring(-2 ^ 2)}
-- tostring of numbers
return {tostring(1), tostring(1.5), tostring(1e15), tostring(1e14), tostring(123456789012345), tostring(1e100), tostring(0.1), tostring(1/3), tostring(-0.0), tostring(100000000000000), tostring(2^53)}
-- tostring of others
return {tostring(nil), tostring(true), tostring('x')}
-- tostring with a metamethod
return tostring(setmetatable({}, {__tostring = function() return 'me' end}))
-- tostring of cjson.null
return tostring(cjson.null)
-- type
return {type(nil), type(1), type('x'), type({}), type(print == nil), type(redis.call), type(cjson.null)}
-- type of a missing global
return type(nosuch)
-- type without argument
return type()
-- tonumber
return {tonumber('10'), tonumber('0x1F'), tonumber('  12  '), tonumber('1e2'), tostring(tonumber('abc')), tostring(tonumber('')), tonumber('10', 2), tonumber('ff', 16), tonumber('zz', 36), tostring(tonumber('8', 8)), tostring(tonumber('1.5')), tostring(tonumber(nil)), tostring(tonumber(true))}
-- tonumber without argument
return tonumber()
-- tonumber of inf and nan
return {tostring(tonumber('inf')), tostring(tonumber('nan')), tostring(tonumber('-inf')), tostring(tonumber('1_000')), tostring(tonumber('0b11')), tostring(tonumber('1e')), tostring(tonumber('1e1000'))}
-- tonumber base out of range
return tonumber('1', 99)
-- for loop with strings
local n = 0 for i = '1', ARGV[1] do n = n + i end return n
-- for loop with a bad limit
for i = 1, nil do end
-- for loop with a bad start
for i = {}, 2 do end
-- for loop with a bad step
for i = 1, 2, 'x' do end
-- for loop backwards
local t = {} for i = 5, 1, -2 do t[#t + 1] = i end return t
-- for loop with fractions
local t = {} for i = 0, 1, 0.25 do t[#t + 1] = tostring(i) end return t
-- ipairs
local t = {} for i, v in ipairs({'a', 'b', nil, 'd'}) do t[#t + 1] = i .. v end return t
-- pairs of an array
local t = {} for k, v in pairs({'a', 'b', 'c'}) do t[#t + 1] = k .. v end return t
-- pairs of nil
for k in pairs(nil) do end
-- ipairs of nil
for k in ipairs() do end
-- next
return {next({}), next({5})}
-- call a table as an iterator
for k in {} do end
-- while and break
local i = 0 while true do i = i + 1 if i > 5 then break end end return i
-- repeat sees its locals
local i = 0 repeat i = i + 1 local done = i == 3 until done return i
-- multiple assignment
local a, b, c = 1, 2 return {a, b, c == nil}
-- swap
local a, b = 1, 2 a, b = b, a return {a, b}
-- swap fields
local t = {1, 2} t[1], t[2] = t[2], t[1] return t
-- assign order
local i, t = 1, {} i, t[i] = i + 1, 20 return {i, t[1], t[2] == nil}
-- assign from a call
local t = {} t.a, t.b, t.c = (function() return 1, 2 end)() return {t.a, t.b, t.c == nil}
-- assign one from a call
local t = {} t.a = (function() return 1, 2 end)() return {t.a}
-- closures
local function counter() local n = 0 return function() n = n + 1 return n end end local c = counter() c() c() return c()
-- closures in loops
local fs = {} for i = 1, 3 do fs[i] = function() return i end end return {fs[1](), fs[2](), fs[3]()}
-- local function is recursive
local function fact(n) if n <= 1 then return 1 end return n * fact(n - 1) end return fact(10)
-- local with a function is not recursive
local f = function() return f end return f()
-- methods
local t = {n = 1} function t:add(x) self.n = self.n + x return self end return t:add(2):add(3).n
-- functions in tables
local t = {a = {}} function t.a.f(x) return x * 2 end return t.a.f(4)
-- varargs
local function f(...) return select('#', ...), ... end return {f(1, nil, 3)}
-- varargs in a table
local function f(...) local t = {...} return #t end return f(1, 2, 3)
-- arg table
local function f(...) return arg.n .. arg[1] end return f('a', 'b')
-- select
return {select(2, 'a', 'b', 'c'), select(-1, 'a', 'b', 'c'), select('#')}
-- select out of range
return select(0)
-- unpack
return {unpack({1, 2, 3})}
-- unpack a range
return {unpack({1, 2, 3, 4}, 2, 3)}
-- unpack many
local t = {} for i = 1, 7000 do t[i] = i end return select('#', unpack(t))
-- unpack too many
local t = {} for i = 1, 9000 do t[i] = i end return select('#', unpack(t))
-- unpack into a call
local t = {'rpush', KEYS[1]} for i = 1, 1000 do t[#t + 1] = i end return redis.call(unpack(t))
-- unpack a far range
return unpack({}, 1, 1e9)
-- logical operators
return {nil or 1, false and 1 or 2, 1 and 2, not nil, not 0}
-- metatables
local t = setmetatable({}, {__index = function(_, k) return k .. '!' end}) return t.hello
-- metatable __newindex
local log = {} local t = setmetatable({}, {__newindex = function(t, k, v) rawset(t, k, v * 2) end}) t.a = 5 return t.a
-- metatable __call
local t = setmetatable({}, {__call = function(self, a, b) return a + b end}) return t(1, 2)
-- metatable __eq __lt __le
local mt = {__eq = function() return true end, __lt = function() return true end, __le = function() return false end} local a, b = setmetatable({}, mt), setmetatable({}, mt) return {a == b, a < b, a <= b}
-- metatable arithmetic
local mt = {__add = function(a, b) return 'add' end, __unm = function() return 'unm' end} local t = setmetatable({}, mt) return {t + 1, 1 + t, t + 'x', 'x' + t, -t}
-- metatable __metatable
local t = setmetatable({}, {__metatable = 'locked'}) return {getmetatable(t), pcall(setmetatable, t, {})}
-- metatable __newindex to a protected table
local t = setmetatable({}, {__newindex = redis}) t.x = 1
-- setmetatable wrong
setmetatable({}, 1)
-- setmetatable nothing
setmetatable({})
-- newproxy
return type(newproxy())
-- newproxy with metatable
local p = newproxy(true) getmetatable(p).__index = function(_, k) return k end return p.hello
-- collectgarbage
return {collectgarbage(), type(collectgarbage('count')), collectgarbage('stop')}
-- collectgarbage wrong
collectgarbage('x')
-- loadstring
return loadstring('return 1 + 1')()
-- loadstring with arguments
return {loadstring('return ...')(1, 2)}
-- loadstring with a syntax error in the result
return type(loadstring('return return'))
-- loadstring error position
loadstring('error("x")')()
-- loadstring error position with a name
loadstring('error("x")', '=name')()
-- loadstring error in many lines
loadstring('local x = 1\nerror("x")')()
-- loadstring sees no locals
local x = 5 return loadstring('return x')()
-- load
local parts, i = {'return ', '42'}, 0 return load(function() i = i + 1 return parts[i] end)()
-- getfenv
return getfenv() == _G
-- setfenv
local f = setfenv(function() return x end, {x = 7}) return f()
-- setfenv writes
local env = {} local f = setfenv(function() x = 7 end, env) f() return env.x
-- setfenv uses concat and tables
local f = setfenv(function(a) local t = {} t.x = a .. 'b' return t.x end, {}) return f('a')
-- coroutines
local co = coroutine.create(function(a, b) local c = coroutine.yield(a + b) return c * 2 end) local _, x = coroutine.resume(co, 1, 2) local _, y = coroutine.resume(co, 10) return {x, y, coroutine.status(co)}
-- coroutine wrap
local f = coroutine.wrap(function() for i = 1, 3 do coroutine.yield(i) end end) return {f(), f(), f()}
-- coroutine error
local co = coroutine.create(function() error('x') end) return {coroutine.resume(co)}
-- coroutine vm error
local co = coroutine.create(function() local t return t.x end) return {coroutine.resume(co)}
-- coroutine dead
local co = coroutine.create(function() end) coroutine.resume(co) return {coroutine.resume(co)}
-- coroutine yield outside
coroutine.yield(1)
-- coroutine running
return coroutine.running()
-- coroutine with redis.call
local co = coroutine.wrap(function() coroutine.yield(redis.call('set', 'x', 'y')) end) return co()
-- yield across pcall
local co = coroutine.create(function() return pcall(coroutine.yield, 1) end) return {coroutine.resume(co)}
-- stack overflow is an error
local function f() return 1 + f() end return pcall(f)
-- table.insert
local t = {1, 2, 3} table.insert(t, 4) table.insert(t, 1, 0) return t
-- table.insert beyond the end
local t = {1} table.insert(t, 5, 'x') return t[5]
-- table.insert wrong
table.insert({}, 1, 2, 3)
-- table.insert nothing
table.insert()
-- table.insert position no number
table.insert({}, 'x', 1)
-- table.remove
local t = {1, 2, 3, 4} return {table.remove(t), table.remove(t, 1), #t, t[1], t[2]}
-- table.remove from empty
return {table.remove({}), table.remove({}, 1)}
-- table.concat
return table.concat({1, 'a', 2.5}, ', ')
-- table.concat a range
return table.concat({1, 2, 3, 4}, '-', 2, 3)
-- table.concat wrong
return table.concat({1, {}, 3})
-- table.concat nil
return table.concat({1, 2}, ',', 1, 3)
-- table.sort
local t = {3, 1, 2} table.sort(t) return t
-- table.sort with a function
local t = {3, 1, 2} table.sort(t, function(a, b) return a > b end) return t
-- table.sort strings
local t = {'b', 'a', 'C'} table.sort(t) return t
-- table.sort mixed
table.sort({1, 'a'})
-- table.sort tables
table.sort({{}, {}})
-- table.getn maxn
return {table.getn({1, 2}), table.maxn({1, 2, [10] = 1}), table.maxn({})}
-- table.foreach
local t = {} table.foreach({5, 6}, function(k, v) t[#t + 1] = k * v end) return t
-- table.foreachi
return table.foreachi({5, 6}, function(i, v) if v == 6 then return i end end)
-- table.setn
table.setn({}, 1)
-- sparse tables
local t = {} t[1000000] = 1 t[1] = 1 return {t[1000000], t[1], t[2] == nil}
-- ~length of a sparse table: any border will do
local t = {} t[1000000] = 1 t[1] = 1 return {t[1000000], #t}
-- large indices
local t = {} t[1e9] = 1 t[-1] = 2 t[0] = 3 t[1.5] = 4 return {t[1e9], t[-1], t[0], t[1.5], #t}
-- remove while iterating
local t = {a = 1, b = 2, c = 3} local n = 0 for k in pairs(t) do t[k] = nil n = n + 1 end return {n, next(t) == nil}
-- nil index
local t = {} t[nil] = 1
-- NaN index
local t = {} t[0/0] = 1
-- length after removal
local t = {1, 2, 3} t[3] = nil t[2] = nil return #t
-- nested constructors
return {{1, {2, {3}}}, a = {b = 1}}
-- constructor with calls
local function f() return 1, 2, 3 end return {f(), f()}
-- constructor in parentheses
local function f() return 1, 2, 3 end return {(f())}
-- constructor with trailing separator
return {1, 2; 3,}
-- long strings
return [[
line]] .. [==[ ]] ]==]
-- escapes
return 'a\tb\\\'\"\65\n'
-- comments
--[[ many
lines ]] return 1 -- end
-- empty script

-- semicolons
local a = 1; local b = 2; return a + b;
-- string.byte
return {string.byte('abc'), string.byte('abc', 2), string.byte('abc', -1), string.byte('abc', 10)}
-- string.byte range
return {string.byte('hello', 1, -1)}
-- string.char
return string.char(72, 105, 0, 255)
-- string.char wrong
string.char(256)
-- string.len
return {string.len('abc\0d'), #'abc', ('x'):len()}
-- string.sub
return {string.sub('hello', 2, 4), string.sub('hello', -3), string.sub('hello', 2), string.sub('hello', 10), string.sub('hello', 0), string.sub('hello', -100, 2), ('x'):sub(1)}
-- string.upper lower reverse
return {string.upper('abcÄ'), string.lower('ABC'), string.reverse('abc')}
-- string.rep
return {string.rep('ab', 3), string.rep('x', 0), string.rep('x', -1)}
-- string.rep wrong
string.rep()
-- string.rep no number
string.rep('x', 'y')
-- string.rep as a method
('x'):rep({})
-- string.format
return string.format('%d %5d %-5d| %05d %x %X %o %c %s %q %% %i %u', 42, 42, 42, 42, 255, 255, 8, 65, 'str', 'a "quoted"\n', 7, 9)
-- string.format floats
return string.format('%f %.2f %e %g %g %g %.3g %10.2f %-10.1f| %G', 3.14159, 2.5, 12345.678, 0.0001, 1e20, 100000, 1234.5, 3.14159, 2.25, 1e-10)
-- string.format flags
return string.format('%+d % d %#x %#o %+.1f', 5, 5, 255, 8, 1.5)
-- string.format special
return string.format('%g %g %g %f %5.1f', 1/0, -1/0, 0/0, 1/0, 1e10)
-- string.format strings
return string.format('%5s|%-5s|%.2s|%s', 'ab', 'ab', 'abcdef', 'x')
-- string.format long string
return string.format('%s', string.rep('x', 200))
-- string.format large numbers
return string.format('%d %d %s %.14g %.17g', 2^53, -2^53, 2^53, 2^53, 0.1)
-- string.format truncates
return string.format('%d', 3.99)
-- string.format wrong
return string.format('%y', 1)
-- string.format missing
return string.format('%d')
-- string.format not a number
return string.format('%d', 'x')
-- string.format nil
return string.format('%s', nil)
-- string.format boolean
return string.format('%s', true)
-- string.format percent at the end
return string.format('%')
-- string.find
return {string.find('hello world', 'wor'), string.find('hello', 'l'), string.find('hello', 'xyz'), string.find('hello', '')}
-- string.find with init
return {string.find('hello hello', 'hello', 2), string.find('hello', 'l', -2)}
-- string.find plain
return {string.find('a.b', '.', 1, true), string.find('a+b', '+', 1, true)}
-- string.find pattern
return {string.find('hello 123', '(%d+)'), string.find('key=value', '(%w+)=(%w+)')}
-- string.match
return {string.match('hello 123', '%d+'), string.match('2024-01-02', '(%d+)-(%d+)-(%d+)'), string.match('abc', '()b()'), string.match('x', 'y')}
-- string.match anchors
return {string.match('hello', '^h'), string.match('hello', 'o$'), string.match('hello', '^e')}
-- string.match sets
return {string.match('abc123', '[a-c]+'), string.match('abc123', '[^a-c]+'), string.match('a-b', '[a%-]+'), string.match('a]b', '[]]')}
-- string.match balanced
return string.match('f(a(b)c)d', '%b()')
-- string.match frontier
return string.gsub('THE (quick) fox', '%f[%a]%a+', 'X')
-- string.match back reference
return string.match('say "hi" now', '(["\'])(.-)%1')
-- string.match lazy
return {string.match('<a><b>', '<(.-)>'), string.match('<a><b>', '<(.*)>')}
-- string.gmatch
local t = {} for k, v in string.gmatch('a=1, b=2', '(%w+)=(%w+)') do t[#t + 1] = k .. v end return t
-- string.gmatch empty
local t = {} for w in string.gmatch('abc', '') do t[#t + 1] = 'x' end return #t
-- string.gmatch split
local t = {} for w in string.gmatch('a,b,,c', '([^,]*)') do t[#t + 1] = w end return t
-- string.gsub
return {string.gsub('hello', 'l', 'L'), string.gsub('hello', 'l', 'L', 1), string.gsub('abc', '%w', '%0%0'), string.gsub('hello world', '(%w+) (%w+)', '%2 %1')}
-- string.gsub with a table
return {string.gsub('$name is $age', '%$(%w+)', {name = 'Bob', age = 5})}
-- string.gsub with a function
return {string.gsub('abc', '%w', function(c) if c == 'b' then return nil end return c:upper() end)}
-- string.gsub empty
return {string.gsub('abc', '', '-')}
-- string.gsub anchored
return {string.gsub('aaa', '^a', 'b')}
-- string.gsub wrong replacement
string.gsub('a', 'a', true)
-- string.gsub wrong value
string.gsub('a', 'a', function() return {} end)
-- malformed pattern
string.find('a', '[a')
-- malformed pattern percent
string.find('a', '%')
-- malformed capture
string.find('a', '(a')
-- malformed capture end
string.find('a', 'a)')
-- malformed capture index
string.find('a', '%1')
-- malformed balance
string.find('a', '%b')
-- malformed frontier
string.find('a', '%f')
-- math
return {math.floor(3.7), math.ceil(3.2), math.abs(-5), math.max(1, 5, 3), math.min(4, 2, 8), math.fmod(7, 3), math.sqrt(16), math.pow(2, 8)}
-- math floats
return {tostring(math.pi), tostring(math.sin(1)), tostring(math.exp(1)), tostring(math.log(10)), tostring(math.log10(100)), tostring(math.huge), tostring(math.deg(1)), tostring(math.rad(90))}
-- math modf frexp ldexp
return {tostring(math.modf(3.7)), tostring(select(2, math.modf(3.5))), tostring(math.frexp(8)), tostring(math.ldexp(0.5, 4)), tostring(math.ceil(-0.5))}
-- math.random with a seed
math.randomseed(42) return {tostring(math.random()), math.random(10), math.random(5, 10), math.random(1000000)}
-- math.random with another seed
math.randomseed(-1) return {tostring(math.random()), math.random(100)}
-- math.random empty
math.random(0)
-- math.random empty range
math.random(5, 1)
-- math.random too many
math.random(1, 2, 3)
-- math.floor wrong
math.floor('x')
-- math.floor of a string
return math.floor('3.7')
-- math.floor of nothing
math.floor()
-- math.max of nothing
math.max()
-- bit
return {bit.band(12, 10), bit.bor(12, 10), bit.bxor(12, 10), bit.bnot(0), bit.lshift(1, 4), bit.rshift(256, 4), bit.arshift(-256, 4), bit.rol(1, 31), bit.ror(1, 1), bit.tobit(2^32), bit.bswap(1)}
-- bit tohex
return {bit.tohex(255), bit.tohex(255, 4), bit.tohex(-1, -8), bit.tohex(0x12345678, 2)}
-- bit of strings and large numbers
return {bit.band('12', 10), bit.tobit(0xffffffff), bit.tobit(1e10), bit.bnot(1.5)}
-- bit wrong
bit.band('x', 1)
-- bit of nothing
bit.band()
-- cjson.encode
return {cjson.encode({1, 2, 3}), cjson.encode({a = 1}), cjson.encode('a"b\\c/d\n\1\127é'), cjson.encode(1.5), cjson.encode(true), cjson.encode(nil), cjson.encode({}), cjson.encode(cjson.null)}
-- cjson.encode numbers
return {cjson.encode(1e15), cjson.encode(1/3), cjson.encode(1e100), cjson.encode(-0.5), cjson.encode(123456789012345)}
-- cjson.encode nested
return cjson.encode({{1}, {a = {b = {1, 2}}}})
-- cjson.encode number keys
return cjson.encode({[5.5] = 1})
-- cjson.encode sparse
return cjson.encode({1, 2, nil, 4})
-- cjson.encode too sparse
return cjson.encode({[1] = 1, [100] = 2})
-- cjson.encode sparse converted
cjson.encode_sparse_array(true) return cjson.encode({[100] = 2})
-- cjson.encode a function
return cjson.encode(function() end)
-- cjson.encode a boolean key
return cjson.encode({[true] = 1})
-- cjson.encode NaN
return cjson.encode(0/0)
-- cjson.encode infinity
return cjson.encode(1/0)
-- cjson.encode invalid numbers
cjson.encode_invalid_numbers(true) local a = cjson.encode({0/0, 1/0}) cjson.encode_invalid_numbers('null') local b = cjson.encode({0/0, 1/0}) cjson.encode_invalid_numbers(false) return {a, b}
-- cjson.encode precision
local old = cjson.encode_number_precision(3) local r = cjson.encode({1/3, 12345, 100}) cjson.encode_number_precision(14) return {old, r}
-- cjson.encode too deep
local t = {} for i = 1, 1100 do t = {t} end return cjson.encode(t)
-- cjson.encode depth
cjson.encode_max_depth(3) local ok, e = pcall(cjson.encode, {{{{1}}}}) cjson.encode_max_depth(1000) return e
-- cjson.encode arguments
return cjson.encode()
-- cjson.encode_max_depth arguments
return cjson.encode_max_depth(0)
-- cjson.encode_max_depth too many arguments
return cjson.encode_max_depth(1, 2)
-- cjson.decode
local t = cjson.decode('{"a": [1, 2.5, "x", true, false, null], "b": {"c": "d"}}') return {t.a[1], tostring(t.a[2]), t.a[3], t.a[4], t.a[5], t.a[6] == cjson.null, t.b.c, #t.a}
-- cjson.decode strings
return {cjson.decode('"a\\n\\t\\u00e9\\ud83d\\ude00\\/"'), cjson.decode('""')}
-- cjson.decode numbers
return {cjson.decode('10'), tostring(cjson.decode('-1.5e3')), tostring(cjson.decode('0x10')), tostring(cjson.decode('inf')), tostring(cjson.decode('-nan'))}
-- cjson.decode null
return cjson.decode('null') == cjson.null
-- cjson.decode empty
return cjson.decode('')
-- cjson.decode bad value
return cjson.decode('{"a": }')
-- cjson.decode bad key
return cjson.decode('{a: 1}')
-- cjson.decode no colon
return cjson.decode('{"a" 1}')
-- cjson.decode no comma
return cjson.decode('[1 2]')
-- cjson.decode no end
return cjson.decode('[1, 2')
-- cjson.decode garbage
return cjson.decode('[1] x')
-- cjson.decode unfinished string
return cjson.decode('"abc')
-- cjson.decode bad escape
return cjson.decode('"\\x"')
-- cjson.decode bad unicode
return cjson.decode('"\\u12"')
-- cjson.decode lone surrogate
return cjson.decode('"\\ud83d"')
-- cjson.decode bad number
return cjson.decode('-')
-- cjson.decode too deep
return cjson.decode(string.rep('[', 1100))
-- cjson.decode a word
return cjson.decode('truex')
-- cjson.decode UTF-16
return cjson.decode('a\0b')
-- cjson.decode without argument
return cjson.decode()
-- cjson.decode nil
return cjson.decode(nil)
-- cjson round trip
return cjson.encode(cjson.decode('[1,{"a":[]},"x"]'))
-- cmsgpack.pack
return {cmsgpack.pack(1), cmsgpack.pack(-1), cmsgpack.pack(200), cmsgpack.pack(-200), cmsgpack.pack(70000), cmsgpack.pack(-70000), cmsgpack.pack(1e10), cmsgpack.pack(-1e10), cmsgpack.pack(1.5), cmsgpack.pack(0.1), cmsgpack.pack('abc'), cmsgpack.pack(nil), cmsgpack.pack(true), cmsgpack.pack({1, 2}), cmsgpack.pack({}), cmsgpack.pack({a = 1})}
-- cmsgpack.pack many
return cmsgpack.pack(1, 'a', {1})
-- cmsgpack.pack long
return cmsgpack.pack(string.rep('x', 300)) .. cmsgpack.pack(string.rep('x', 40))
-- cmsgpack.pack long array
local t = {} for i = 1, 20 do t[i] = i end return cmsgpack.pack(t)
-- cmsgpack.pack a hole
return cmsgpack.pack({1, nil, 3})
-- cmsgpack.pack nothing
return cmsgpack.pack()
-- cmsgpack.pack too deep
local t = {} for i = 1, 20 do t = {t} end return cmsgpack.pack(t)
-- cmsgpack.unpack
return {cmsgpack.unpack(cmsgpack.pack({1, -2, 3.5, 'x', true, {a = 'b'}}))}
-- cmsgpack.unpack several
return {cmsgpack.unpack(cmsgpack.pack(1, 'a', false, 70000, -200, 1e10, -1e10, 0.1))}
-- cmsgpack.unpack_one
return {cmsgpack.unpack_one(cmsgpack.pack(1, 2, 3), 1)}
-- cmsgpack.unpack_limit
return {cmsgpack.unpack_limit(cmsgpack.pack(1, 2, 3), 2, 0)}
-- cmsgpack.unpack_limit to the end
return {cmsgpack.unpack_limit(cmsgpack.pack(1, 2, 3), 5, 0)}
-- cmsgpack.unpack missing
return cmsgpack.unpack('\146\1')
-- cmsgpack.unpack bad
return cmsgpack.unpack('\193')
-- cmsgpack.unpack numbers
return {tostring(cmsgpack.unpack('\207\255\255\255\255\255\255\255\255')), tostring(cmsgpack.unpack('\211\255\255\255\255\255\255\255\254')), cmsgpack.unpack('\208\128'), cmsgpack.unpack('\209\128\1'), cmsgpack.unpack('\210\128\0\0\1')}
-- cmsgpack.unpack offset
return cmsgpack.unpack_one('\1', 5)
-- cmsgpack.unpack negative
return cmsgpack.unpack_limit('\1', -1)
-- cmsgpack.unpack empty
return {cmsgpack.unpack('')}
-- struct.pack
return {struct.pack('>I2i4', 1, -2), struct.pack('<I2i4', 1, -2), struct.pack('b', 255), struct.pack('>l', 5), struct.pack('>d', 1.5), struct.pack('<f', 1.5), struct.pack('s', 'abc'), struct.pack('c0', 'xyz'), struct.pack('c2', 'xyz'), struct.pack('bxH', 1, 2)}
-- struct.pack aligned
return struct.pack('!4 b i4 !8 d', 1, 2, 3)
-- struct.unpack
return {struct.unpack('>I2i4', '\0\1\255\255\255\254')}
-- struct.unpack strings
return {struct.unpack('sc2', 'abc\0xy')}
-- struct.unpack c0
return {struct.unpack('>I1c0', '\3abcdef')}
-- struct.unpack offset
return {struct.unpack('b', 'abc', 2)}
-- struct.unpack doubles
return {tostring(struct.unpack('>d', struct.pack('>d', 0.1))), tostring(struct.unpack('<f', struct.pack('<f', 0.5)))}
-- struct.unpack negative
return {struct.unpack('bhil', struct.pack('bhil', -1, -2, -3, -4))}
-- struct.unpack unsigned
return {struct.unpack('BHIT', struct.pack('BHIT', 255, 65535, 4294967295, 7))}
-- struct.unpack short
return struct.unpack('>I4', 'abc')
-- struct.unpack c0 without size
return struct.unpack('c0', 'abc')
-- struct.unpack unfinished
return struct.unpack('s', 'abc')
-- struct.unpack offset wrong
return struct.unpack('b', 'abc', 0)
-- struct.size
return {struct.size('>I2i4'), struct.size('bhild'), struct.size('!8 b d'), struct.size('c10')}
-- struct.size of s
return struct.size('s')
-- struct.size of c0
return struct.size('c0')
-- struct wrong option
return struct.pack('y', 1)
-- struct size too large
return struct.pack('i100', 1)
-- struct overflow
return struct.pack('c99999999999', 'x')
-- struct alignment
return struct.pack('!3 i4', 1)
-- struct too short
return struct.pack('c5', 'abc')
-- struct not a number
return struct.pack('i', 'x')
-- struct large sizes
return {struct.pack('>i16', 1), struct.pack('<i9', -1)}
-- goto is a name
local goto_x = 1 return goto_x
-- time
return #redis.call('time')
-- script as data
return redis.sha1hex('return 1')
-- deep concat
local s = '' for i = 1, 100 do s = s .. i .. ',' end return s
-- long concat
return 'a' .. 'b' .. 'c' .. 1 .. 2 .. 3 .. 'd' .. 'e' .. 'f' .. 'g' .. 'h' .. 'i' .. 'j' .. 'k' .. 'l' .. 'm' .. 'n' .. 'o' .. 'p' .. 'q' .. 'r' .. 's' .. 't' .. 'u' .. 'v' .. 'w' .. 'x' .. 'y' .. 'z' .. 'a' .. 'b' .. 'c' .. 'd' .. 'e' .. 'f' .. 'g' .. 'h' .. 'i' .. 'j' .. 'k' .. 'l' .. 'm' .. 'n' .. 'o' .. 'p' .. 'q' .. 'r' .. 's' .. 't' .. 'u' .. 'v' .. 'w' .. 'x' .. 'y' .. 'z'
-- error with a newline
return redis.error_reply('ERR a\r\nb')
-- error in a multi-line call
redis.call('set',
  KEYS[1],
  {})
-- shebang
#!lua flags=no-writes
return 1
-- shebang without flags
#!lua
return redis.call('get', 'x')
-- shebang other engine
#!python
return 1
-- shebang unknown flag
#!lua flags=bad
return 1
-- shebang unknown option
#!lua name=bad
return 1
-- shebang keeps lines
#!lua

error('x')
