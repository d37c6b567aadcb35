package org.lethecache.clinic.session;

import jakarta.servlet.http.HttpSession;

import org.springframework.beans.factory.annotation.Value;
import org.springframework.data.redis.core.StringRedisTemplate;
import org.springframework.session.FindByIndexNameSessionRepository;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

/** Logging in, out, and asking who one is. The service has no passwords; what it shows is the life of a session. */
@RestController
class SessionController {

    private final StringRedisTemplate redis;
    private final String namespace;

    SessionController(StringRedisTemplate redis, @Value("${spring.session.redis.namespace:spring:session}") String namespace) {
        this.redis = redis;
        this.namespace = namespace;
    }

    @PostMapping("/login")
    void logIn(@RequestParam String user, HttpSession session) {
        session.setAttribute(FindByIndexNameSessionRepository.PRINCIPAL_NAME_INDEX_NAME, user);
    }

    @GetMapping("/whoami")
    String whoAmI(HttpSession session) {
        return (String) session.getAttribute(FindByIndexNameSessionRepository.PRINCIPAL_NAME_INDEX_NAME);
    }

    /**
     * Log-out deletes. Spring Session's indexed repository keeps the hash of an invalidated session for five minutes, so that
     * listeners can still read it; deleting it here ends that. With the default repository there is nothing left to delete.
     */
    @PostMapping("/logout")
    void logOut(HttpSession session) {
        String id = session.getId();
        session.invalidate();
        redis.delete(namespace + ":sessions:" + id);
    }
}
