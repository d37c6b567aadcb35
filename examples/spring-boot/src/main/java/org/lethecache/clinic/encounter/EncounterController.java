package org.lethecache.clinic.encounter;

import java.util.List;

import org.springframework.beans.factory.annotation.Value;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RestController;

@RestController
class EncounterController {

    private final EncounterService encounters;
    private final String tenant;

    EncounterController(EncounterService encounters, @Value("${clinic.tenant}") String tenant) {
        this.encounters = encounters;
        this.tenant = tenant;
    }

    @GetMapping("/patients/{patient}/encounters")
    List<Encounter> of(@PathVariable String patient) {
        return encounters.of(tenant, patient);
    }

    @GetMapping("/encounters/{id}")
    Encounter get(@PathVariable String id) {
        return encounters.find(tenant, id);
    }
}
