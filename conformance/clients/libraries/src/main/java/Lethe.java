import java.io.File;
import java.io.FileInputStream;
import java.io.InputStream;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.util.Objects;

import javax.net.ssl.TrustManagerFactory;

import org.springframework.data.redis.connection.RedisStandaloneConfiguration;
import org.springframework.data.redis.connection.lettuce.LettuceClientConfiguration;
import org.springframework.data.redis.connection.lettuce.LettuceConnectionFactory;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import io.lettuce.core.ClientOptions;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisURI;
import io.lettuce.core.SslOptions;
import io.lettuce.core.protocol.ProtocolVersion;
import org.slf4j.LoggerFactory;

/** What the programs share: where the server is, how each kind of client connects to it, what they print. */
final class Lethe {
    static final String HOST = System.getenv("LETHE_HOST");
    static final int PORT = Integer.parseInt(System.getenv("LETHE_PORT"));
    static final String USER = System.getenv("LETHE_USER");
    static final String TOKEN = System.getenv("LETHE_TOKEN");
    static final boolean RESP3 = "3".equals(System.getenv("LETHE_PROTOCOL"));
    private static final String CA = System.getenv("LETHE_CA");

    private Lethe() {
    }

    static void quiet() {
        ((Logger) LoggerFactory.getLogger(Logger.ROOT_LOGGER_NAME)).setLevel(Level.WARN);
    }

    static void step(String name) {
        System.out.println("ok " + name);
    }

    static void same(Object got, Object want) {
        if (!Objects.equals(got, want)) {
            throw new AssertionError("got " + got + ", want " + want);
        }
    }

    static void check(boolean holds, String what) {
        if (!holds) {
            throw new AssertionError(what);
        }
    }

    private static ClientOptions options() {
        return ClientOptions.builder().protocolVersion(RESP3 ? ProtocolVersion.RESP3 : ProtocolVersion.RESP2)
                .sslOptions(SslOptions.builder().trustManager(new File(CA)).protocols("TLSv1.3").build()).build();
    }

    static RedisClient lettuce() {
        RedisClient client = RedisClient.create(RedisURI.builder().withHost(HOST).withPort(PORT).withSsl(true)
                .withAuthentication(USER, TOKEN.toCharArray()).build());
        client.setOptions(options());
        return client;
    }

    static LettuceConnectionFactory spring() {
        RedisStandaloneConfiguration server = new RedisStandaloneConfiguration(HOST, PORT);
        server.setUsername(USER);
        server.setPassword(TOKEN);
        LettuceConnectionFactory factory = new LettuceConnectionFactory(server,
                LettuceClientConfiguration.builder().clientOptions(options()).useSsl().build());
        factory.afterPropertiesSet();
        factory.start();
        return factory;
    }

    /** Trust in Lethe's authority and nothing else. */
    static TrustManagerFactory trust() throws Exception {
        KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null);
        try (InputStream in = new FileInputStream(CA)) {
            store.setCertificateEntry("lethe", CertificateFactory.getInstance("X.509").generateCertificate(in));
        }
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(store);
        return trust;
    }
}
