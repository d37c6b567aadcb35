package org.lethecache.clinic.cache;

import java.time.Duration;

import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.autoconfigure.cache.RedisCacheManagerBuilderCustomizer;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.data.redis.cache.BatchStrategies;
import org.springframework.data.redis.cache.RedisCacheConfiguration;
import org.springframework.data.redis.cache.RedisCacheManager;
import org.springframework.data.redis.cache.RedisCacheWriter;
import org.springframework.data.redis.connection.RedisConnectionFactory;
import org.springframework.data.redis.serializer.GenericJackson2JsonRedisSerializer;
import org.springframework.data.redis.serializer.RedisSerializationContext.SerializationPair;

/**
 * The caches. None of the times below is what keeps PHI short-lived: Lethe grants what the category of a key allows, here
 * 300 s for patients, and the rest of a longer wish is cut off.
 */
@Configuration(proxyBeanMethods = false)
public class CacheSetup {

    /** The tenant that this deployment serves, as a prefix of the caches that have one. */
    private final String tenant;

    CacheSetup(@Value("${clinic.tenant}") String tenant) {
        this.tenant = tenant;
    }

    /** What an application wrote before there was Lethe: an hour of PHI, no time at all, time-to-idle. */
    @Bean
    RedisCacheManagerBuilderCustomizer caches(RedisConnectionFactory connections) {
        RedisCacheConfiguration usual = RedisCacheConfiguration.defaultCacheConfig();
        return builder -> builder
                // SCAN in place of KEYS, which the default rules of a user do not allow.
                .cacheWriter(RedisCacheWriter.nonLockingRedisCacheWriter(connections, BatchStrategies.scan(100)))
                .enableStatistics()
                .withCacheConfiguration("patients", usual.entryTtl(Duration.ofHours(1)))
                .withCacheConfiguration("patientData", usual.entryTtl(Duration.ofMinutes(5))
                        .prefixCacheNameWith(tenant + ":").disableCachingNullValues().serializeValuesWith(json()))
                .withCacheConfiguration("codeSystems", usual.entryTtl(Duration.ofMinutes(30)).enableTimeToIdle())
                .withCacheConfiguration("recentPatients", usual.entryTtl(Duration.ofMinutes(2)).enableTimeToIdle());
    }

    /**
     * Caches whose methods say sync = true: only a writer that locks loads once. It locks with a key, {@code encounters~lock},
     * which Spring gives no time to live; Lethe ends it after 300 s should its holder die.
     */
    @Bean(defaultCandidate = false)
    RedisCacheManager lockingCaches(RedisConnectionFactory connections) {
        return RedisCacheManager.builder(RedisCacheWriter.lockingRedisCacheWriter(connections, BatchStrategies.scan(100)))
                .enableStatistics().build();
    }

    private static SerializationPair<Object> json() {
        return SerializationPair.fromSerializer(new GenericJackson2JsonRedisSerializer());
    }
}
