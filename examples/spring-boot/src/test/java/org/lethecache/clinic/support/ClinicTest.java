package org.lethecache.clinic.support;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;

import javax.sql.DataSource;

import org.junit.jupiter.api.BeforeEach;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.web.client.TestRestTemplate;
import org.springframework.core.io.ClassPathResource;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.datasource.init.ResourceDatabasePopulator;
import org.springframework.test.context.DynamicPropertyRegistry;
import org.springframework.test.context.DynamicPropertySource;

/** The service, a real PostgreSQL and a real Lethe under its default policy. Each test begins with an empty cache. */
@SpringBootTest(webEnvironment = SpringBootTest.WebEnvironment.RANDOM_PORT)
public abstract class ClinicTest {

    protected static final Duration PHI = Duration.ofMinutes(5);
    protected static final Duration SESSION = Duration.ofMinutes(15);
    protected static final Duration REFERENCE = Duration.ofHours(1);

    private static final PostgresServer POSTGRES = PostgresServer.start();
    protected static final LetheServer LETHE = LetheServer.start();
    protected static final Entries ENTRIES = new Entries(LETHE);

    @Autowired
    protected TestRestTemplate http;
    @Autowired
    protected JdbcClient database;
    @Autowired
    private DataSource source;

    @DynamicPropertySource
    static void servers(DynamicPropertyRegistry properties) {
        properties.add("spring.datasource.url", POSTGRES::url);
        properties.add("spring.datasource.username", POSTGRES::user);
        use(LETHE, properties);
    }

    /** Points the service to a Lethe; the user is a property of the test, and the token follows from it. */
    protected static void use(LetheServer lethe, DynamicPropertyRegistry properties) {
        properties.add("REDIS_CA", lethe::authority);
        properties.add("spring.data.redis.host", lethe::host);
        properties.add("spring.data.redis.port", lethe::port);
        properties.add("spring.data.redis.password", () -> "the-token-of-the-user-${spring.data.redis.username}");
    }

    @BeforeEach
    void begin() {
        ENTRIES.clear();
        database.sql("truncate patient, encounter, code_system").update();
        new ResourceDatabasePopulator(new ClassPathResource("data.sql")).execute(source);
    }

    /** A deadline that was granted in the last seconds. */
    protected static void assertGranted(String key, Duration granted) {
        assertThat(ENTRIES.timeToLive(key)).isBetween(granted.minusSeconds(20), granted);
    }
}
