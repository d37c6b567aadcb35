package org.lethecache.clinic.patient;

import java.util.Optional;
import java.util.concurrent.CompletableFuture;

import org.springframework.cache.CacheManager;
import org.springframework.cache.annotation.CacheEvict;
import org.springframework.cache.annotation.CachePut;
import org.springframework.cache.annotation.Cacheable;
import org.springframework.stereotype.Service;

/** Patients through the cache. The keys name tenant and patient, so that Lethe knows both. */
@Service
public class PatientService {

    private static final String KEY = "#tenant + ':patient:' + #id";

    private final PatientRepository patients;
    private final CacheManager caches;

    PatientService(PatientRepository patients, CacheManager caches) {
        this.patients = patients;
        this.caches = caches;
    }

    /** Asks for an hour; the entry lives for 300 s. A patient that does not exist is cached as null. */
    @Cacheable(cacheNames = "patients", key = KEY)
    public Patient find(String tenant, String id) {
        return patients.find(tenant, id).orElse(null);
    }

    /** The shape {@code TENANT001:patientData::TENANT001:patient:12345}, in JSON; what does not exist is not cached. */
    @Cacheable(cacheNames = "patientData", key = KEY)
    public Optional<Patient> data(String tenant, String id) {
        return patients.find(tenant, id);
    }

    /** Every hit asks for two minutes more. */
    @Cacheable(cacheNames = "recentPatients", key = KEY)
    public Patient recent(String tenant, String id) {
        return patients.find(tenant, id).orElse(null);
    }

    /** Without blocking the caller while the cache is asked. */
    @Cacheable(cacheNames = "patients", key = KEY)
    public CompletableFuture<Patient> findLater(String tenant, String id) {
        return CompletableFuture.supplyAsync(() -> patients.find(tenant, id).orElse(null));
    }

    @CachePut(cacheNames = "patients", key = "#patient.tenant + ':patient:' + #patient.id")
    public Patient save(Patient patient) {
        patients.save(patient);
        return patient;
    }

    @CacheEvict(cacheNames = "patients", key = KEY)
    public void delete(String tenant, String id) {
        patients.delete(tenant, id);
    }

    @CacheEvict(cacheNames = "patients", allEntries = true)
    public void forgetAll() {
    }

    /** Caches a patient that came from elsewhere, unless one is cached; returns the one that is. */
    public Patient offer(Patient patient) {
        var present = caches.getCache("patients").putIfAbsent(patient.tenant() + ":patient:" + patient.id(), patient);
        return present == null ? patient : (Patient) present.get();
    }
}
