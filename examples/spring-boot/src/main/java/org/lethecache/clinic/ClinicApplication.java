package org.lethecache.clinic;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.cache.annotation.EnableCaching;

/** A clinic's service: patients, encounters and code systems out of PostgreSQL, cached in Lethe. */
@SpringBootApplication
@EnableCaching
public class ClinicApplication {

    public static void main(String[] args) {
        SpringApplication.run(ClinicApplication.class, args);
    }
}
