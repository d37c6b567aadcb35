package org.lethecache.clinic;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;

import org.junit.jupiter.api.Test;
import org.lethecache.clinic.codes.CodeSystemService;
import org.lethecache.clinic.encounter.EncounterService;
import org.lethecache.clinic.patient.Patient;
import org.lethecache.clinic.patient.PatientService;
import org.lethecache.clinic.support.ClinicTest;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.cache.CacheManager;
import org.springframework.data.redis.cache.CacheStatistics;
import org.springframework.data.redis.cache.RedisCache;

/** What the annotations of Spring Cache do, and what Lethe makes of it, for a user with the default rules. */
@SpringBootTest(properties = "spring.data.redis.username=app", webEnvironment = SpringBootTest.WebEnvironment.RANDOM_PORT)
class SpringCacheTest extends ClinicTest {

    private static final String TENANT = "TENANT001";
    private static final String ENTRY = "patients::TENANT001:patient:12345";

    @Autowired
    private PatientService patients;
    @Autowired
    private EncounterService encounters;
    @Autowired
    private CodeSystemService codeSystems;
    @Autowired
    private CacheManager caches;
    @Autowired
    @Qualifier("lockingCaches")
    private CacheManager lockingCaches;

    private CacheStatistics statistics() {
        return ((RedisCache) caches.getCache("patients")).getStatistics();
    }

    private void rename(String id, String name) {
        database.sql("update patient set name = ? where id = ?").params(name, id).update();
    }

    @Test
    void cacheableMissesThenHits() {
        CacheStatistics before = statistics();
        assertThat(patients.find(TENANT, "12345").name()).isEqualTo("A. Example");
        rename("12345", "changed behind the cache");
        assertThat(patients.find(TENANT, "12345").name()).isEqualTo("A. Example");
        assertThat(statistics().getMisses()).isEqualTo(before.getMisses() + 1);
        assertThat(statistics().getHits()).isEqualTo(before.getHits() + 1);
    }

    @Test
    void cacheableThatAsksForAnHourOfPhiGets300Seconds() {
        patients.find(TENANT, "12345");
        assertGranted(ENTRY, PHI);
    }

    @Test
    void cacheableWithoutTimeToLiveGetsTheCeiling() {
        assertThat(encounters.of(TENANT, "12345")).hasSize(2);
        assertGranted(ENTRIES.keys("encountersOf::*").get(0), PHI);
    }

    @Test
    void cacheableOfReferenceDataIsSharedByAllTenants() {
        codeSystems.find("icd10");
        assertGranted("codeSystems::global:codesystem:icd10", Duration.ofMinutes(30));
    }

    @Test
    void cachePutReplaces() {
        patients.find(TENANT, "12345");
        patients.save(new Patient(TENANT, "12345", "A. Married", "1970-01-01"));
        rename("12345", "changed behind the cache");
        assertThat(patients.find(TENANT, "12345").name()).isEqualTo("A. Married");
        assertGranted(ENTRY, PHI);
    }

    @Test
    void putIfAbsentKeepsWhatIsThere() {
        Patient first = new Patient(TENANT, "1", "first", "2000-01-01");
        assertThat(patients.offer(first)).isEqualTo(first);
        assertGranted("patients::TENANT001:patient:1", PHI);
        assertThat(patients.offer(new Patient(TENANT, "1", "second", "2000-01-01"))).isEqualTo(first);
    }

    @Test
    void putIfAbsentWithoutTimeToLiveGetsTheCeiling() {
        assertThat(caches.getCache("encounters").putIfAbsent("TENANT001:encounter:1", "seen")).isNull();
        assertGranted("encounters::TENANT001:encounter:1", PHI);
    }

    @Test
    void cacheEvictDeletesOneEntry() {
        patients.find(TENANT, "12345");
        patients.find(TENANT, "67890");
        patients.delete(TENANT, "12345");
        assertThat(ENTRIES.keys("patients::*")).containsExactly("patients::TENANT001:patient:67890");
        assertThat(patients.find(TENANT, "12345")).isNull();
    }

    @Test
    void cacheEvictAllEntriesByScanDeletesThisCacheOfThisTenant() {
        ENTRIES.commands().set("patients::TENANT002:patient:12345", "of another tenant");
        for (int i = 0; i < 250; i++) {
            caches.getCache("patients").put("TENANT001:patient:" + i, "v");
        }
        encounters.find(TENANT, "77");
        patients.forgetAll();
        assertThat(ENTRIES.keys("*")).containsExactlyInAnyOrder("patients::TENANT002:patient:12345", "encounters::TENANT001:encounter:77");
    }

    @Test
    void syncLoadsOnce() {
        RedisCache encountered = (RedisCache) lockingCaches.getCache("encounters");
        long before = encountered.getStatistics().getPuts();
        List<CompletableFuture<?>> readers = new ArrayList<>();
        IntStream.range(0, 8).forEach(i -> readers.add(CompletableFuture.runAsync(() -> encounters.find(TENANT, "77"))));
        readers.forEach(CompletableFuture::join);
        assertThat(encountered.getStatistics().getPuts()).isEqualTo(before + 1);
        assertThat(ENTRIES.keys("*")).containsExactly("encounters::TENANT001:encounter:77"); // the lock was given back
    }

    @Test
    void timeToIdleReadsExtendUpToTheCeilingOnly() {
        String entry = "recentPatients::TENANT001:patient:12345";
        patients.recent(TENANT, "12345");
        ENTRIES.commands().pexpire(entry, 10_000);
        patients.recent(TENANT, "12345"); // GETEX PX 120000
        assertGranted(entry, Duration.ofMinutes(2));
        ENTRIES.commands().expire(entry, 3600);
        assertThat(ENTRIES.timeToLive(entry)).isLessThanOrEqualTo(PHI);
    }

    @Test
    void completableFutureReadsTheSameEntry() {
        patients.find(TENANT, "12345");
        rename("12345", "changed behind the cache");
        assertThat(patients.findLater(TENANT, "12345").join().name()).isEqualTo("A. Example");
        assertThat(patients.findLater(TENANT, "67890").join().name()).isEqualTo("B. Example");
        assertGranted("patients::TENANT001:patient:67890", PHI);
    }

    @Test
    void nullValuesAreSerialisedAndExpireToo() {
        assertThat(patients.find(TENANT, "nobody")).isNull();
        assertThat(ENTRIES.bytes("patients::TENANT001:patient:nobody")).startsWith(0xAC, 0xED, 0x00, 0x05); // Java's serialisation
        assertGranted("patients::TENANT001:patient:nobody", PHI);
    }

    @Test
    void theServiceAnswersOutOfTheCache() {
        assertThat(http.getForObject("/patients/12345", Patient.class).name()).isEqualTo("A. Example");
        rename("12345", "changed behind the cache");
        assertThat(http.getForObject("/patients/12345", Patient.class).name()).isEqualTo("A. Example");
        assertThat(http.getForObject("/patients/12345/encounters", List.class)).hasSize(2);
        assertThat(http.getForObject("/codesystems/icd10", String.class)).contains("International");
        assertThat(http.getForEntity("/patients/nobody", String.class).getStatusCode().value()).isEqualTo(404);
    }

    @Test
    void actuatorHealthReadsInfo() {
        assertThat(http.getForObject("/actuator/health", String.class))
                .contains("\"redis\":{\"status\":\"UP\",\"details\":{\"version\":\"7.2");
    }
}
