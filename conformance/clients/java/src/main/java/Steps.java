import java.io.FileInputStream;
import java.io.InputStream;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.util.Objects;

import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/** What both programs share: the environment, the lines that they print, and how they end at a surprise. */
final class Steps {
    static final String HOST = System.getenv("LETHE_HOST");
    static final int PORT = Integer.parseInt(System.getenv("LETHE_PORT"));
    static final String CA = System.getenv("LETHE_CA");
    static final String USER = System.getenv("LETHE_USER");
    static final String TOKEN = System.getenv("LETHE_TOKEN");
    static final String OPERATOR = System.getenv("LETHE_OPERATOR");
    static final String OPERATOR_TOKEN = System.getenv("LETHE_OPERATOR_TOKEN");
    static final boolean RESP3 = "3".equals(System.getenv("LETHE_PROTOCOL"));

    static final String ADD = "return redis.call('INCRBY', KEYS[1], ARGV[1])";

    private Steps() {
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

    /** A call that the server has to refuse with an error that holds a word. */
    static void refused(Class<? extends Exception> error, String word, Runnable call) {
        try {
            call.run();
        } catch (RuntimeException e) {
            for (Throwable cause = e; cause != null; cause = cause.getCause()) {
                if (error.isInstance(cause) && String.valueOf(cause.getMessage()).contains(word)) {
                    return;
                }
            }
            throw e;
        }
        throw new AssertionError("not refused with " + word);
    }

    /** TLS 1.3 that trusts Lethe's authority and nothing else. */
    static SSLContext trusting(String file) throws Exception {
        KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null);
        try (InputStream in = new FileInputStream(file)) {
            store.setCertificateEntry("lethe", CertificateFactory.getInstance("X.509").generateCertificate(in));
        }
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(store);
        SSLContext context = SSLContext.getInstance("TLSv1.3");
        context.init(null, trust.getTrustManagers(), null);
        return context;
    }
}
