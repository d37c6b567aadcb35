package org.lethecache.clinic.support;

import java.time.Duration;

import org.junit.jupiter.api.BeforeEach;
import org.springframework.test.context.DynamicPropertyRegistry;
import org.springframework.test.context.DynamicPropertySource;

/** The service on one Lethe for all tests, under the default policy. Each test begins with an empty cache. */
public abstract class ClinicTest extends DatabaseTest {

    protected static final Duration PHI = Duration.ofMinutes(5);
    protected static final Duration SESSION = Duration.ofMinutes(15);
    protected static final Duration REFERENCE = Duration.ofHours(1);

    protected static final LetheServer LETHE = LetheServer.start();
    protected static final Entries ENTRIES = new Entries(LETHE);

    @DynamicPropertySource
    static void lethe(DynamicPropertyRegistry properties) {
        use(LETHE, properties);
    }

    @BeforeEach
    void emptyCache() {
        ENTRIES.clear();
    }

    /** A deadline that was granted in the last seconds. */
    protected static void assertGranted(String key, Duration granted) {
        ENTRIES.assertGranted(key, granted);
    }
}
