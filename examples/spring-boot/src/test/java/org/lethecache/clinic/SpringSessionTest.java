package org.lethecache.clinic;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Map;

import org.junit.jupiter.api.Test;
import org.lethecache.clinic.support.Browser;
import org.lethecache.clinic.support.ClinicTest;
import org.lethecache.clinic.support.Sessions;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.data.redis.core.StringRedisTemplate;
import org.springframework.session.Session;
import org.springframework.session.SessionRepository;

/** Spring Session's default repository, for a user with the default rules. */
@SpringBootTest(properties = "spring.data.redis.username=app", webEnvironment = SpringBootTest.WebEnvironment.RANDOM_PORT)
class SpringSessionTest extends ClinicTest {

    private static final String HASH = "spring:session:sessions:";

    @Autowired
    private SessionRepository<? extends Session> repository;
    @Autowired
    private StringRedisTemplate redis;

    @Test
    void logInReadAndLogOutDeletes() {
        Browser jane = new Browser(http);
        jane.post("/login?user=jane");
        assertThat(jane.get("/whoami")).isEqualTo("jane");
        assertGranted(HASH + jane.session(), Duration.ofMinutes(10));
        jane.post("/logout");
        assertThat(ENTRIES.keys("*")).isEmpty();
        assertThat(jane.get("/whoami")).isNull();
    }

    @Test
    void everyRequestRearmsTheSession() {
        Browser jane = new Browser(http);
        jane.post("/login?user=jane");
        ENTRIES.commands().pexpire(HASH + jane.session(), 30_000);
        jane.get("/whoami");
        assertGranted(HASH + jane.session(), Duration.ofMinutes(10));
    }

    @Test
    void trapA_hashIsBornWithoutTimeToLiveAndGetsTheCeiling() {
        redis.opsForHash().putAll(HASH + "born", Map.of("creationTime", "0"));
        assertGranted(HASH + "born", SESSION);
    }

    @Test
    void anIntervalBeyondTheCeilingGetsTheCeiling() {
        String id = Sessions.save(repository, Duration.ofHours(8));
        assertGranted(HASH + id, SESSION);
    }

    @Test
    void changeOfTheIdRenames() {
        String id = Sessions.save(repository, Duration.ofMinutes(10));
        String changed = Sessions.changeId(repository, id, () -> {
        });
        assertThat(ENTRIES.keys("*")).containsExactly(HASH + changed);
        assertGranted(HASH + changed, Duration.ofMinutes(10));
    }
}
