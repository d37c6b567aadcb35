import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Lock;

import org.springframework.data.redis.connection.lettuce.LettuceConnectionFactory;
import org.springframework.integration.redis.util.RedisLockRegistry;
import org.springframework.integration.redis.util.RedisLockRegistry.RedisLockType;

/** Works through the steps of ../libraries_test.go with the locks of Spring Integration. */
public final class LockRegistry {
    private LockRegistry() {
    }

    private static boolean takes(RedisLockRegistry registry, String name, long seconds) throws Exception {
        return CompletableFuture.supplyAsync(() -> {
            Lock lock = registry.obtain(name);
            try {
                if (!lock.tryLock(seconds, TimeUnit.SECONDS)) {
                    return false;
                }
                lock.unlock();
                return true;
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }).get(60, TimeUnit.SECONDS);
    }

    /** One holds the lock and gives it back while another waits for it. */
    private static void handOver(LettuceConnectionFactory factory, RedisLockType type, String name) throws Exception {
        RedisLockRegistry one = new RedisLockRegistry(factory, "lock", 60000);
        RedisLockRegistry other = new RedisLockRegistry(factory, "lock", 60000);
        one.setRedisLockType(type);
        other.setRedisLockType(type);
        Lock lock = one.obtain(name);
        lock.lock();
        CompletableFuture<Boolean> waiting = CompletableFuture.supplyAsync(() -> {
            try {
                return takes(other, name, 30);
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        });
        Lethe.check(!takes(other, name, 0), "two hold the lock");
        lock.unlock();
        Lethe.check(waiting.get(60, TimeUnit.SECONDS), "who waited did not get the lock");
        one.destroy();
        other.destroy();
    }

    public static void main(String[] args) throws Exception {
        Lethe.quiet();
        LettuceConnectionFactory factory = Lethe.spring();
        RedisLockRegistry one = new RedisLockRegistry(factory, "lock", 1000);
        RedisLockRegistry other = new RedisLockRegistry(factory, "lock", 1000);
        try (var connection = factory.getConnection()) {
            Lethe.same(connection.ping(), "PONG");
        }
        Lethe.step("connect");

        Lock lock = one.obtain("claims");
        Lethe.check(lock.tryLock(), "a free lock was not given");
        Lethe.check(lock.tryLock(), "the holder could not take it again");
        Lethe.check(!takes(other, "claims", 0), "two hold the lock");
        Lethe.step("lock");

        long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(2);
        while (System.nanoTime() < until) { // twice as long as it would last
            one.renewLock("claims");
            Lethe.check(!takes(other, "claims", 0), "the lock ended while it was renewed");
        }
        lock.unlock();
        lock.unlock();
        Lethe.check(takes(other, "claims", 0), "the lock is still there");
        Lethe.step("renew");

        handOver(factory, RedisLockType.SPIN_LOCK, "spinning");
        Lethe.step("spin lock");
        handOver(factory, RedisLockType.PUB_SUB_LOCK, "told");
        Lethe.step("pub/sub lock");

        one.obtain("left").lock(); // and its holder dies
        Lethe.check(takes(other, "left", 30), "the lock of somebody who died did not end");
        Lethe.step("expire");
        one.destroy();
        other.destroy();
        factory.destroy();
    }
}
