package report_test

import (
	"testing"
)

// sarifShape is SARIF 2.1.0 (OASIS, appendix of schemas), for the members that are written.
func sarifShape() shape {
	message := members(map[string]shape{"!text": someText()})
	location := members(map[string]shape{
		"physicalLocation": members(map[string]shape{
			"!artifactLocation": members(map[string]shape{"!uri": isURI(false)}),
			"region":            members(map[string]shape{"!startLine": whole(1), "startColumn": whole(1)}),
		}),
		"logicalLocations": list(1, members(map[string]shape{"!fullyQualifiedName": someText()})),
	})
	rule := members(map[string]shape{
		"!id": pattern(`^[A-Z]+(-[A-Z]+)?-\d\d$`), "!shortDescription": message, "!fullDescription": message,
		"!properties": members(map[string]shape{"!security-severity": pattern(`^\d\.\d$`), "!tags": list(2, someText())}),
	})
	result := members(map[string]shape{
		"!ruleId": someText(), "!kind": oneOf("notApplicable", "pass", "fail", "review", "open", "informational"),
		"!level": oneOf("none", "note", "warning", "error"), "!message": message, "locations": list(1, location),
		"!partialFingerprints": textMap, "suppressions": list(0, members(map[string]shape{"!kind": oneOf("inSource", "external")})),
	})
	return members(map[string]shape{
		"!$schema": isURI(true), "!version": oneOf("2.1.0"),
		"!runs": list(1, members(map[string]shape{
			"!tool": members(map[string]shape{"!driver": members(map[string]shape{
				"!name": someText(), "version": someText(), "!informationUri": isURI(true), "!rules": list(0, rule),
			})}),
			"!invocations": list(0, members(map[string]shape{
				"!executionSuccessful": boolean,
				"toolExecutionNotifications": list(0, members(map[string]shape{
					"!message": message, "!level": oneOf("none", "note", "warning", "error"), "locations": list(0, location),
				})),
			})),
			"!results": list(0, result),
		})),
	})
}

func TestSARIFHasItsShape(t *testing.T) {
	t.Parallel()
	document := decode(t, "sarif")
	wellShaped(t, document, sarifShape())
	run := document["runs"].([]any)[0].(map[string]any)
	rules := map[string]bool{}
	for _, r := range run["tool"].(map[string]any)["driver"].(map[string]any)["rules"].([]any) {
		id := r.(map[string]any)["id"].(string)
		if rules[id] {
			t.Errorf("there are two rules %s", id)
		}
		rules[id] = true
	}
	for _, r := range run["results"].([]any) {
		if id := r.(map[string]any)["ruleId"].(string); !rules[id] {
			t.Errorf("a result is of rule %s, which is not there", id)
		}
	}
}

// oscalShape is OSCAL 1.1.3's assessment-results (NIST), for the members that are written.
func oscalShape() shape {
	uuid := pattern(`^[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[45][0-9A-Fa-f]{3}-[89ABab][0-9A-Fa-f]{3}-[0-9A-Fa-f]{12}$`)
	token := pattern(`^(\p{L}|_)(\p{L}|\p{N}|[.\-_])*$`)
	line := pattern(`^\S(.*\S)?$`)
	property := members(map[string]shape{"!name": token, "!ns": isURI(true), "!value": line})
	observation := members(map[string]shape{
		"!uuid": uuid, "title": line, "!description": someText(), "props": list(1, property), "!methods": list(1, oneOf("EXAMINE", "INTERVIEW", "TEST", "UNKNOWN")),
		"relevant-evidence": list(1, members(map[string]shape{"!description": someText()})), "!collected": instant(),
	})
	finding := members(map[string]shape{
		"!uuid": uuid, "!title": line, "!description": someText(),
		"!target": members(map[string]shape{
			"!type": oneOf("statement-id", "objective-id"), "!target-id": token,
			"!status": members(map[string]shape{"!state": oneOf("satisfied", "not-satisfied"), "reason": token, "remarks": someText()}),
		}),
		"related-observations": list(1, members(map[string]shape{"!observation-uuid": uuid})),
	})
	return members(map[string]shape{"!assessment-results": members(map[string]shape{
		"!uuid":      uuid,
		"!metadata":  members(map[string]shape{"!title": line, "!last-modified": instant(), "!version": line, "!oscal-version": oneOf("1.1.3")}),
		"!import-ap": members(map[string]shape{"!href": someText(), "remarks": someText()}),
		"!results": list(1, members(map[string]shape{
			"!uuid": uuid, "!title": line, "!description": someText(), "!start": instant(), "remarks": someText(),
			"!reviewed-controls": members(map[string]shape{"!control-selections": list(1, members(map[string]shape{
				"include-controls": list(1, members(map[string]shape{"!control-id": pattern(`^[a-z]{2}-\d+(\.\d+)?$`)})),
			}))}),
			"observations": list(1, observation), "findings": list(1, finding),
		})),
	})})
}

func TestOSCALHasItsShape(t *testing.T) {
	t.Parallel()
	document := decode(t, "oscal")
	wellShaped(t, document, oscalShape())
	seen, observations := map[string]bool{}, 0
	everyObject(document, func(o map[string]any) {
		if o["methods"] != nil {
			observations++
		}
		if id, ok := o["uuid"].(string); ok {
			if seen[id] {
				t.Errorf("two things have the UUID %s", id)
			}
			seen[id] = true
		}
	})
	if want := len(sample().Result.Findings); observations != want {
		t.Errorf("%d observations of %d findings", observations, want)
	}
	everyObject(document, func(o map[string]any) {
		if id, ok := o["observation-uuid"].(string); ok && !seen[id] {
			t.Errorf("there is no observation %s", id)
		}
	})
}

// everyObject visits all of them.
func everyObject(v any, visit func(map[string]any)) {
	switch x := v.(type) {
	case map[string]any:
		visit(x)
		for _, child := range x {
			everyObject(child, visit)
		}
	case []any:
		for _, child := range x {
			everyObject(child, visit)
		}
	}
}
