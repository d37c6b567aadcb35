package org.lethecache.clinic;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.time.Instant;

import org.junit.jupiter.api.Test;
import org.lethecache.clinic.patient.PatientService;
import org.lethecache.clinic.support.DatabaseTest;
import org.lethecache.clinic.support.Entries;
import org.lethecache.clinic.support.LetheServer;
import org.lethecache.clinic.support.SessionEvents;
import org.lethecache.clinic.support.Sessions;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.context.annotation.Import;
import org.springframework.session.data.redis.RedisIndexedSessionRepository;
import org.springframework.session.events.SessionExpiredEvent;
import org.springframework.test.context.DynamicPropertyRegistry;
import org.springframework.test.context.DynamicPropertySource;

/** Deadlines that come while the application does what it can to keep its data: PHI lives for 3 s here, sessions for 4 s. */
@SpringBootTest(properties = {"spring.data.redis.username=sessions", "spring.session.redis.repository-type=indexed"},
        webEnvironment = SpringBootTest.WebEnvironment.RANDOM_PORT)
@Import(SessionEvents.class)
class ShortCeilingTest extends DatabaseTest {

    private static final LetheServer BRIEF = LetheServer.start("--policy", "src/test/resources/short.yaml");
    private static final Entries HERE = new Entries(BRIEF);

    @Autowired
    private PatientService patients;
    @Autowired
    private RedisIndexedSessionRepository repository;
    @Autowired
    private SessionEvents events;

    @DynamicPropertySource
    static void brief(DynamicPropertyRegistry properties) {
        use(BRIEF, properties);
    }

    @Test
    void timeToIdleDoesNotKeepPhiAlive() {
        patients.recent("TENANT001", "12345");
        Instant read = Instant.now();
        database.sql("update patient set name = 'new' where id = '12345'").update();
        // Each of these reads asks for two minutes more.
        await().atMost(Duration.ofSeconds(20)).until(() -> patients.recent("TENANT001", "12345").name().equals("new"));
        assertThat(Duration.between(read, Instant.now())).isBetween(Duration.ofSeconds(2), Duration.ofSeconds(6));
    }

    @Test
    void trapB_sessionThatWantsMoreThanTheCeilingEndsAtTheCeiling() {
        String id = Sessions.save(repository, Duration.ofHours(1));
        await().atMost(Duration.ofSeconds(20)).until(() -> HERE.keys("spring:session:sessions:*" + id).isEmpty());
        assertThat(repository.findById(id)).isNull();
    }

    @Test
    void trapC_userIsFoundForAsLongAsTheSessionIsUsed() {
        String id = Sessions.save(repository, Duration.ofSeconds(3));
        Instant beyond = Instant.now().plus(Duration.ofSeconds(6)); // the ceiling of a session is 4 s
        await().atMost(Duration.ofSeconds(20)).until(() -> {
            Sessions.use(repository, id);
            return Instant.now().isAfter(beyond);
        });
        assertThat(repository.findByPrincipalName("jane")).containsKey(id);
    }

    @Test
    void trapB_sessionWhoseHashOutlivesItIsAnnounced() {
        String id = Sessions.save(repository, Duration.ofSeconds(1));
        await().until(() -> events.came(SessionExpiredEvent.class, id));
    }
}
