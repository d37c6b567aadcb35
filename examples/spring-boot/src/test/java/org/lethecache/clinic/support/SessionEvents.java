package org.lethecache.clinic.support;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

import org.springframework.boot.test.context.TestConfiguration;
import org.springframework.context.event.EventListener;
import org.springframework.session.events.AbstractSessionEvent;

/** The events of sessions that Spring Session has published. */
@TestConfiguration(proxyBeanMethods = false)
public class SessionEvents {

    private final List<AbstractSessionEvent> events = new CopyOnWriteArrayList<>();

    @EventListener
    void note(AbstractSessionEvent event) {
        events.add(event);
    }

    /** Whether an event of this kind came for a session. */
    public boolean came(Class<? extends AbstractSessionEvent> kind, String session) {
        return events.stream().anyMatch(event -> kind.isInstance(event) && event.getSessionId().equals(session));
    }
}
