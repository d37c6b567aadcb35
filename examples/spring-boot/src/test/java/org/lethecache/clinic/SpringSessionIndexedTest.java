package org.lethecache.clinic;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;

import org.junit.jupiter.api.Test;
import org.lethecache.clinic.support.Browser;
import org.lethecache.clinic.support.ClinicTest;
import org.lethecache.clinic.support.SessionEvents;
import org.lethecache.clinic.support.Sessions;
import org.lethecache.clinic.support.TestUser;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.context.annotation.Import;
import org.springframework.session.data.redis.RedisIndexedSessionRepository;
import org.springframework.session.data.redis.SortedSetRedisSessionExpirationStore;
import org.springframework.session.events.SessionCreatedEvent;
import org.springframework.session.events.SessionDeletedEvent;
import org.springframework.session.events.SessionExpiredEvent;

/** Spring Session's indexed repository, for a user that may also read and set notify-keyspace-events. */
@SpringBootTest(properties = {"spring.data.redis.username=sessions", "spring.session.redis.repository-type=indexed"},
        webEnvironment = SpringBootTest.WebEnvironment.RANDOM_PORT)
@Import(SessionEvents.class)
class SpringSessionIndexedTest extends ClinicTest {

    private static final String HASH = "spring:session:sessions:";
    private static final String EXPIRES = "spring:session:sessions:expires:";
    private static final String INDEX =
            "spring:session:index:org.springframework.session.FindByIndexNameSessionRepository.PRINCIPAL_NAME_INDEX_NAME:jane";
    private static final Duration INTERVAL = Duration.ofMinutes(10);

    @Autowired
    private RedisIndexedSessionRepository repository;
    @Autowired
    private SessionEvents events;

    @Test
    void startTurnsKeyspaceEventsOnForTheTenantOnly() {
        assertThat(ENTRIES.as(TestUser.SESSIONS).configGet("notify-keyspace-events").get("notify-keyspace-events")).contains("E", "g", "x");
        assertThat(ENTRIES.as(TestUser.OTHER).configGet("notify-keyspace-events").get("notify-keyspace-events")).isEmpty();
    }

    @Test
    void createdAndDeletedSessionsAreAnnounced() {
        String id = Sessions.save(repository, INTERVAL);
        await().until(() -> events.came(SessionCreatedEvent.class, id));
        repository.deleteById(id);
        await().until(() -> events.came(SessionDeletedEvent.class, id));
        assertThat(repository.findById(id)).isNull();
    }

    @Test
    void expiredSessionIsAnnounced() {
        String id = Sessions.save(repository, Duration.ofSeconds(1));
        await().until(() -> events.came(SessionExpiredEvent.class, id));
    }

    @Test
    void sessionsAreFoundByTheirUser() {
        String id = Sessions.save(repository, INTERVAL);
        assertThat(repository.findByPrincipalName("jane")).containsOnlyKeys(id);
    }

    @Test
    void trapB_hashOutlivesTheSessionByFiveMinutesWithinTheCeiling() {
        String id = Sessions.save(repository, INTERVAL);
        assertGranted(EXPIRES + id, INTERVAL);
        assertGranted(HASH + id, INTERVAL.plusMinutes(5));
    }

    @Test
    void trapB_longerIntervalsGetTheCeilingForBoth() {
        String id = Sessions.save(repository, Duration.ofHours(8));
        assertGranted(EXPIRES + id, SESSION);
        assertGranted(HASH + id, SESSION);
    }

    @Test
    void trapC_principalIndexLivesTwiceAsLongAsTheLongestSession() {
        Sessions.save(repository, INTERVAL);
        assertGranted(INDEX, Duration.ofHours(24));
    }

    @Test
    void trapC_principalIndexIsGoneWithTheLastSession() {
        String id = Sessions.save(repository, Duration.ofSeconds(1));
        await().until(() -> events.came(SessionExpiredEvent.class, id));
        await().until(() -> !ENTRIES.exists(INDEX));
    }

    @Test
    void trapD_expirationsSetIsBornAfterItsExpireAndGetsTheCeiling() {
        Sessions.save(repository, INTERVAL);
        assertThat(ENTRIES.keys("spring:session:expirations:*")).hasSize(1);
        assertGranted(ENTRIES.keys("spring:session:expirations:*").get(0), SESSION);
    }

