import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;

import redis.clients.jedis.AbstractPipeline;
import redis.clients.jedis.AbstractTransaction;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.JedisPooled;
import redis.clients.jedis.JedisPubSub;
import redis.clients.jedis.RedisProtocol;
import redis.clients.jedis.Response;
import redis.clients.jedis.exceptions.JedisAccessControlException;
import redis.clients.jedis.exceptions.JedisConnectionException;
import redis.clients.jedis.exceptions.JedisDataException;
import redis.clients.jedis.params.ClientKillParams;
import redis.clients.jedis.params.SetParams;

/** Works through the steps of ../contract_test.go with Jedis. */
public final class JedisClient {
    private static final HostAndPort ADDRESS = new HostAndPort(Steps.HOST, Steps.PORT);
    private static final String PATIENT = "TENANT001:patient:1";

    private JedisClient() {
    }

    private static DefaultJedisClientConfig as(String user, String token) throws Exception {
        return DefaultJedisClientConfig.builder().user(user).password(token).ssl(true)
                .sslSocketFactory(Steps.trusting(Steps.CA).getSocketFactory())
                .protocol(Steps.RESP3 ? RedisProtocol.RESP3 : RedisProtocol.RESP2)
                .clientName("jedis").blockingSocketTimeoutMillis(30_000).build();
    }

    public static void main(String[] args) throws Exception {
        try (JedisPooled client = new JedisPooled(ADDRESS, as(Steps.USER, Steps.TOKEN))) {
            Steps.same(client.ping(), "PONG");
            Steps.step("connect");
            data(client);
            batches(client);
            waiting(client);
            errors(client);
        }
        reconnect();
    }

    private static void data(JedisPooled client) {
        Steps.same(client.set(PATIENT, "a record", SetParams.setParams().ex(3600)), "OK");
        Steps.same(client.get(PATIENT), "a record");
        long ttl = client.ttl(PATIENT);
        Steps.check(ttl > 290 && ttl <= 300, "PHI is kept for " + ttl + " s");
        Steps.same(client.mget(PATIENT, "TENANT001:patient:none"), Arrays.asList("a record", null));
        Steps.same(client.incrBy("TENANT001:ratelimit:app", 5), 5L);
        Steps.step("strings");

        String session = "TENANT001:session:s1";
        Steps.same(client.hset(session, Map.of("user", "jane", "visits", "1")), 2L);
        Steps.same(client.hincrBy(session, "visits", 2), 3L);
        Steps.same(client.hgetAll(session), Map.of("user", "jane", "visits", "3"));
        Steps.step("hashes");

        Steps.same(client.sadd("TENANT001:patient:1:allergies", "latex", "nuts"), 2L);
        Steps.same(client.sadd("TENANT001:patient:2:allergies", "latex"), 1L);
        Steps.same(client.sinter("TENANT001:patient:1:allergies", "TENANT001:patient:2:allergies"), Set.of("latex"));
        Steps.step("sets");

        String scores = "TENANT001:patient:1:scores";
        Steps.same(client.zadd(scores, Map.of("a", 1.5, "b", 2.0)), 2L);
        Steps.same(client.zrangeWithScores(scores, 0, -1).get(0).getScore(), 1.5);
        Steps.same(client.zscore(scores, "a"), 1.5);
        Steps.same(client.zrangeByScore(scores, "(1.5", "+inf"), List.of("b"));
        Steps.step("sorted sets");
    }

    private static void batches(JedisPooled client) {
        try (AbstractPipeline pipeline = client.pipelined()) {
            Response<Long> last = null;
            for (int i = 0; i < 100; i++) {
                last = pipeline.rpush("TENANT001:patient:1:log", String.valueOf(i));
            }
            pipeline.sync();
            Steps.same(last.get(), 100L);
        }
        Steps.step("pipeline");

        String counter = "TENANT001:ratelimit:t";
        try (AbstractTransaction transaction = client.transaction(false)) {
            transaction.watch(counter);
            transaction.multi();
            transaction.incr(counter);
            Steps.same(transaction.exec(), List.of(1L));
        }
        try (AbstractTransaction transaction = client.transaction(false)) {
            transaction.watch(counter);
            client.incr(counter);
            transaction.multi();
            transaction.incr(counter);
            Steps.same(transaction.exec(), null);
        }
        Steps.step("transaction");

        List<String> keys = List.of("TENANT001:ratelimit:script");
        Steps.same(client.eval(Steps.ADD, keys, List.of("10")), 10L);
        Steps.same(client.evalsha(client.scriptLoad(Steps.ADD), keys, List.of("10")), 20L);
        Steps.step("scripts");
    }

    private static void waiting(JedisPooled client) throws Exception {
        String channel = "TENANT001:patient:1:changes";
        CountDownLatch subscribed = new CountDownLatch(1);
        CompletableFuture<String> message = new CompletableFuture<>();
        Thread listener = new Thread(() -> client.subscribe(new JedisPubSub() {
            @Override
            public void onSubscribe(String name, int count) {
                subscribed.countDown();
            }

            @Override
            public void onMessage(String name, String text) {
                message.complete(text);
                unsubscribe();
            }
        }, channel));
        listener.start();
        subscribed.await();
        Steps.same(client.publish(channel, "changed"), 1L);
        Steps.same(message.get(), "changed");
        listener.join();
        Steps.step("pub/sub");

        String queue = "TENANT001:patient:1:queue";
        CompletableFuture<List<String>> popped = CompletableFuture.supplyAsync(() -> client.blpop(30, queue));
        Steps.same(client.rpush(queue, "job"), 1L);
        Steps.same(popped.get(), List.of(queue, "job"));
        Steps.same(client.blpop(1, queue), null);
        Steps.step("blocking pop");
    }

    private static void errors(JedisPooled client) {
        Steps.refused(JedisDataException.class, "TENANT ", () -> client.get("TENANT002:patient:1"));
        Steps.refused(JedisAccessControlException.class, "NOPERM", () -> client.keys("*"));
        Steps.refused(JedisAccessControlException.class, "WRONGPASS", () -> {
            try (Jedis stranger = new Jedis(ADDRESS, as(Steps.USER, "wrong"))) {
                stranger.ping();
            } catch (RuntimeException e) {
                throw e;
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        });
        Steps.step("errors");
    }

    /** A connection that was ended shows at its next use, and the pool makes a new one. */
    private static void reconnect() throws Exception {
        try (JedisPooled client = new JedisPooled(ADDRESS, as(Steps.USER, Steps.TOKEN));
                Jedis operator = new Jedis(ADDRESS, as(Steps.OPERATOR, Steps.OPERATOR_TOKEN))) {
            client.ping();
            for (String line : operator.clientList().split("\n")) {
                if (line.contains(" user=" + Steps.USER + " ")) {
                    String id = line.substring(line.indexOf("id=") + 3, line.indexOf(' '));
                    Steps.same(operator.clientKill(ClientKillParams.clientKillParams().id(id)), 1L);
                }
            }
            Steps.refused(JedisConnectionException.class, "", client::ping);
            Steps.same(client.get(PATIENT), "a record");
        }
        Steps.step("reconnect");
    }
}
