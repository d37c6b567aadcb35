import java.io.File;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

import io.lettuce.core.ClientOptions;
import io.lettuce.core.KeyValue;
import io.lettuce.core.KillArgs;
import io.lettuce.core.Limit;
import io.lettuce.core.Range;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisCommandExecutionException;
import io.lettuce.core.RedisFuture;
import io.lettuce.core.RedisURI;
import io.lettuce.core.ScoredValue;
import io.lettuce.core.ScriptOutputType;
import io.lettuce.core.SetArgs;
import io.lettuce.core.SslOptions;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.api.async.RedisAsyncCommands;
import io.lettuce.core.api.sync.RedisCommands;
import io.lettuce.core.protocol.ProtocolVersion;
import io.lettuce.core.pubsub.RedisPubSubAdapter;
import io.lettuce.core.pubsub.StatefulRedisPubSubConnection;

/** Works through the steps of ../contract_test.go with Lettuce, which Spring Boot uses. */
public final class LettuceClient {
    private static final String PATIENT = "TENANT001:patient:1";

    private LettuceClient() {
    }

    private static RedisURI as(String user, String token) {
        return RedisURI.builder().withHost(Steps.HOST).withPort(Steps.PORT).withSsl(true)
                .withAuthentication(user, token.toCharArray()).withClientName("lettuce")
                .withTimeout(Duration.ofSeconds(40)).build();
    }

    public static void main(String[] args) throws Exception {
        RedisClient lettuce = RedisClient.create();
        lettuce.setOptions(ClientOptions.builder()
                .protocolVersion(Steps.RESP3 ? ProtocolVersion.RESP3 : ProtocolVersion.RESP2)
                .sslOptions(SslOptions.builder().trustManager(new File(Steps.CA)).protocols("TLSv1.3").build()).build());
        try (StatefulRedisConnection<String, String> connection = lettuce.connect(as(Steps.USER, Steps.TOKEN));
                StatefulRedisConnection<String, String> other = lettuce.connect(as(Steps.USER, Steps.TOKEN));
                StatefulRedisConnection<String, String> operator = lettuce.connect(as(Steps.OPERATOR, Steps.OPERATOR_TOKEN))) {
            Steps.same(connection.sync().ping(), "PONG");
            Steps.step("connect");
            data(connection.sync());
            batches(connection, other.sync());
            waiting(lettuce, connection.sync(), other);
            errors(lettuce, connection.sync());

            long id = connection.sync().clientId();
            Steps.same(operator.sync().clientKill(KillArgs.Builder.id(id)), 1L);
            Steps.same(connection.sync().get(PATIENT), "a record"); // waits for the new connection
            Steps.step("reconnect");
        }
        lettuce.shutdown(0, 1, TimeUnit.SECONDS);
    }

    private static void data(RedisCommands<String, String> client) {
        Steps.same(client.set(PATIENT, "a record", SetArgs.Builder.ex(3600)), "OK");
        Steps.same(client.get(PATIENT), "a record");
        long ttl = client.ttl(PATIENT);
        Steps.check(ttl > 290 && ttl <= 300, "PHI is kept for " + ttl + " s");
        Steps.same(client.mget(PATIENT, "TENANT001:patient:none"),
                List.of(KeyValue.just(PATIENT, "a record"), KeyValue.empty("TENANT001:patient:none")));
        Steps.same(client.incrby("TENANT001:ratelimit:app", 5), 5L);
        Steps.step("strings");

        String session = "TENANT001:session:s1";
        Steps.same(client.hset(session, Map.of("user", "jane", "visits", "1")), 2L);
        Steps.same(client.hincrby(session, "visits", 2), 3L);
        Steps.same(client.hgetall(session), Map.of("user", "jane", "visits", "3"));
        Steps.step("hashes");

        Steps.same(client.sadd("TENANT001:patient:1:allergies", "latex", "nuts"), 2L);
        Steps.same(client.sadd("TENANT001:patient:2:allergies", "latex"), 1L);
        Steps.same(client.sinter("TENANT001:patient:1:allergies", "TENANT001:patient:2:allergies"), Set.of("latex"));
        Steps.step("sets");

        String scores = "TENANT001:patient:1:scores";
        Steps.same(client.zadd(scores, ScoredValue.just(1.5, "a"), ScoredValue.just(2, "b")), 2L);
        Steps.same(client.zrangeWithScores(scores, 0, -1), List.of(ScoredValue.just(1.5, "a"), ScoredValue.just(2, "b")));
        Steps.same(client.zscore(scores, "a"), 1.5);
        Steps.same(client.zrangebyscore(scores, Range.from(Range.Boundary.excluding(1.5), Range.Boundary.unbounded()), Limit.unlimited()),
                List.of("b"));
        Steps.step("sorted sets");
    }