    @Test
    void trapE_userNamesInKeysAreInNoLogAndNoSearchWithoutReveal() throws IOException {
        Sessions.save(repository, INTERVAL);
        assertThat(LETHE.cli("", "audit", "search", "--user", "sessions")).contains("SADD").doesNotContain("jane");
        assertThat(Files.readString(LETHE.log())).doesNotContain("jane");
    }

    @Test
    void trapF_eventsAndMessagesStayInTheTenant() {
        var mine = new Heard(ENTRIES.listener(TestUser.SESSIONS));
        var others = new Heard(ENTRIES.listener(TestUser.OTHER));
        ENTRIES.as(TestUser.OTHER).configSet("notify-keyspace-events", "AKE");
        String id = Sessions.save(repository, INTERVAL);
        repository.deleteById(id);
        await().until(() -> mine.on("spring:session:event:0:created:" + id) && mine.on("__keyevent@0__:del"));
        ENTRIES.as(TestUser.OTHER).publish("marker", "after all of it");
        await().until(() -> others.on("marker"));
        assertThat(others.channels()).containsExactly("marker");
        ENTRIES.as(TestUser.OTHER).configSet("notify-keyspace-events", "");
    }

    @Test
    void trapG_deleteByIdLeavesTheHashForFiveMinutes() {
        String id = Sessions.save(repository, INTERVAL);
        repository.deleteById(id);
        assertThat(ENTRIES.exists(EXPIRES + id)).isFalse();
        assertThat(ENTRIES.timeToLive(HASH + id)).isLessThanOrEqualTo(Duration.ofMinutes(5));
        assertThat(ENTRIES.commands().hgetall(HASH + id)).isNotEmpty();
    }

    @Test
    void trapG_logOutOfThisServiceDeletesTheHash() {
        Browser jane = new Browser(http);
        jane.post("/login?user=jane");
        String id = jane.session();
        assertThat(jane.get("/whoami")).isEqualTo("jane");
        jane.post("/logout");
        assertThat(ENTRIES.exists(HASH + id)).isFalse();
        assertThat(jane.get("/whoami")).isNull();
    }

    @Test
    void negativeIntervalSendsPersistAndTheHashStillHasADeadline() {
        String id = Sessions.save(repository, Duration.ofSeconds(-1));
        assertThat(ENTRIES.timeToLive(HASH + id)).isBetween(Duration.ofSeconds(1), SESSION);
    }

    @Test
    void changeOfTheIdRenamesBothKeys() {
        String id = Sessions.save(repository, INTERVAL);
        String changed = Sessions.changeId(repository, id, () -> {
        });
        assertThat(ENTRIES.exists(HASH + id) || ENTRIES.exists(EXPIRES + id)).isFalse();
        assertGranted(EXPIRES + changed, INTERVAL);
        assertThat(repository.findByPrincipalName("jane")).containsOnlyKeys(changed);
    }

    @Test
    void changeOfTheIdOfASessionThatIsGoneExpectsNoSuchKey() {
        String id = Sessions.save(repository, INTERVAL);
        Sessions.changeId(repository, id, () -> ENTRIES.commands().del(HASH + id, EXPIRES + id)); // ERR no such key
        assertThat(repository.findById(id)).isNull();
    }

    @Test
    void cleanupTouchesWhatIsDue() {
        String due = "spring:session:expirations:" + System.currentTimeMillis() / 60_000 * 60_000;
        repository.getSessionRedisOperations().boundSetOps(due).add("expires:gone");
        repository.cleanUpExpiredSessions();
        assertThat(ENTRIES.exists(due)).isFalse();
    }

    @Test
    void sortedSetStoreFindsWhatIsDue() {
        SortedSetRedisSessionExpirationStore store =
                new SortedSetRedisSessionExpirationStore(repository.getSessionRedisOperations(), "spring:session");
        RedisIndexedSessionRepository sorted = new RedisIndexedSessionRepository(repository.getSessionRedisOperations());
        sorted.setExpirationStore(store);
        String id = Sessions.save(sorted, INTERVAL);
        assertThat(ENTRIES.commands().zcard("spring:session:sessions:expirations")).isOne();
        assertGranted("spring:session:sessions:expirations", SESSION);
        store.cleanupExpiredSessions();
        store.remove(id);
        assertThat(ENTRIES.exists("spring:session:sessions:expirations")).isFalse();
    }
}
