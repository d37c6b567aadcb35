package org.lethecache.clinic.support;

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

/** The service and a real PostgreSQL. Each test begins with the data of data.sql. The Lethe is the subclass's. */
@SpringBootTest(webEnvironment = SpringBootTest.WebEnvironment.RANDOM_PORT)
public abstract class DatabaseTest {

    private static final PostgresServer POSTGRES = PostgresServer.start();

    @Autowired
    protected TestRestTemplate http;
    @Autowired
    protected JdbcClient database;
    @Autowired
    private DataSource source;

    @DynamicPropertySource
    static void postgres(DynamicPropertyRegistry properties) {
        properties.add("spring.datasource.url", POSTGRES::url);
        properties.add("spring.datasource.username", POSTGRES::user);
    }

    /** Points the service to a Lethe; the user is a property of the test, and the token follows from it. */
    protected static void use(LetheServer lethe, DynamicPropertyRegistry properties) {
        properties.add("REDIS_CA", lethe::authority);
        properties.add("spring.data.redis.host", lethe::host);
        properties.add("spring.data.redis.port", lethe::port);
        properties.add("spring.data.redis.password", () -> "the-token-of-the-user-${spring.data.redis.username}");
    }

    @BeforeEach
    void fillDatabase() {
        database.sql("truncate patient, encounter, code_system").update();
        new ResourceDatabasePopulator(new ClassPathResource("data.sql")).execute(source);
    }
}
