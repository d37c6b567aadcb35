package org.lethecache.clinic.support;

import java.util.Locale;

/** The users of every server, with what they may do beyond the default rules. */
public enum TestUser {
    /** The service as an operator adds it: nothing beyond the default rules. */
    APP("TENANT001,global", ""),
    /** With Spring Session's indexed repository, which reads and sets notify-keyspace-events. */
    SESSIONS("TENANT001,global", "+config|get +config|set"),
    /** With Spring Cache's default way of clearing a cache. */
    KEYS("TENANT001,global", "+keys"),
    /** With the cluster driver of Spring Data Redis, whose RENAME is DUMP and RESTORE. */
    CLUSTER("TENANT001,global", "+restore"),
    /** Another tenant. */
    OTHER("TENANT002", "+config|get +config|set"),
    /** Who looks at what the service left behind. */
    INSPECTOR("TENANT001,global,TENANT002", "+keys +flushdb");

    private final String tenants;
    private final String moreRules;

    TestUser(String tenants, String moreRules) {
        this.tenants = tenants;
        this.moreRules = moreRules;
    }

    public String login() {
        return name().toLowerCase(Locale.ROOT);
    }

    public String token() {
        return "the-token-of-the-user-" + login();
    }

    String tenants() {
        return tenants;
    }

    String moreRules() {
        return moreRules;
    }
}
