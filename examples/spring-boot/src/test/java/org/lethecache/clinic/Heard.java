package org.lethecache.clinic;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

import io.lettuce.core.pubsub.RedisPubSubAdapter;
import io.lettuce.core.pubsub.StatefulRedisPubSubConnection;

/** What a connection hears that subscribes to everything. */
final class Heard {

    private final List<String> channels = new CopyOnWriteArrayList<>();

    Heard(StatefulRedisPubSubConnection<String, String> connection) {
        connection.addListener(new RedisPubSubAdapter<>() {
            @Override
            public void message(String pattern, String channel, String message) {
                channels.add(channel);
            }
        });
        connection.sync().psubscribe("*");
    }

    boolean on(String channel) {
        return channels.contains(channel);
    }

    List<String> channels() {
        return channels;
    }
}
