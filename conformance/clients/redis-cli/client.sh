#!/bin/sh
# Works through the steps of ../contract_test.go with redis-cli, and ends with 1 at the first surprise.
set -eu

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# A program and not a function, so that one in the background is one process.
cat > "$work/cli" <<'END'
#!/bin/sh
export REDISCLI_AUTH="$LETHE_TOKEN"
exec redis-cli -"$LETHE_PROTOCOL" --no-raw --tls --cacert "$LETHE_CA" -h "$LETHE_HOST" -p "$LETHE_PORT" --user "$LETHE_USER" "$@"
END
chmod +x "$work/cli"

cli() { "$work/cli" "$@"; }
fail() { echo "$1" >&2; exit 1; }
same() { [ "$1" = "$2" ] || fail "got $1, want $2"; }
begins() { case $1 in "$2"*) ;; *) fail "got $1, want $2...";; esac; }
step() { echo "ok $1"; }

same "$(cli PING)" PONG
step connect

patient=TENANT001:patient:1
same "$(cli SET $patient 'a record' EX 3600)" OK
same "$(cli GET $patient)" '"a record"'
ttl=$(cli --raw TTL $patient)
[ "$ttl" -gt 290 ] && [ "$ttl" -le 300 ] || fail "PHI is kept for $ttl s"
same "$(cli GET TENANT001:patient:none)" '(nil)'
same "$(cli INCRBY TENANT001:ratelimit:app 5)" '(integer) 5'
step strings

same "$(cli HSET TENANT001:session:s1 user jane visits 1)" '(integer) 2'
same "$(cli HINCRBY TENANT001:session:s1 visits 2)" '(integer) 3'
same "$(cli --csv HMGET TENANT001:session:s1 user visits)" '"jane","3"'
step hashes

same "$(cli SADD TENANT001:patient:1:allergies latex nuts)" '(integer) 2'
same "$(cli SADD TENANT001:patient:2:allergies latex)" '(integer) 1'
same "$(cli --csv SINTER TENANT001:patient:1:allergies TENANT001:patient:2:allergies)" '"latex"'
step sets

same "$(cli ZADD TENANT001:patient:1:scores 1.5 a 2 b)" '(integer) 2'
same "$(cli --csv ZRANGE TENANT001:patient:1:scores 0 -1)" '"a","b"'
same "$(cli --csv ZRANGEBYSCORE TENANT001:patient:1:scores '(1.5' +inf)" '"b"'
step "sorted sets"

i=0
replies=$(while [ $i -lt 100 ]; do
  printf '*3\r\n$5\r\nRPUSH\r\n$23\r\nTENANT001:patient:1:log\r\n$1\r\nx\r\n'
  i=$((i + 1))
done | cli --pipe | tail -1)
same "$replies" 'errors: 0, replies: 100'
step pipeline

counter=TENANT001:ratelimit:t
same "$(printf 'MULTI\nINCR %s\nEXEC\n' $counter | cli --raw | tail -1)" 1
same "$(printf 'WATCH %s\nINCR %s\nMULTI\nINCR %s\nEXEC\n' $counter $counter $counter | cli | tail -1)" '(nil)'
step transaction

add="return redis.call('INCRBY', KEYS[1], ARGV[1])"
same "$(cli EVAL "$add" 1 TENANT001:ratelimit:script 10)" '(integer) 10'
same "$(cli EVALSHA "$(cli --raw SCRIPT LOAD "$add")" 1 TENANT001:ratelimit:script 10)" '(integer) 20'
step scripts

channel=TENANT001:patient:1:changes
"$work/cli" --csv SUBSCRIBE $channel > "$work/messages" &
subscriber=$!
until [ "$(cli PUBLISH $channel changed)" = '(integer) 1' ]; do kill -0 $subscriber; done
until grep -q '"message"' "$work/messages"; do kill -0 $subscriber; done
kill $subscriber
wait $subscriber 2>/dev/null || true
grep -q "\"message\",\"$channel\",\"changed\"" "$work/messages" || fail "another message came"
step "pub/sub"

queue=TENANT001:patient:1:queue
"$work/cli" --csv BLPOP $queue 30 > "$work/popped" &
same "$(cli RPUSH $queue job)" '(integer) 1'
wait $!
same "$(cat "$work/popped")" "\"$queue\",\"job\""
same "$(cli BLPOP $queue 1)" '(nil)'
step "blocking pop"

begins "$(cli GET TENANT002:patient:1)" '(error) TENANT '
begins "$(cli KEYS '*')" '(error) NOPERM '
begins "$(LETHE_TOKEN=wrong cli PING 2>&1)" 'AUTH failed: WRONGPASS '
step errors

# One session asks for its number and then waits; the operator ends it. Its next command tells so, the one after that makes a
# new connection, as with Redis.
mkfifo "$work/commands"
"$work/cli" --raw < "$work/commands" > "$work/replies" 2>&1 &
session=$!
exec 3> "$work/commands"
echo 'CLIENT ID' >&3
until [ -s "$work/replies" ]; do kill -0 $session; done
killed=$(LETHE_USER=$LETHE_OPERATOR LETHE_TOKEN=$LETHE_OPERATOR_TOKEN cli CLIENT KILL ID "$(head -1 "$work/replies")")
same "$killed" '(integer) 1'
echo PING >&3
echo "GET $patient" >&3
exec 3>&-
wait $session || true
grep -q "a record" "$work/replies" || fail "redis-cli did not connect again: $(tail -n +2 "$work/replies")"
step reconnect
