"""Works through the steps of ../contract_test.go with redis-py, and ends with 1 at the first surprise."""

import os
import threading

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry


def connect(user, token, **options):
    return redis.Redis(
        host=os.environ["LETHE_HOST"], port=int(os.environ["LETHE_PORT"]), username=user, password=token,
        ssl=True, ssl_ca_certs=os.environ["LETHE_CA"], protocol=int(os.environ["LETHE_PROTOCOL"]),
        client_name="redis-py", decode_responses=True, socket_timeout=30, **options)


def application():
    return connect(os.environ["LETHE_USER"], os.environ["LETHE_TOKEN"])


def step(name):
    print("ok", name, flush=True)


def same(got, want):
    if got != want:
        raise SystemExit(f"got {got!r}, want {want!r}")


def refused(call, error, code):
    try:
        call()
    except error as e:
        same(str(e).split()[0], code)
    else:
        raise SystemExit(f"not refused with {code}")


client = application()
same(client.ping(), True)
step("connect")

PATIENT = "TENANT001:patient:1"
same(client.set(PATIENT, "a record", ex=3600), True)
same(client.get(PATIENT), "a record")
same(290 < client.ttl(PATIENT) <= 300, True)
same(client.mget(PATIENT, "TENANT001:patient:none"), ["a record", None])
same(client.incrby("TENANT001:ratelimit:app", 5), 5)
step("strings")

SESSION = "TENANT001:session:s1"
same(client.hset(SESSION, mapping={"user": "jane", "visits": 1}), 2)
same(client.hincrby(SESSION, "visits", 2), 3)
same(client.hgetall(SESSION), {"user": "jane", "visits": "3"})
step("hashes")

same(client.sadd("TENANT001:patient:1:allergies", "latex", "nuts"), 2)
same(client.sadd("TENANT001:patient:2:allergies", "latex"), 1)
same(set(client.sinter("TENANT001:patient:1:allergies", "TENANT001:patient:2:allergies")), {"latex"})
step("sets")

SCORES = "TENANT001:patient:1:scores"
same(client.zadd(SCORES, {"a": 1.5, "b": 2}), 2)
same([tuple(pair) for pair in client.zrange(SCORES, 0, -1, withscores=True)], [("a", 1.5), ("b", 2.0)])
same(client.zscore(SCORES, "a"), 1.5)
same(client.zrangebyscore(SCORES, "(1.5", "+inf"), ["b"])
step("sorted sets")

pipeline = client.pipeline(transaction=False)
for i in range(100):
    pipeline.rpush("TENANT001:patient:1:log", i)
same(pipeline.execute()[99], 100)
step("pipeline")

COUNTER = "TENANT001:ratelimit:t"
same(client.pipeline().incr(COUNTER).incr(COUNTER).execute(), [1, 2])
with client.pipeline() as transaction:
    transaction.watch(COUNTER)
    client.incr(COUNTER)
    transaction.multi()
    transaction.incr(COUNTER)
    try:
        transaction.execute()
    except redis.WatchError:
        pass
    else:
        raise SystemExit("WATCH saw no change")
step("transaction")

add = client.register_script("return redis.call('INCRBY', KEYS[1], ARGV[1])")
same([add(keys=["TENANT001:ratelimit:script"], args=[10]) for _ in range(2)], [10, 20])
step("scripts")

CHANNEL = "TENANT001:patient:1:changes"
with application().pubsub() as subscriber:
    subscriber.subscribe(CHANNEL)
    same(subscriber.get_message(timeout=30)["type"], "subscribe")
    same(client.publish(CHANNEL, "changed"), 1)
    same(subscriber.get_message(timeout=30)["data"], "changed")
step("pub/sub")

QUEUE = "TENANT001:patient:1:queue"
popped = []
waiting = threading.Thread(target=lambda: popped.append(application().blpop([QUEUE], timeout=30)))
waiting.start()
same(client.rpush(QUEUE, "job"), 1)
waiting.join()
same([list(pair) for pair in popped], [[QUEUE, "job"]])
same(client.blpop([QUEUE], timeout=1), None)
step("blocking pop")

refused(lambda: client.get("TENANT002:patient:1"), redis.ResponseError, "TENANT")
refused(lambda: client.keys("*"), redis.exceptions.NoPermissionError, "this")  # redis-py cuts NOPERM off
once = Retry(NoBackoff(), 0)  # by itself it tries a wrong token four times, which is when others have to wait
refused(lambda: connect(os.environ["LETHE_USER"], "wrong", retry=once).ping(), redis.AuthenticationError, "invalid")  # and WRONGPASS
step("errors")

operator = connect(os.environ["LETHE_OPERATOR"], os.environ["LETHE_OPERATOR_TOKEN"])
with redis.Redis(connection_pool=client.connection_pool, single_connection_client=True) as alone:
    same(operator.client_kill_filter(_id=alone.client_id()), 1)
    same(alone.get(PATIENT), "a record")
step("reconnect")
