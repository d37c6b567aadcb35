package org.lethecache.clinic.support;

import java.nio.charset.StandardCharsets;
import java.util.Base64;

import org.springframework.boot.test.web.client.TestRestTemplate;
import org.springframework.http.HttpEntity;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpMethod;
import org.springframework.http.ResponseEntity;

/** Keeps the session's cookie as a browser does. */
public final class Browser {

    private final TestRestTemplate http;
    private String cookie = "";

    public Browser(TestRestTemplate http) {
        this.http = http;
    }

    public String get(String path) {
        return exchange(HttpMethod.GET, path);
    }

    public void post(String path) {
        exchange(HttpMethod.POST, path);
    }

    private String exchange(HttpMethod method, String path) {
        HttpHeaders headers = new HttpHeaders();
        headers.add(HttpHeaders.COOKIE, cookie);
        ResponseEntity<String> answer = http.exchange(path, method, new HttpEntity<>(headers), String.class);
        if (!answer.getStatusCode().is2xxSuccessful()) {
            throw new IllegalStateException("HTTP " + answer.getStatusCode().value());
        }
        String set = answer.getHeaders().getFirst(HttpHeaders.SET_COOKIE);
        if (set != null) {
            cookie = set.substring(0, set.indexOf(';'));
        }
        return answer.getBody();
    }

    /** The session's number, which the cookie carries in base 64. */
    public String session() {
        byte[] id = Base64.getDecoder().decode(cookie.substring(cookie.indexOf('=') + 1));
        return new String(id, StandardCharsets.UTF_8);
    }
}
