package org.lethecache.clinic;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;

import org.junit.jupiter.api.Test;
import org.lethecache.clinic.support.Browser;
import org.lethecache.clinic.support.ClinicTest;
import org.lethecache.clinic.support.TestUser;
import org.springframework.boot.test.context.SpringBootTest;

/** A namespace that names the tenant. Without one, the tenant is the credential's. */
@SpringBootTest(properties = {"spring.data.redis.username=app", "spring.session.redis.namespace=TENANT001:session"},
        webEnvironment = SpringBootTest.WebEnvironment.RANDOM_PORT)
class SpringSessionNamespaceTest extends ClinicTest {

    @Test
    void trapH_namespaceNamesTheTenant() {
        Browser jane = new Browser(http);
        jane.post("/login?user=jane");
        String hash = "TENANT001:session:sessions:" + jane.session();
        assertGranted(hash, Duration.ofMinutes(10));
        assertThat(jane.get("/whoami")).isEqualTo("jane");
        jane.post("/logout");
        assertThat(ENTRIES.exists(hash)).isFalse();
    }

    @Test
    void trapH_defaultNamespaceIsOfTheCredentialsTenant() {
        ENTRIES.as(TestUser.APP).hset("spring:session:sessions:same", "of", "TENANT001");
        var other = ENTRIES.as(TestUser.OTHER);
        assertThat(other.exists("spring:session:sessions:same")).isZero();
        other.hset("spring:session:sessions:same", "of", "TENANT002");
        assertThat(ENTRIES.as(TestUser.APP).hget("spring:session:sessions:same", "of")).isEqualTo("TENANT001");
    }
}
