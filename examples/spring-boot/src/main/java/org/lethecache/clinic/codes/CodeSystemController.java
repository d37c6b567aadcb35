package org.lethecache.clinic.codes;

import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RestController;

@RestController
class CodeSystemController {

    private final CodeSystemService systems;

    CodeSystemController(CodeSystemService systems) {
        this.systems = systems;
    }

    @GetMapping("/codesystems/{id}")
    CodeSystem get(@PathVariable String id) {
        return systems.find(id);
    }
}
