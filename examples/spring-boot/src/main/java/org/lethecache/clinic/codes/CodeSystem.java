package org.lethecache.clinic.codes;

import java.io.Serializable;

/** A system of codes, the same for all tenants. */
public record CodeSystem(String id, String title) implements Serializable {
}
