package org.lethecache.clinic.session;

import java.time.Duration;
import java.util.Map;

import org.springframework.data.redis.core.StringRedisTemplate;
import org.springframework.stereotype.Component;

/** Hashes that an application keeps beside its sessions: no tenant in the key, and no time to live. */
@Component
public class SessionMetadata {

    private final StringRedisTemplate redis;

    SessionMetadata(StringRedisTemplate redis) {
        this.redis = redis;
    }

    public void write(String id, Map<String, String> fields) {
        redis.opsForHash().putAll(key(id), fields);
    }

    public void write(String id, Map<String, String> fields, Duration timeToLive) {
        write(id, fields);
        redis.expire(key(id), timeToLive);
    }

    public Map<Object, Object> read(String id) {
        return redis.opsForHash().entries(key(id));
    }

    public void delete(String id) {
        redis.delete(key(id));
    }

    private static String key(String id) {
        return "session:metadata:" + id;
    }
}
