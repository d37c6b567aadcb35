package org.lethecache.clinic.patient;

import org.springframework.beans.factory.annotation.Value;
import org.springframework.http.HttpStatus;
import org.springframework.web.bind.annotation.DeleteMapping;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PutMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.server.ResponseStatusException;

@RestController
@RequestMapping("/patients")
class PatientController {

    record Details(String name, String born) {
    }

    private final PatientService patients;
    private final String tenant;

    PatientController(PatientService patients, @Value("${clinic.tenant}") String tenant) {
        this.patients = patients;
        this.tenant = tenant;
    }

    @GetMapping("/{id}")
    Patient get(@PathVariable String id) {
        Patient patient = patients.find(tenant, id);
        if (patient == null) {
            throw new ResponseStatusException(HttpStatus.NOT_FOUND);
        }
        return patient;
    }

    @PutMapping("/{id}")
    Patient put(@PathVariable String id, @RequestBody Details details) {
        return patients.save(new Patient(tenant, id, details.name(), details.born()));
    }

    @DeleteMapping("/{id}")
    void delete(@PathVariable String id) {
        patients.delete(tenant, id);
    }
}
