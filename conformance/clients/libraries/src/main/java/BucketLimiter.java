import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;

import io.github.bucket4j.Bucket;
import io.github.bucket4j.BucketConfiguration;
import io.github.bucket4j.distributed.ExpirationAfterWriteStrategy;
import io.github.bucket4j.distributed.proxy.ProxyManager;
import io.github.bucket4j.redis.lettuce.Bucket4jLettuce;
import io.lettuce.core.RedisClient;

/** Works through the steps of ../libraries_test.go with Bucket4j on Lettuce. */
public final class BucketLimiter {
    private static final byte[] KEY = "bucket:jane".getBytes(StandardCharsets.UTF_8);

    private BucketLimiter() {
    }

    private static Bucket bucket(ProxyManager<byte[]> buckets, byte[] key, int capacity, Duration period) {
        BucketConfiguration configuration = BucketConfiguration.builder()
                .addLimit(limit -> limit.capacity(capacity).refillGreedy(capacity, period)).build();
        return buckets.builder().build(key, () -> configuration);
    }

    public static void main(String[] args) throws Exception {
        Lethe.quiet();
        RedisClient client = Lethe.lettuce();
        ProxyManager<byte[]> buckets = Bucket4jLettuce.casBasedBuilder(client)
                .expirationAfterWrite(ExpirationAfterWriteStrategy.basedOnTimeForRefillingBucketUpToMax(Duration.ofSeconds(10))).build();
        Lethe.step("connect");

        Bucket bucket = bucket(buckets, KEY, 5, Duration.ofDays(1));
        for (int i = 0; i < 5; i++) {
            Lethe.check(bucket.tryConsume(1), "a full bucket gave nothing");
        }
        Lethe.check(!bucket.tryConsume(1), "an empty bucket gave something");
        Lethe.same(bucket.getAvailableTokens(), 0L);
        Lethe.step("consume");

        byte[] fast = "bucket:fast".getBytes(StandardCharsets.UTF_8);
        Bucket refilled = bucket(buckets, fast, 5, Duration.ofMillis(500));
        Lethe.check(refilled.tryConsume(5), "a full bucket gave less");
        refilled.asBlocking().consume(5); // waits until there are five again
        Lethe.step("refill");

        // Many at once: each change compares with what it read, and none is lost.
        byte[] shared = "bucket:shared".getBytes(StandardCharsets.UTF_8);
        AtomicInteger given = new AtomicInteger();
        Thread[] threads = new Thread[4];
        for (int i = 0; i < threads.length; i++) {
            threads[i] = new Thread(() -> {
                Bucket own = bucket(buckets, shared, 100, Duration.ofDays(1));
                for (int n = 0; n < 40; n++) {
                    if (own.tryConsume(1)) {
                        given.incrementAndGet();
                    }
                }
            });
            threads[i].start();
        }
        for (Thread t : threads) {
            t.join();
        }
        Lethe.same(given.get(), 100);
        Lethe.step("compare and swap");

        buckets.removeProxy(KEY);
        Lethe.check(buckets.getProxyConfiguration(KEY).isEmpty(), "the bucket is still there");
        Lethe.step("remove");
        client.shutdown();
    }
}
