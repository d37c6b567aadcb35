package org.lethecache.clinic.patient;

import java.io.Serializable;

/** A patient of a tenant. */
public record Patient(String tenant, String id, String name, String born) implements Serializable {
}
