package org.lethecache.clinic.support;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.time.Duration;
import java.util.List;

import io.lettuce.core.ClientOptions;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisURI;
import io.lettuce.core.SslOptions;
import io.lettuce.core.api.sync.RedisCommands;
import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.pubsub.StatefulRedisPubSubConnection;

/** What is in a Lethe, seen past Spring. */
public final class Entries {

    private final LetheServer lethe;
    private final RedisClient client;
    private final RedisCommands<String, String> commands;

    public Entries(LetheServer lethe) {
        this.lethe = lethe;
        client = RedisClient.create();
        client.setOptions(ClientOptions.builder()
                .sslOptions(SslOptions.builder().trustManager(new File(lethe.authority())).build()).build());
        commands = as(TestUser.INSPECTOR);
    }

    /** The commands of another user, on a connection of its own. */
    public RedisCommands<String, String> as(TestUser user) {
        return client.connect(address(user)).sync();
    }

    public StatefulRedisPubSubConnection<String, String> listener(TestUser user) {
        return client.connectPubSub(address(user));
    }

    private RedisURI address(TestUser user) {
        return RedisURI.builder().withHost(lethe.host()).withPort(lethe.port()).withSsl(true)
                .withAuthentication(user.login(), user.token().toCharArray()).build();
    }

    public RedisCommands<String, String> commands() {
        return commands;
    }

    public Duration timeToLive(String key) {
        return Duration.ofMillis(commands.pttl(key));
    }

    /** Checks a deadline that was granted in the last seconds. */
    public void assertGranted(String key, Duration granted) {
        assertThat(timeToLive(key)).isBetween(granted.minusSeconds(20), granted);
    }

    public boolean exists(String key) {
        return commands.exists(key) == 1;
    }

    public List<String> keys(String pattern) {
        return commands.keys(pattern);
    }

    /** The value as bytes, whatever wrote it. */
    public byte[] bytes(String key) {
        try (var connection = client.connect(ByteArrayCodec.INSTANCE, address(TestUser.INSPECTOR))) {
            return connection.sync().get(key.getBytes());
        }
    }

    public void clear() {
        commands.flushdb();
    }
}
