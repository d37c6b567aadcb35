-- simple
#!lua name=lib
redis.register_function('f', function(keys, args) return {keys[1], args[1], #keys, #args} end)
-- ~named arguments: who runs the commands sees to no-writes
#!lua name=lib
redis.register_function{function_name = 'f', callback = function(keys, args) return redis.call('set', keys[1], args[1]) end, flags = {'no-writes', 'allow-oom'}, description = 'does it'}
-- several functions and helpers
#!lua name=lib
local function double(x) return x * 2 end
redis.register_function('g', function() return 1 end)
redis.register_function('f', function(keys, args) return double(21) end)
-- libraries at run time
#!lua name=lib
redis.register_function('f', function(keys, args) return {string.upper(args[1]), cjson.encode(keys), math.floor(2.5), #table.concat(args)} end)
-- KEYS is not there
#!lua name=lib
redis.register_function('f', function(keys, args) return KEYS[1] end)
-- new global
#!lua name=lib
redis.register_function('f', function(keys, args) x = 1 end)
-- new global while loading
#!lua name=lib
x = 1
-- global function while loading
#!lua name=lib
function helper() return 1 end
redis.register_function('f', helper)
-- error
#!lua name=lib
redis.register_function('f', function(keys, args) error('boom') end)
-- error in line 4
#!lua name=lib

redis.register_function('f', function(keys, args)
  return redis.call('incr', {})
end)
-- error table
#!lua name=lib
redis.register_function('f', function(keys, args) return redis.error_reply('MY error') end)
-- redis error
#!lua name=lib
redis.register_function('f', function(keys, args) redis.call('set', keys[1], 'x') return redis.call('incr', keys[1]) end)
-- ~syntax error: what was expected is not known
#!lua name=lib
redis.register_function('f', function(
-- error while loading
#!lua name=lib
error('boom')
-- error table while loading
#!lua name=lib
error({err = 'E boom'})
-- call while loading
#!lua name=lib
redis.call('get', 'x')
-- setresp while loading
#!lua name=lib
redis.setresp(3)
-- math while loading
#!lua name=lib
math.random()
-- string while loading
#!lua name=lib
local s = string.rep('a', 3)
-- pairs while loading
#!lua name=lib
for k in pairs({}) do end
-- methods of strings while loading
#!lua name=lib
redis.register_function(('F'):lower(), function() return 1 end)
-- log while loading
#!lua name=lib
redis.log(redis.LOG_DEBUG, 'x') redis.register_function('f', function() return redis.REDIS_VERSION end)
-- version while loading
#!lua name=lib
local v = redis.REDIS_VERSION redis.register_function('f', function() return v end)
-- nothing registered
#!lua name=lib
return 1
-- registered twice
#!lua name=lib
redis.register_function('f', function() end)
redis.register_function('f', function() end)
-- register while running
#!lua name=lib
redis.register_function('f', function() redis.register_function('g', function() end) end)
-- register while running through a local
#!lua name=lib
local lib = redis
redis.register_function('f', function() lib.register_function('g', function() end) end)
-- register without arguments
#!lua name=lib
redis.register_function()
-- register with many arguments
#!lua name=lib
redis.register_function('f', function() end, {}, 'x')
-- register with no name
#!lua name=lib
redis.register_function({}, function() end)
-- register with no function
#!lua name=lib
redis.register_function('f', 'g')
-- register with no table
#!lua name=lib
redis.register_function('f')
-- register with a bad name
#!lua name=lib
redis.register_function('bad-name', function() end)
-- named without name
#!lua name=lib
redis.register_function{callback = function() end}
-- named without callback
#!lua name=lib
redis.register_function{function_name = 'f'}
-- named with a bad name
#!lua name=lib
redis.register_function{function_name = {}, callback = function() end}
-- named with a bad callback
#!lua name=lib
redis.register_function{function_name = 'f', callback = 'x'}
-- named with a bad description
#!lua name=lib
redis.register_function{function_name = 'f', callback = function() end, description = {}}
-- named with bad flags
#!lua name=lib
redis.register_function{function_name = 'f', callback = function() end, flags = 'no-writes'}
-- named with an unknown flag
#!lua name=lib
redis.register_function{function_name = 'f', callback = function() end, flags = {'x'}}
-- named with an unknown argument
#!lua name=lib
redis.register_function{function_name = 'f', callback = function() end, other = 1}
-- named with a number as a key
#!lua name=lib
redis.register_function{'f', function() end}
-- flags in capitals
#!lua name=lib
redis.register_function{function_name = 'f', callback = function() return 7 end, flags = {'NO-WRITES'}}
-- no metadata
return 1
-- metadata without an end
#!lua name=lib
-- metadata without a name
#!lua
return 1
-- metadata with two names
#!lua name=a name=b
return 1
-- metadata with an unknown value
#!lua name=a foo=bar
return 1
-- metadata with a bad name
#!lua name=a-b
return 1
-- metadata with an empty name
#!lua name=
return 1
-- metadata with another engine
#!python name=a
return 1
-- engine in capitals
#!LUA name=lib
redis.register_function('f', function() return 1 end)
-- metadata with quotes
#!lua "name=lib"
redis.register_function('f', function() return 1 end)
-- metadata with an open quote
#!lua "name=lib
redis.register_function('f', function() return 1 end)
-- RESP3
#!lua name=lib
redis.register_function('f', function(keys, args) redis.setresp(3) redis.call('hset', keys[1], 'a', 'b') return redis.call('hgetall', keys[1]) end)
-- globals at run time
#!lua name=lib
redis.register_function('f', function() return {type(redis.call), type(string), type(_G)} end)
-- missing global at run time
#!lua name=lib
redis.register_function('f', function() return foo end)
-- pcall at run time
#!lua name=lib
redis.register_function('f', function() return {pcall(error, 'x')} end)
