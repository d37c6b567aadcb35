package identity

import "slices"

// Purposes are the purposes of use that a connection can state. The first three are those of 45 CFR 164.506; the others
// are what HL7's PurposeOfUse vocabulary adds for disclosures that are accounted for apart.
func Purposes() []string {
	return []string{"treatment", "payment", "operations", EmergencyPurpose, "patient_request", "public_health", "research", "legal"}
}

// EmergencyPurpose is what whoever uses an emergency access is recorded with, whatever the connection states.
const EmergencyPurpose = "emergency"

// MayState reports whether the user's connections may state a purpose.
func (u *User) MayState(purpose string) bool {
	if len(u.Purposes) > 0 {
		return slices.Contains(u.Purposes, purpose)
	}
	return slices.Contains(Purposes(), purpose)
}

func checkPurpose(purpose string) error {
	if !slices.Contains(Purposes(), purpose) {
		return &inputError{"cannot use a purpose of use that Lethe does not know", "write one of treatment, payment, operations, emergency, patient_request, public_health, research, legal"}
	}
	return nil
}
