package org.lethecache.clinic.codes;

import org.springframework.cache.annotation.Cacheable;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Service;

/** Code systems are of the reserved tenant global: cached once for all, for an hour at most. */
@Service
public class CodeSystemService {

    private final JdbcClient database;

    CodeSystemService(JdbcClient database) {
        this.database = database;
    }

    @Cacheable(cacheNames = "codeSystems", key = "'global:codesystem:' + #id")
    public CodeSystem find(String id) {
        return database.sql("select id, title from code_system where id = ?").param(id).query(CodeSystem.class).optional().orElse(null);
    }
}
