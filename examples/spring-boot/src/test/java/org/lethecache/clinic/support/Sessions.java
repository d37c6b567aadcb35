package org.lethecache.clinic.support;

import java.time.Duration;
import java.time.Instant;

import org.springframework.session.FindByIndexNameSessionRepository;
import org.springframework.session.Session;
import org.springframework.session.SessionRepository;

/** What a request does with a session, on any repository. */
public final class Sessions {

    private Sessions() {
    }

    /** Saves a new session of jane and returns its number. */
    public static <S extends Session> String save(SessionRepository<S> sessions, Duration interval) {
        S session = sessions.createSession();
        session.setMaxInactiveInterval(interval);
        session.setAttribute(FindByIndexNameSessionRepository.PRINCIPAL_NAME_INDEX_NAME, "jane");
        sessions.save(session);
        return session.getId();
    }

    /** Notes that a session is used, as each request does. */
    public static <S extends Session> void use(SessionRepository<S> sessions, String id) {
        S session = sessions.findById(id);
        session.setLastAccessedTime(Instant.now());
        sessions.save(session);
    }

    /** Gives a session another number; what happens in between is the caller's. */
    public static <S extends Session> String changeId(SessionRepository<S> sessions, String id, Runnable between) {
        S session = sessions.findById(id);
        String changed = session.changeSessionId();
        between.run();
        sessions.save(session);
        return changed;
    }
}
