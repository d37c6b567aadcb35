package org.lethecache.clinic;

import java.time.Duration;
import java.util.Map;

import org.junit.jupiter.api.Test;
import org.lethecache.clinic.codes.CodeSystemService;
import org.lethecache.clinic.measure.MeasureService;
import org.lethecache.clinic.patient.PatientService;
import org.lethecache.clinic.session.SessionMetadata;
import org.lethecache.clinic.support.DatabaseTest;
import org.lethecache.clinic.support.Entries;
import org.lethecache.clinic.support.LetheServer;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.data.redis.core.StringRedisTemplate;
import org.springframework.test.context.DynamicPropertyRegistry;
import org.springframework.test.context.DynamicPropertySource;

/** The policy file of this example: what the default policy takes for PHI because it does not know it gets a place of its own. */
@SpringBootTest(properties = "spring.data.redis.username=app", webEnvironment = SpringBootTest.WebEnvironment.RANDOM_PORT)
class ExamplePolicyTest extends DatabaseTest {

    private static final LetheServer OWN = LetheServer.start("--policy", "policy.yaml");
    private static final Entries HERE = new Entries(OWN);

    @Autowired
    private PatientService patients;
    @Autowired
    private CodeSystemService codeSystems;
    @Autowired
    private MeasureService measures;
    @Autowired
    private SessionMetadata metadata;
    @Autowired
    private StringRedisTemplate redis;

    @DynamicPropertySource
    static void own(DynamicPropertyRegistry properties) {
        use(OWN, properties);
    }

    @Test
    void keysOfTheServiceHaveTheirPlaces() {
        patients.find("TENANT001", "12345");
        patients.data("TENANT001", "12345");
        codeSystems.find("icd10");
        measures.fulfilled("WCC", "TENANT001", "12345");
        HERE.assertGranted("patients::TENANT001:patient:12345", Duration.ofMinutes(5));
        HERE.assertGranted("TENANT001:patientData::TENANT001:patient:12345", Duration.ofMinutes(5));
        HERE.assertGranted("codeSystems::global:codesystem:icd10", Duration.ofMinutes(30));
        HERE.assertGranted("hedisMeasures::WCC-TENANT001-12345", Duration.ofMinutes(5));
    }

    @Test
    void sessionMetadataIsASession() {
        metadata.write("abc", Map.of("browser", "x"));
        HERE.assertGranted("session:metadata:abc", Duration.ofMinutes(15));
        metadata.write("abc", Map.of("browser", "y"), Duration.ofMinutes(5));
        HERE.assertGranted("session:metadata:abc", Duration.ofMinutes(5));
    }

    @Test
    void trapC_principalIndexLivesTwiceAsLongAsTheLongestSession() {
        redis.opsForSet().add("spring:session:index:name:jane", "a session");
        HERE.assertGranted("spring:session:index:name:jane", Duration.ofHours(24));
    }
}
