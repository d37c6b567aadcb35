package org.lethecache.clinic.support;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** A real Lethe in a directory of its own; it ends with the virtual machine. */
public final class LetheServer {

    private static final String HOST = "127.0.0.1";

    private final String binary;
    private final Path directory;
    private int port;

    private LetheServer() {
        binary = System.getProperty("lethe.binary", System.getenv("LETHE_BINARY"));
        if (binary == null) {
            throw new IllegalStateException("name the lethe binary: -Dlethe.binary=PATH, or LETHE_BINARY");
        }
        try {
            directory = Files.createTempDirectory("lethe");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Starts a server with the users of the tests and with more flags of {@code lethe serve}. */
    public static LetheServer start(String... flags) {
        LetheServer lethe = new LetheServer();
        for (TestUser user : TestUser.values()) {
            lethe.add(user);
        }
        lethe.serve(List.of(flags));
        return lethe;
    }

    private void add(TestUser user) {
        cli(user.token(), "user", "add", user.login(), "--tenants", user.tenants(), "--token-stdin");
        if (!user.moreRules().isEmpty()) {
            String usual = cli("", "user", "show", user.login()).lines().filter(line -> line.startsWith("rules "))
                    .map(line -> line.substring("rules ".length()).strip()).collect(Collectors.joining());
            cli("", "user", "set", user.login(), "--rules", usual + " " + user.moreRules());
        }
    }

    /** Runs a command of the same binary on the server's data directory. */
    public String cli(String input, String... arguments) {
        List<String> command = new ArrayList<>(List.of(binary));
        command.addAll(List.of(arguments));
        command.addAll(List.of("--data-dir", directory.toString()));
        return Processes.run(input, command);
    }

    private void serve(List<String> flags) {
        List<String> command = new ArrayList<>(List.of(binary, "serve", "--data-dir", directory.toString(),
                "--listen", HOST + ":0", "--admin-listen", HOST + ":0"));
        command.addAll(flags);
        try {
            Process process = new ProcessBuilder(command).redirectError(log().toFile()).start();
            Runtime.getRuntime().addShutdownHook(new Thread(process::destroy));
            BufferedReader output = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
            String line = output.readLine();
            while (line != null && !line.startsWith("ready")) {
                line = output.readLine();
            }
            if (line == null) {
                throw new IllegalStateException("lethe did not start: " + Files.readString(log()));
            }
            port = Integer.parseInt(line.replaceFirst(".* " + HOST + ":(\\d+).*", "$1"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** What the server has logged. */
    public Path log() {
        return directory.resolve("stderr.log");
    }

    public String host() {
        return HOST;
    }

    public int port() {
        return port;
    }

    /** The authority that clients trust. */
    public String authority() {
        return directory.resolve("ca.pem").toString();
    }
}
