package org.lethecache.clinic.patient;

import java.util.Optional;

import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Repository;

/** Patients in PostgreSQL. */
@Repository
public class PatientRepository {

    private final JdbcClient database;

    PatientRepository(JdbcClient database) {
        this.database = database;
    }

    public Optional<Patient> find(String tenant, String id) {
        return database.sql("select tenant, id, name, born from patient where tenant = ? and id = ?")
                .params(tenant, id).query(Patient.class).optional();
    }

    public void save(Patient patient) {
        database.sql("insert into patient (tenant, id, name, born) values (?, ?, ?, ?)"
                + " on conflict (tenant, id) do update set name = excluded.name, born = excluded.born")
                .params(patient.tenant(), patient.id(), patient.name(), patient.born()).update();
    }

    public void delete(String tenant, String id) {
        database.sql("delete from patient where tenant = ? and id = ?").params(tenant, id).update();
    }
}
