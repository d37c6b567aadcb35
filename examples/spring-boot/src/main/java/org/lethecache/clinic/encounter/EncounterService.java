package org.lethecache.clinic.encounter;

import java.util.List;

import org.springframework.cache.annotation.CacheEvict;
import org.springframework.cache.annotation.Cacheable;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Service;

/** Encounters through caches that are given no time to live: Lethe gives them that of PHI. */
@Service
public class EncounterService {

    private final JdbcClient database;

    EncounterService(JdbcClient database) {
        this.database = database;
    }

    /** Of many threads that miss at once, one asks the database. */
    @Cacheable(cacheManager = "lockingCaches", cacheNames = "encounters", key = "#tenant + ':encounter:' + #id", sync = true)
    public Encounter find(String tenant, String id) {
        return database.sql("select tenant, id, patient, reason from encounter where tenant = ? and id = ?")
                .params(tenant, id).query(Encounter.class).optional().orElse(null);
    }

    /** With no key of its own: {@code encountersOf::SimpleKey [TENANT001, 12345]}, which names no tenant to Lethe. */
    @Cacheable(cacheNames = "encountersOf")
    public List<Encounter> of(String tenant, String patient) {
        return database.sql("select tenant, id, patient, reason from encounter where tenant = ? and patient = ? order by id")
                .params(tenant, patient).query(Encounter.class).list();
    }

    @CacheEvict(cacheNames = "encountersOf")
    public void forget(String tenant, String patient) {
    }
}
