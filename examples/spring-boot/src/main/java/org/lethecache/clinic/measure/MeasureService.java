package org.lethecache.clinic.measure;

import org.springframework.cache.annotation.Cacheable;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Service;

/** Results of quality measures, under keys that join their parts by dashes: {@code hedisMeasures::WCC-TENANT001-12345}. */
@Service
public class MeasureService {

    private final JdbcClient database;

    MeasureService(JdbcClient database) {
        this.database = database;
    }

    /** Whether a patient fulfils a measure: here, whether there was an encounter at all. */
    @Cacheable(cacheNames = "hedisMeasures", key = "#measure + '-' + #tenant + '-' + #patient")
    public boolean fulfilled(String measure, String tenant, String patient) {
        return database.sql("select count(*) from encounter where tenant = ? and patient = ?")
                .params(tenant, patient).query(Long.class).single() > 0;
    }
}
