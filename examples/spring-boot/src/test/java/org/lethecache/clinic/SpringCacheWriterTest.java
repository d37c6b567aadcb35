package org.lethecache.clinic;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;

import org.junit.jupiter.api.Test;
import org.lethecache.clinic.support.ClinicTest;
import org.lethecache.clinic.support.TestUser;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.cache.Cache;
import org.springframework.data.redis.cache.RedisCacheManager;
import org.springframework.data.redis.cache.RedisCacheWriter;
import org.springframework.data.redis.connection.RedisStandaloneConfiguration;
import org.springframework.data.redis.connection.lettuce.LettuceConnectionFactory;

/** The writers that Spring Data Redis has beside the one of this service. */
@SpringBootTest(properties = "spring.data.redis.username=app", webEnvironment = SpringBootTest.WebEnvironment.RANDOM_PORT)
class SpringCacheWriterTest extends ClinicTest {

    @Autowired
    private LettuceConnectionFactory connections;

    private static Cache patients(RedisCacheWriter writer) {
        RedisCacheManager caches = RedisCacheManager.builder(writer).build();
        caches.afterPropertiesSet();
        return caches.getCache("patients");
    }

    @Test
    void lockingWriterLocksWithAKeyThatExpires() {
        Cache patients = patients(RedisCacheWriter.lockingRedisCacheWriter(connections));
        patients.putIfAbsent("TENANT001:patient:1", "v");
        assertThat(ENTRIES.keys("*")).containsExactly("patients::TENANT001:patient:1"); // the lock was given back

        ENTRIES.commands().set("patients~lock", ""); // as one who died meanwhile left it
        assertGranted("patients~lock", PHI);
        CompletableFuture<Void> waiting = CompletableFuture.runAsync(() -> patients.put("TENANT001:patient:1", "w"));
        assertThat(waiting).isNotDone();
        ENTRIES.commands().pexpire("patients~lock", 100);
        await().atMost(Duration.ofSeconds(10)).until(waiting::isDone);
        waiting.join();
    }

    @Test
    void allEntriesByKeysIsRefusedToTheDefaultRules() {
        Cache patients = patients(RedisCacheWriter.nonLockingRedisCacheWriter(connections));
        patients.put("TENANT001:patient:1", "v");
        assertThatThrownBy(patients::clear).rootCause().hasMessageStartingWith("NOPERM").hasMessageContaining("keys");
        assertThat(ENTRIES.exists("patients::TENANT001:patient:1")).isTrue();
    }

    @Test
    void allEntriesByKeysDeletesThisCacheOfThisTenant() {
        ENTRIES.commands().set("patients::TENANT002:patient:1", "of another tenant");
        LettuceConnectionFactory allowed = as(TestUser.KEYS);
        Cache patients = patients(RedisCacheWriter.nonLockingRedisCacheWriter(allowed));
        patients.put("TENANT001:patient:1", "v");
        patients.put("TENANT001:patient:2", "v");
        patients.clear();
        assertThat(ENTRIES.keys("*")).containsExactly("patients::TENANT002:patient:1");
        allowed.destroy();
    }

    private LettuceConnectionFactory as(TestUser user) {
        RedisStandaloneConfiguration address = new RedisStandaloneConfiguration(LETHE.host(), LETHE.port());
        address.setUsername(user.login());
        address.setPassword(user.token());
        LettuceConnectionFactory factory = new LettuceConnectionFactory(address, connections.getClientConfiguration());
        factory.afterPropertiesSet();
        factory.start();
        return factory;
    }
}
