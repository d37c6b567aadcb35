package org.lethecache.clinic;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;

import org.junit.jupiter.api.Test;
import org.lethecache.clinic.patient.PatientService;
import org.lethecache.clinic.support.DatabaseTest;
import org.lethecache.clinic.support.Entries;
import org.lethecache.clinic.support.LetheServer;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.data.redis.core.StringRedisTemplate;
import org.springframework.test.context.DynamicPropertyRegistry;
import org.springframework.test.context.DynamicPropertySource;

/** The cluster driver of Spring Data Redis on the view of a cluster of one node. */
@SpringBootTest(properties = "spring.data.redis.username=cluster", webEnvironment = SpringBootTest.WebEnvironment.RANDOM_PORT)
class ClusterDriverTest extends DatabaseTest {

    private static final LetheServer NODE = LetheServer.start("--cluster", "view");
    private static final Entries HERE = new Entries(NODE);

    @Autowired
    private PatientService patients;
    @Autowired
    private StringRedisTemplate redis;

    @DynamicPropertySource
    static void cluster(DynamicPropertyRegistry properties) {
        use(NODE, properties);
        properties.add("spring.data.redis.cluster.nodes", () -> NODE.host() + ":" + NODE.port());
    }

    @Test
    void cacheWorksAndIsClearedByScan() {
        assertThat(patients.find("TENANT001", "12345").name()).isEqualTo("A. Example");
        HERE.assertGranted("patients::TENANT001:patient:12345", Duration.ofMinutes(5));
        patients.forgetAll();
        assertThat(HERE.exists("patients::TENANT001:patient:12345")).isFalse();
    }

    @Test
    void renameAcrossSlotsIsDumpAndRestoreWithoutTimeToLiveAndGetsTheCeiling() {
        redis.opsForValue().set("TENANT001:patient:1", "v", Duration.ofSeconds(60));
        redis.rename("TENANT001:patient:1", "TENANT001:patient:2");
        assertThat(redis.opsForValue().get("TENANT001:patient:2")).isEqualTo("v");
        assertThat(HERE.exists("TENANT001:patient:1")).isFalse();
        assertThat(HERE.timeToLive("TENANT001:patient:2")).isBetween(Duration.ofSeconds(1), Duration.ofMinutes(5));
    }

    @Test
    void actuatorHealthReadsClusterInfo() {
        assertThat(http.getForObject("/actuator/health", String.class))
                .contains("\"redis\":{\"status\":\"UP\",\"details\":{\"cluster_size\":1");
    }
}
