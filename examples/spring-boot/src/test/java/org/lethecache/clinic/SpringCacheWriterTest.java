package org.lethecache.clinic;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;

import org.junit.jupiter.api.Test;
import org.lethecache.clinic.support.ClinicTest;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.cache.Cache;
import org.springframework.data.redis.cache.RedisCacheManager;
import org.springframework.data.redis.cache.RedisCacheWriter;
import org.springframework.data.redis.connection.RedisConnectionFactory;

/** The writers that Spring Data Redis has beside the one of this service. */
class SpringCacheWriterTest {

    private static Cache patients(RedisCacheWriter writer) {
        RedisCacheManager caches = RedisCacheManager.builder(writer).build();
        caches.afterPropertiesSet();
        return caches.getCache("patients");
    }

    @SpringBootTest(properties = "spring.data.redis.username=app", webEnvironment = SpringBootTest.WebEnvironment.RANDOM_PORT)
    static class WithDefaultRules extends ClinicTest {

        @Autowired
        private RedisConnectionFactory connections;

        @Test
        void lockingWriterLocksWithAKeyThatExpires() {
            Cache patients = patients(RedisCacheWriter.lockingRedisCacheWriter(connections));
            patients.clear();
            patients.putIfAbsent("TENANT001:patient:1", "v");
            assertThat(ENTRIES.keys("*")).containsExactly("patients::TENANT001:patient:1"); // the lock was given back

            ENTRIES.commands().set("patients~lock", ""); // as one who died meanwhile left it
            assertGranted("patients~lock", PHI);
            CompletableFuture<Void> waiting = CompletableFuture.runAsync(() -> patients.put("TENANT001:patient:1", "w"));
            assertThat(waiting).isNotDone();
            ENTRIES.commands().pexpire("patients~lock", 100);
            await().atMost(Duration.ofSeconds(10)).untilAsserted(() -> assertThat(waiting).isCompleted());
        }

        @Test
        void allEntriesByKeysIsRefusedToTheDefaultRules() {
            Cache patients = patients(RedisCacheWriter.nonLockingRedisCacheWriter(connections));
            patients.put("TENANT001:patient:1", "v");
            assertThatThrownBy(patients::clear).rootCause().hasMessageStartingWith("NOPERM").hasMessageContaining("'keys'");
            assertThat(ENTRIES.exists("patients::TENANT001:patient:1")).isTrue();
        }
    }

    @SpringBootTest(properties = "spring.data.redis.username=keys", webEnvironment = SpringBootTest.WebEnvironment.RANDOM_PORT)
    static class WithKeysAllowed extends ClinicTest {

        @Autowired
        private RedisConnectionFactory connections;

        @Test
        void allEntriesByKeysDeletesThisCacheOfThisTenant() {
            ENTRIES.commands().set("patients::TENANT002:patient:1", "of another tenant");
            Cache patients = patients(RedisCacheWriter.nonLockingRedisCacheWriter(connections));
            patients.put("TENANT001:patient:1", "v");
            patients.put("TENANT001:patient:2", "v");
            patients.clear();
            assertThat(ENTRIES.keys("*")).containsExactly("patients::TENANT002:patient:1");
        }
    }
}
