import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

import org.redisson.Redisson;
import org.redisson.api.RLock;
import org.redisson.api.RSemaphore;
import org.redisson.api.RedissonClient;
import org.redisson.client.RedisException;
import org.redisson.config.Config;
import org.redisson.config.Protocol;

/** Works through the steps of ../libraries_test.go with Redisson's locks. */
public final class RedissonLock {
    private static final String NAME = "lock:claims";

    private RedissonLock() {
    }

    private static RedissonClient connect() throws Exception {
        Config config = new Config().setUsername(Lethe.USER).setPassword(Lethe.TOKEN)
                .setProtocol(Lethe.RESP3 ? Protocol.RESP3 : Protocol.RESP2)
                .setSslTrustManagerFactory(Lethe.trust()).setSslProtocols(new String[] {"TLSv1.3"})
                .setLockWatchdogTimeout(900);
        config.useSingleServer().setAddress("rediss://" + Lethe.HOST + ":" + Lethe.PORT)
                .setConnectionMinimumIdleSize(2).setConnectionPoolSize(4).setSubscriptionConnectionMinimumIdleSize(1);
        return Redisson.create(config);
    }

    public static void main(String[] args) throws Exception {
        Lethe.quiet();
        RedissonClient one = connect();
        RedissonClient other = connect();
        Lethe.step("connect");

        RLock lock = one.getLock(NAME);
        Lethe.check(lock.tryLock(), "a free lock was not given");
        Lethe.check(lock.tryLock(), "the holder could not take it again");
        Lethe.same(lock.getHoldCount(), 2);
        Lethe.check(!other.getLock(NAME).tryLock(), "two hold the lock");
        Lethe.step("lock");

        // The watchdog renews it every third of 900 ms for as long as it is held.
        Lethe.check(!other.getLock(NAME).tryLock(2, TimeUnit.SECONDS), "the lock ended while it was held");
        long left = lock.remainTimeToLive();
        Lethe.check(left > 0 && left <= 900, "the lock is there for " + left + " ms");
        Lethe.step("renew");

        lock.unlock();
        Lethe.check(lock.isHeldByCurrentThread(), "one unlock undid two locks");
        lock.unlock();
        Lethe.check(!lock.isLocked(), "the lock is still there");
        Lethe.step("unlock");

        // Who waits is told in a channel, and not only when the time that the holder asked for is over.
        lock.lock(60, TimeUnit.SECONDS);
        CompletableFuture<Boolean> waiting = CompletableFuture.supplyAsync(() -> {
            try {
                return other.getLock(NAME).tryLock(30, 40, TimeUnit.SECONDS);
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        });
        Lethe.check(!waiting.isDone(), "the lock was given twice");
        lock.unlock();
        Lethe.check(waiting.get(20, TimeUnit.SECONDS), "who waited did not get the lock");
        other.getLock(NAME).forceUnlock();
        Lethe.step("wait");

        RLock fair = one.getFairLock("lock:fair");
        fair.lock();
        Lethe.check(!other.getFairLock("lock:fair").tryLock(), "two hold the fair lock");
        fair.unlock();
        RSemaphore semaphore = one.getSemaphore("lock:semaphore");
        semaphore.trySetPermits(2);
        Lethe.check(semaphore.tryAcquire(2) && !other.getSemaphore("lock:semaphore").tryAcquire(), "three permits of two");
        Lethe.step("others");

        try {
            RLock reading = one.getReadWriteLock("lock:both").readLock();
            reading.lock();
            Lethe.check(other.getReadWriteLock("lock:both").readLock().tryLock(), "two cannot read");
            Lethe.check(!other.getReadWriteLock("lock:both").writeLock().tryLock(), "one writes while others read");
            reading.unlock();
            Lethe.step("read and write");
        } catch (RedisException e) { // their scripts make names of keys, which is refused in front of an upstream
            Lethe.check(e.getMessage().matches("(?s)(ERR in front of an upstream a script|SEALED scripts) reach.*"), "another error: " + e.getMessage());
        }
        one.shutdown();
        other.shutdown();
    }
}
