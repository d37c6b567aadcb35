package org.lethecache.clinic.encounter;

import java.io.Serializable;

/** A visit of a patient. */
public record Encounter(String tenant, String id, String patient, String reason) implements Serializable {
}