    private static void batches(StatefulRedisConnection<String, String> connection, RedisCommands<String, String> other) throws Exception {
        connection.setAutoFlushCommands(false);
        RedisAsyncCommands<String, String> pipeline = connection.async();
        List<RedisFuture<Long>> lengths = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            lengths.add(pipeline.rpush("TENANT001:patient:1:log", String.valueOf(i)));
        }
        connection.flushCommands();
        connection.setAutoFlushCommands(true);
        Steps.same(lengths.get(99).get(), 100L);
        Steps.step("pipeline");

        String counter = "TENANT001:ratelimit:t";
        RedisCommands<String, String> client = connection.sync();
        client.multi();
        client.incr(counter);
        Steps.same(client.exec().get(0), 1L);
        client.watch(counter);
        other.incr(counter);
        client.multi();
        client.incr(counter);
        Steps.check(client.exec().wasDiscarded(), "WATCH saw no change");
        Steps.step("transaction");

        String[] keys = {"TENANT001:ratelimit:script"};
        Steps.same(client.eval(Steps.ADD, ScriptOutputType.INTEGER, keys, "10"), 10L);
        Steps.same(client.evalsha(client.scriptLoad(Steps.ADD), ScriptOutputType.INTEGER, keys, "10"), 20L);
        Steps.step("scripts");
    }

    private static void waiting(RedisClient lettuce, RedisCommands<String, String> client,
            StatefulRedisConnection<String, String> other) throws Exception {
        String channel = "TENANT001:patient:1:changes";
        CompletableFuture<String> message = new CompletableFuture<>();
        try (StatefulRedisPubSubConnection<String, String> subscriber = lettuce.connectPubSub(as(Steps.USER, Steps.TOKEN))) {
            subscriber.addListener(new RedisPubSubAdapter<>() {
                @Override
                public void message(String name, String text) {
                    message.complete(text);
                }
            });
            subscriber.sync().subscribe(channel);
            Steps.same(client.publish(channel, "changed"), 1L);
            Steps.same(message.get(), "changed");
        }
        Steps.step("pub/sub");

        String queue = "TENANT001:patient:1:queue";
        RedisFuture<KeyValue<String, String>> popped = other.async().blpop(30, queue);
        Steps.same(client.rpush(queue, "job"), 1L);
        Steps.same(popped.get(), KeyValue.just(queue, "job"));
        Steps.same(other.sync().blpop(1, queue), null);
        Steps.step("blocking pop");
    }

    private static void errors(RedisClient lettuce, RedisCommands<String, String> client) {
        Steps.refused(RedisCommandExecutionException.class, "TENANT ", () -> client.get("TENANT002:patient:1"));
        Steps.refused(RedisCommandExecutionException.class, "NOPERM", () -> client.keys("*"));
        Steps.refused(RedisCommandExecutionException.class, "WRONGPASS", () -> lettuce.connect(as(Steps.USER, "wrong")));
        Steps.step("errors");
    }
}
