package org.lethecache.clinic;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.Map;

import org.junit.jupiter.api.Test;
import org.lethecache.clinic.session.SessionMetadata;
import org.lethecache.clinic.support.ClinicTest;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.data.redis.core.StringRedisTemplate;

/** What applications write with a template of their own, with a time to live and without. */
@SpringBootTest(properties = "spring.data.redis.username=app", webEnvironment = SpringBootTest.WebEnvironment.RANDOM_PORT)
class RedisTemplateTest extends ClinicTest {

    private static final String PATIENT = "TENANT001:patient:12345";

    @Autowired
    private StringRedisTemplate redis;
    @Autowired
    private SessionMetadata metadata;

    @Test
    void valueWithoutTimeToLiveGetsTheCeiling() {
        redis.opsForValue().set(PATIENT, "v");
        assertGranted(PATIENT, PHI);
        redis.opsForValue().set("TENANT001:codesystem:icd10", "v");
        assertGranted("TENANT001:codesystem:icd10", REFERENCE);
    }

    @Test
    void valueWithLessTimeThanTheCeilingGetsWhatItAsksFor() {
        redis.opsForValue().set(PATIENT, "v", Duration.ofSeconds(60));
        assertGranted(PATIENT, Duration.ofSeconds(60));
    }

    @Test
    void expireSendsPexpireAndCannotPassTheCeiling() {
        redis.opsForValue().set(PATIENT, "v");
        assertThat(redis.expire(PATIENT, Duration.ofHours(1))).isTrue();
        assertGranted(PATIENT, PHI);
        assertThat(redis.expireAt(PATIENT, Instant.now().plus(Duration.ofDays(1)))).isTrue();
        assertGranted(PATIENT, PHI);
    }

    @Test
    void persistDoesNotRemoveTheDeadline() {
        redis.opsForValue().set(PATIENT, "v", Duration.ofSeconds(60));
        redis.persist(PATIENT);
        assertThat(redis.getExpire(PATIENT)).isBetween(1L, PHI.toSeconds());
    }

    @Test
    void unlinkDeletesAsNewerReleasesOfSpringCacheDo() {
        redis.opsForValue().set(PATIENT, "v");
        assertThat(redis.unlink(PATIENT)).isTrue();
        assertThat(ENTRIES.exists(PATIENT)).isFalse();
    }

    @Test
    void hashWithoutTenantAndTimeToLiveIsPhiOfTheCredential() {
        metadata.write("abc", Map.of("browser", "x"));
        assertGranted("session:metadata:abc", PHI);
        metadata.write("abc", Map.of("language", "en"), Duration.ofDays(1));
        assertGranted("session:metadata:abc", PHI);
        assertThat(metadata.read("abc")).hasSize(2);
        metadata.delete("abc");
        assertThat(ENTRIES.exists("session:metadata:abc")).isFalse();
    }

    @Test
    void writingAPartDoesNotRenewTheDeadline() {
        metadata.write("abc", Map.of("browser", "x"), Duration.ofSeconds(60));
        metadata.write("abc", Map.of("language", "en"));
        assertGranted("session:metadata:abc", Duration.ofSeconds(60));
    }
}
