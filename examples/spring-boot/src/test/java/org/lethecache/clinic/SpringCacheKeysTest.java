package org.lethecache.clinic;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;

import org.junit.jupiter.api.Test;
import org.lethecache.clinic.encounter.EncounterService;
import org.lethecache.clinic.measure.MeasureService;
import org.lethecache.clinic.patient.PatientService;
import org.lethecache.clinic.support.ClinicTest;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.cache.CacheManager;

/** Keys in the shapes that real code has, and whose Lethe takes them to be under its default policy. */
@SpringBootTest(properties = "spring.data.redis.username=app", webEnvironment = SpringBootTest.WebEnvironment.RANDOM_PORT)
class SpringCacheKeysTest extends ClinicTest {

    private static final String TENANT = "TENANT001";

    @Autowired
    private PatientService patients;
    @Autowired
    private EncounterService encounters;
    @Autowired
    private MeasureService measures;
    @Autowired
    private CacheManager caches;

    @Test
    void prefixWithTenantAndCacheName() {
        assertThat(patients.data(TENANT, "12345")).isPresent();
        assertGranted("TENANT001:patientData::TENANT001:patient:12345", PHI);
        assertThat(patients.data(TENANT, "12345").orElseThrow().name()).isEqualTo("A. Example");
    }

    @Test
    void prefixOfAnotherTenantIsRefused() {
        assertThatThrownBy(() -> patients.data("TENANT002", "12345")).rootCause().hasMessageStartingWith("TENANT ");
    }

    @Test
    void keyOfAnotherTenantIsRefused() {
        assertThatThrownBy(() -> patients.find("TENANT002", "12345")).rootCause().hasMessageStartingWith("TENANT ");
    }

    @Test
    void simpleKeyOfSeveralArgumentsIsPhiOfTheCredential() {
        encounters.of(TENANT, "12345");
        assertThat(encounters.of(TENANT, "12345")).hasSize(2);
        List<String> keys = ENTRIES.keys("encountersOf::*");
        assertThat(keys).hasSize(1);
        assertThat(keys.get(0)).matches("encountersOf::SimpleKey \\[TENANT001, ?12345\\]");
        assertGranted(keys.get(0), PHI);
        encounters.forget(TENANT, "12345");
        assertThat(ENTRIES.exists(keys.get(0))).isFalse();
    }

    @Test
    void keyJoinedByDashesIsPhiOfTheCredential() {
        assertThat(measures.fulfilled("WCC", TENANT, "12345")).isTrue();
        assertThat(measures.fulfilled("WCC", TENANT, "12345")).isTrue();
        assertGranted("hedisMeasures::WCC-TENANT001-12345", PHI);
    }

    @Test
    void cacheNameThatLooksLikeATypeIsStillPhi() {
        caches.getCache("reference").put("123", "v");
        assertGranted("reference::123", PHI);
    }
}
