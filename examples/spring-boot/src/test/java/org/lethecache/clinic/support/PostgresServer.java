package org.lethecache.clinic.support;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/** A real PostgreSQL with a cluster of its own on the loopback interface; it ends with the virtual machine. */
public final class PostgresServer {

    private static final String USER = "clinic";

    private final Path binaries = binaries();
    private final int port = freePort();

    private PostgresServer() {
    }

    public static PostgresServer start() {
        PostgresServer postgres = new PostgresServer();
        String directory = postgres.run("mktemp", "-d");
        postgres.run(postgres.tool("initdb"), "-D", directory + "/data", "-U", USER, "-A", "trust", "--no-sync");
        postgres.run(postgres.tool("pg_ctl"), "-D", directory + "/data", "-w", "-l", directory + "/log", "-o",
                "-p " + postgres.port + " -c listen_addresses=127.0.0.1 -c unix_socket_directories=" + directory + " -c fsync=off", "start");
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            postgres.run(postgres.tool("pg_ctl"), "-D", directory + "/data", "-m", "immediate", "stop");
            postgres.run("rm", "-r", directory);
        }));
        return postgres;
    }

    /** PostgreSQL refuses to run as root; its package has a user for it. */
    private String run(String... command) {
        List<String> whole = new ArrayList<>();
        if (System.getProperty("user.name").equals("root")) {
            whole.addAll(List.of("runuser", "-u", "postgres", "--"));
        }
        whole.addAll(List.of(command));
        return Processes.run("", whole);
    }

    private String tool(String name) {
        return binaries.resolve(name).toString();
    }

    /** The newest version that Debian's packages have installed. */
    private static Path binaries() {
        try (Stream<Path> versions = Files.list(Path.of("/usr/lib/postgresql"))) {
            return versions.max(Comparator.comparing(version -> Integer.parseInt(version.getFileName().toString())))
                    .orElseThrow().resolve("bin");
        } catch (IOException e) {
            throw new UncheckedIOException("there is no PostgreSQL: apt-get install postgresql", e);
        }
    }

    private static int freePort() {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public String url() {
        return "jdbc:postgresql://127.0.0.1:" + port + "/postgres";
    }

    public String user() {
        return USER;
    }
}
